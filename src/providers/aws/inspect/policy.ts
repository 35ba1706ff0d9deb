import { type RankBy, usesPrices } from '../../../domain/template/price-use.ts';
import type { Template } from '../../../domain/template/template.ts';
import { tagKeys } from '../instances/tags.ts';
import {
  type Action,
  isOfGroup,
  literal,
  type Names,
  namesIn,
  reads,
  type Uses,
  usesOf,
  when,
  whyOf,
} from './policy-needs.ts';

/** An action as IAM names it, and what it is needed for. */
export interface NeededAction {
  readonly action: Action;
  readonly why: string;
}

type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly Action[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Condition;
}

/** The principal and Region that the policy is for. */
export interface PolicyScope {
  /** The value of our ownership tag. */
  readonly owner: string;
  /** Any, where it is not configured. */
  readonly region?: string | undefined;
  /** Whether hosts and their volumes are tagged with the host's id (AWS_TAG_InstanceID). */
  readonly tagInstanceId?: boolean;
  /** The URL of the queue of events. */
  readonly eventQueue?: string | undefined;
  /** Of the table that holds the state: its name, and its Region. */
  readonly stateTable?: { readonly name: string; readonly region: string | undefined } | undefined;
  /** Whether templates are ranked by their prices. */
  readonly rankBy?: RankBy | undefined;
}

interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** What a launch takes that was there before, or that comes and goes with the instance. */
const ingredients = [
  'capacity-reservation',
  'image',
  'key-pair',
  'launch-template',
  'network-interface',
  'placement-group',
  'security-group',
  'snapshot',
  'spot-instances-request',
  'subnet',
  'volume',
];

const allow = (
  Sid: string,
  Action: readonly Action[],
  Resource: string | readonly string[],
  Condition?: Condition,
): readonly Statement[] =>
  Action.length === 0 || Resource.length === 0
    ? []
    : [{ Sid, Effect: 'Allow', Action, Resource, ...(Condition === undefined ? {} : { Condition }) }];

const ownerOf = (where: 'Request' | 'Resource', owner: string): Condition => ({
  StringEquals: { [`aws:${where}Tag/${tagKeys.owner}`]: owner },
});

/**
 * A launch is allowed only when every resource it touches is: the tag that the instance, the fleet or the group must get confines
 * it, and what it is made of need not be looked at. What a launch template gives tags for counts as tagged in the launch.
 */
const launchStatements = (uses: Uses, { arn, ec2, group }: Names, owner: string): readonly Statement[] => {
  const { launches, ec2Fleet, spotFleet, ownGroups, launchTemplates, launching } = uses;
  const actions: readonly Action[] = [
    ...when<Action>(launches, 'ec2:RunInstances'),
    ...when<Action>(ec2Fleet, 'ec2:CreateFleet'),
    ...when<Action>(spotFleet, 'ec2:RequestSpotFleet'),
  ];
  const names = (text: string): boolean =>
    launching.some(
      ({ launchTemplateId, launchTemplateSpec = {} }) => launchTemplateId !== undefined || text in launchTemplateSpec,
    );
  const foreign = [
    ...when(names('CapacityReservationSpecification') || launching.some(isOfGroup), arn('resource-groups', 'group/*')),
    ...when(names('LicenseSpecifications'), arn('license-manager', 'license-configuration:*')),
  ];
  const tagged = ownerOf('Request', owner);
  return [
    ...allow('LaunchOnlyInstancesWithOurTag', when<Action>(launches, 'ec2:RunInstances'), ec2('instance'), tagged),
    ...allow('MakeOnlyFleetsWithOurTag', actions.slice(1), ec2('fleet', 'spot-fleet-request'), tagged),
    // A fleet of type request or maintain tags its instances by its launch template, not in the call.
    ...allow('LetFleetsHoldInstances', when<Action>(ec2Fleet, 'ec2:CreateFleet'), ec2('instance')),
    ...allow('LaunchFrom', actions, [...ec2(...ingredients), ...foreign]),
    ...allow(
      'MakeOnlyLaunchTemplatesWithOurTag',
      when<Action>(launchTemplates, 'ec2:CreateLaunchTemplate'),
      ec2('launch-template'),
      tagged,
    ),
    ...allow('TagOnlyWhatIsBeingMade', when<Action>(launches, 'ec2:CreateTags'), ec2('*'), {
      StringEquals: {
        'ec2:CreateAction': [
          ...when(ec2Fleet, 'CreateFleet'),
          ...when(launchTemplates, 'CreateLaunchTemplate'),
          ...when(spotFleet, 'RequestSpotFleet'),
          'RunInstances',
        ],
      },
    }),
    ...allow(
      'MakeOnlyGroupsWithOurTag',
      when<Action>(ownGroups, 'autoscaling:CreateAutoScalingGroup', 'autoscaling:CreateOrUpdateTags'),
      group('hf-aws-*'),
      // A group that has an owner keeps it.
      { ...tagged, StringEqualsIfExists: { [`aws:ResourceTag/${tagKeys.owner}`]: owner } },
    ),
  ];
};

/** Ends and changes what carries our tag. */
const ownStatements = (uses: Uses, { ec2, group }: Names, owner: string): readonly Statement[] => {
  const { ec2Fleet, spotFleet, ownGroups, launchTemplates } = uses;
  const ours = ownerOf('Resource', owner);
  return [
    ...allow('EndOnlyInstancesOfOurs', ['ec2:TerminateInstances'], ec2('instance'), ours),
    ...allow('EndOnlyFleetsOfOurs', when<Action>(ec2Fleet, 'ec2:DeleteFleets', 'ec2:ModifyFleet'), ec2('fleet'), ours),
    ...allow(
      'EndOnlySpotFleetsOfOurs',
      when<Action>(spotFleet, 'ec2:CancelSpotFleetRequests', 'ec2:ModifySpotFleetRequest'),
      ec2('spot-fleet-request'),
      ours,
    ),
    ...allow(
      'RemoveOnlyLaunchTemplatesOfOurs',
      when<Action>(launchTemplates, 'ec2:DeleteLaunchTemplate'),
      ec2('launch-template'),
      ours,
    ),
    ...allow(
      'ChangeOnlyGroupsOfOurs',
      when<Action>(
        ownGroups,
        'autoscaling:DeleteAutoScalingGroup',
        'autoscaling:SetInstanceProtection',
        'autoscaling:SuspendProcesses',
        'autoscaling:TerminateInstanceInAutoScalingGroup',
        'autoscaling:UpdateAutoScalingGroup',
      ),
      group('*'),
      ours,
    ),
  ];
};

/** The administrator's own groups, by name. Their members get our tags after the launch: until then Auto Scaling's own tag identifies them. */
const sharedGroupStatements = ({ sharedGroups }: Uses, { ec2, group }: Names, owner: string): readonly Statement[] => [
  ...allow(
    'UseTheGroupsThatTemplatesName',
    [
      'autoscaling:LaunchInstances',
      'autoscaling:SetInstanceProtection',
      'autoscaling:TerminateInstanceInAutoScalingGroup',
      'autoscaling:UpdateAutoScalingGroup',
    ],
    sharedGroups.map((name) => group(literal(name))),
  ),
  ...allow('MarkOnlyMembersOfTheseGroups', when<Action>(sharedGroups.length > 0, 'ec2:CreateTags'), ec2('instance'), {
    StringEquals: {
      [`aws:RequestTag/${tagKeys.owner}`]: owner,
      'aws:ResourceTag/aws:autoscaling:groupName': sharedGroups.map(literal),
    },
  }),
];

/** AWS_TAG_InstanceID: one key, on what is ours. Volumes of the administrator's groups do not carry our tag. */
const idTagStatements = ({ sharedGroups }: Uses, { ec2 }: Names, owner: string): readonly Statement[] => {
  const onlyThisKey = { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['InstanceID'] } };
  return [
    ...allow('TagOnlyOursWithTheirId', ['ec2:CreateTags'], ec2('instance', 'volume'), {
      ...ownerOf('Resource', owner),
      ...onlyThisKey,
    }),
    ...allow('TagVolumesWithTheirId', when<Action>(sharedGroups.length > 0, 'ec2:CreateTags'), ec2('volume'), {
      ...onlyThisKey,
      Null: { 'aws:RequestTag/InstanceID': 'false' },
    }),
  ];
};

/** The name of an instance profile is all that a template tells; the role in it has the same name where the console made both. */
const roleOfProfile = (profile: string): string => {
  const [, arn, name] = /^(arn:[^:]+:iam::[^:]*:)instance-profile\/(?:.*\/)?([^/]+)$/.exec(profile) ?? [];
  return arn === undefined || name === undefined ? profile : `${arn}role/${name}`;
};

const passTo = 'iam:PassedToService';

const roleStatements = (uses: Uses, { role, service }: Names): readonly Statement[] => [
  ...allow('PassRolesToMachines', ['iam:PassRole'], uses.profiles.map(roleOfProfile).flatMap(role), {
    StringEquals: { [passTo]: service('ec2') },
  }),
  ...allow('PassRolesToSpotFleets', ['iam:PassRole'], uses.fleetRoles.flatMap(role), {
    StringEquals: { [passTo]: service('spotfleet') },
  }),
  ...allow('PassRolesToAutoScaling', ['iam:PassRole'], uses.serviceRoles.flatMap(role), {
    StringEquals: { [passTo]: service('autoscaling') },
  }),
];

/** The name of a queue is the last part of its URL; its account may be another. */
const eventStatements = ({ arn }: Names, eventQueue = ''): readonly Statement[] => [
  ...allow(
    'HearOfEvents',
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    arn('sqs', literal(eventQueue.replace(/^.*\//, ''))),
  ),
  ...allow('SeeWhichRulesSend', ['events:ListRuleNamesByTarget'], '*'),
];

/** Every key of this provider's state begins with its owner: what others keep in the table is closed to it, in the index too. */
const stateStatements = ({ stateTable }: PolicyScope, owner: string): readonly Statement[] => {
  if (stateTable === undefined) return [];
  const { arn } = namesIn(stateTable.region);
  const table = arn('dynamodb', `table/${stateTable.name}`);
  return [
    ...allow(
      'KeepOnlyOurState',
      ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      [table, `${table}/index/feed`],
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${owner}#*`] } },
    ),
    ...allow('SeeHowTheTableIsMade', ['dynamodb:DescribeContinuousBackups', 'dynamodb:DescribeTable'], table),
  ];
};

/** Hints for the person who attaches it, about what the policy cannot know. */
const notesOn = ({ profiles, launching }: Uses): readonly string[] => {
  const unknown = launching
    .filter(({ launchTemplateId, instanceProfile }) => launchTemplateId !== undefined && instanceProfile === undefined)
    .map(({ templateId, launchTemplateId }) => `${launchTemplateId} (template ${templateId})`);
  return [
    ...when(
      profiles.length > 0,
      `iam:PassRole is allowed for the roles that have the names of the instance profiles: ${profiles.join(', ')}. Where a role has another name, put its ARN in their place.`,
    ),
    ...when(
      unknown.length > 0,
      `iam:PassRole is not allowed for roles that only a launch template of yours names. Where one has an instance profile, add its role to the policy: ${unknown.join(', ')}`,
    ),
  ];
};

/**
 * The smallest IAM policy for these templates. AWS itself keeps what it allows to what carries our ownership tag, or gets it. Which
 * resources and conditions each action knows: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 */
export const iamPolicy = (
  templates: readonly Template[],
  scope: PolicyScope,
): { readonly policy: Policy; readonly notes: readonly string[] } => {
  const { owner, region, tagInstanceId = false, eventQueue, rankBy } = scope;
  const uses = usesOf(templates);
  const names = namesIn(region);
  const Statement = [
    ...allow('See', reads(uses, usesPrices(templates, rankBy)), '*'),
    ...allow('ResolveImageAliases', ['ssm:GetParameter'], uses.aliases.map(names.parameter)),
    ...when(eventQueue !== undefined, ...eventStatements(names, eventQueue)),
    ...stateStatements(scope, owner),
    ...launchStatements(uses, names, owner),
    ...ownStatements(uses, names, owner),
    ...sharedGroupStatements(uses, names, owner),
    ...when(tagInstanceId, ...idTagStatements(uses, names, owner)),
    ...roleStatements(uses, names),
  ];
  return { policy: { Version: '2012-10-17', Statement }, notes: notesOn(uses) };
};

/** The actions that these templates need, each once, by name. */
export const neededActions = (templates: readonly Template[], scope: PolicyScope): readonly NeededAction[] => {
  const actions = new Set(iamPolicy(templates, scope).policy.Statement.flatMap(({ Action }) => Action));
  return [...actions].sort().map((action) => ({ action, why: whyOf.get(action) ?? '' }));
};
