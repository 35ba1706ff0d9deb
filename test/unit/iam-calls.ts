import type { Call } from '../../src/emulator/calls.ts';
import type { Authorization } from './iam.ts';

type Tags = Readonly<Record<string, string>>;

/** How the resources that a call names are tagged. */
export interface Tagging {
  /** Instances, fleets, groups, launch templates of ours. */
  readonly resource: Tags;
  /** The same of groups of the administrator's and their members. */
  readonly member: Tags;
}

const account = '123456789012';
const arn = (service: string, resource: string): string => `arn:aws:${service}:us-east-1:${account}:${resource}`;
const ec2Arn = (kind: string, id = '*'): string =>
  kind === 'image' || kind === 'snapshot' ? `arn:aws:ec2:us-east-1::${kind}/${id}` : arn('ec2', `${kind}/${id}`);

type Parameters = Call['parameters'];

/** The values of `<prefix>.<n><suffix>`, in their order. */
const valuesOf = (parameters: Parameters, prefix: string, suffix = ''): readonly string[] =>
  Object.entries(parameters)
    .filter(
      ([name]) => name.startsWith(`${prefix}.`) && new RegExp(`^\\d+${suffix}$`).test(name.slice(prefix.length + 1)),
    )
    .map(([, value]) => value);

const tagsAt = (parameters: Parameters, prefix: string): Tags => {
  const [keys, values] = [valuesOf(parameters, prefix, '\\.Key'), valuesOf(parameters, prefix, '\\.Value')];
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? '']));
};

/** Tags by the kind of resource they are for. */
const tagsByKind = (parameters: Parameters, prefix: string): Readonly<Record<string, Tags>> => {
  const kinds = Object.entries(parameters).flatMap(([name, kind]) => {
    const [, place] = new RegExp(`^(${prefix}\\.\\d+)\\.ResourceType$`).exec(name) ?? [];
    return place === undefined ? [] : [[kind, tagsAt(parameters, `${place}.Tag`)] as const];
  });
  return Object.fromEntries(kinds);
};

const requested = (tags: Tags = {}): Authorization['context'] =>
  Object.keys(tags).length === 0
    ? {}
    : {
        'aws:TagKeys': Object.keys(tags),
        ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, [value]])),
      };

const carried = (tags: Tags): Authorization['context'] =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, [value]]));

const tagging = (createAction: string, byKind: Readonly<Record<string, Tags>>): readonly Authorization[] =>
  Object.entries(byKind).map(([kind, tags]) => ({
    action: 'ec2:CreateTags',
    resource: ec2Arn(kind),
    context: { ...requested(tags), 'ec2:CreateAction': [createAction] },
  }));

const passRole = (role: string, service: string): Authorization => ({
  action: 'iam:PassRole',
  resource: role,
  context: { 'iam:PassedToService': [`${service}.amazonaws.com`] },
});

const rolesIn = (parameters: Parameters): readonly Authorization[] =>
  Object.entries(parameters)
    .filter(([name]) => /IamInstanceProfile\.Name$/.test(name))
    .map(([, name]) => passRole(`arn:aws:iam::${account}:role/${name}`, 'ec2'));

const reservationsIn = (parameters: Parameters): readonly Authorization[] =>
  Object.entries(parameters).flatMap(([name, value]) => {
    if (name.endsWith('.CapacityReservationResourceGroupArn'))
      return [{ action: 'ec2:RunInstances', resource: value, context: {} }];
    if (!name.endsWith('.CapacityReservationId')) return [];
    return [{ action: 'ec2:RunInstances', resource: ec2Arn('capacity-reservation', value), context: {} }];
  });

/** What RunInstances touches, whoever calls it in our name. */
const launching = (parameters: Parameters, byKind: Readonly<Record<string, Tags>>): readonly Authorization[] => [
  ...['instance', 'network-interface', 'volume', 'spot-instances-request'].map((kind) => ({
    action: 'ec2:RunInstances',
    resource: ec2Arn(kind),
    context: requested(byKind[kind]),
  })),
  ...['image', 'subnet', 'security-group', 'key-pair', 'placement-group', 'launch-template', 'snapshot'].map(
    (kind) => ({
      action: 'ec2:RunInstances',
      resource: ec2Arn(kind),
      context: {},
    }),
  ),
  ...reservationsIn(parameters),
  ...tagging('RunInstances', byKind),
  ...rolesIn(parameters),
];

const on = (action: string, resources: readonly string[], tags: Tags): readonly Authorization[] =>
  resources.map((resource) => ({ action, resource, context: carried(tags) }));

const groupArn = (name = ''): string => arn('autoscaling', `autoScalingGroup:uuid:autoScalingGroupName/${name}`);

/** What earlier calls told: the launch template that a fleet or group launches by, and the group of an instance. */
export interface Told {
  readonly template: Parameters;
  readonly group: string;
}

/**
 * What IAM is asked for a call, after the resources and condition keys that the service authorization reference names for each
 * action.
 */
export const authorizationsOf = (
  { action, parameters }: Pick<Call, 'action' | 'parameters'>,
  { resource, member }: Tagging,
  { template, group: lastGroup }: Told,
): readonly Authorization[] => {
  const namesTemplate = Object.keys(parameters).some((name) => name.endsWith('LaunchTemplateId'));
  const ofLaunchTemplate = tagsByKind(template, 'LaunchTemplateData.TagSpecification');
  const ownTags = tagsByKind(parameters, 'TagSpecification');
  const group = parameters['AutoScalingGroupName'] ?? lastGroup;
  const tagsOfGroup = group.startsWith('hf-aws-') ? resource : member;
  switch (action) {
    case 'RunInstances':
      return launching(parameters, ownTags);
    case 'CreateFleet': {
      const { fleet = {}, ...ofInstances } = ownTags;
      return [
        { action: 'ec2:CreateFleet', resource: ec2Arn('fleet'), context: requested(fleet) },
        ...['instance', 'volume'].map((kind) => ({
          action: 'ec2:CreateFleet',
          resource: ec2Arn(kind),
          context: requested(ofInstances[kind]),
        })),
        ...on(
          'ec2:CreateFleet',
          ['image', 'launch-template', 'subnet', 'placement-group'].map((kind) => ec2Arn(kind)),
          {},
        ),
        ...tagging('CreateFleet', { fleet }),
        ...(namesTemplate ? launching(template, { ...ofLaunchTemplate, ...ofInstances }) : []),
      ];
    }
    case 'RequestSpotFleet': {
      const byKind = tagsByKind(parameters, 'SpotFleetRequestConfig.TagSpecification');
      return [
        {
          action: 'ec2:RequestSpotFleet',
          resource: ec2Arn('spot-fleet-request'),
          context: requested(byKind['spot-fleet-request']),
        },
        ...on(
          'ec2:RequestSpotFleet',
          ['image', 'launch-template', 'subnet', 'key-pair'].map((kind) => ec2Arn(kind)),
          {},
        ),
        ...tagging('RequestSpotFleet', byKind),
        ...(namesTemplate ? launching(template, ofLaunchTemplate) : []),
        passRole(parameters['SpotFleetRequestConfig.IamFleetRole'] ?? '', 'spotfleet'),
      ];
    }
    case 'CreateAutoScalingGroup': {
      const context = requested(tagsAt(parameters, 'Tag'));
      return [
        { action: 'autoscaling:CreateAutoScalingGroup', resource: groupArn(group), context },
        { action: 'autoscaling:CreateOrUpdateTags', resource: groupArn(group), context },
        ...launching(template, ofLaunchTemplate),
      ];
    }
    case 'CreateLaunchTemplate': {
      const own = ownTags['launch-template'];
      return [
        { action: 'ec2:CreateLaunchTemplate', resource: ec2Arn('launch-template'), context: requested(own) },
        ...tagging('CreateLaunchTemplate', { 'launch-template': own ?? {} }),
      ];
    }
    case 'CreateTags': {
      const tags = tagsAt(parameters, 'Tag');
      return valuesOf(parameters, 'ResourceId').map((id) => ({
        action: 'ec2:CreateTags',
        resource: ec2Arn(id.startsWith('vol-') ? 'volume' : 'instance', id),
        context: { ...carried('hf-aws:owner' in tags ? member : resource), ...requested(tags) },
      }));
    }
    case 'TerminateInstances':
      return on(
        `ec2:${action}`,
        valuesOf(parameters, 'InstanceId').map((id) => ec2Arn('instance', id)),
        resource,
      );
    case 'DeleteFleets':
      return on(
        `ec2:${action}`,
        valuesOf(parameters, 'FleetId').map((id) => ec2Arn('fleet', id)),
        resource,
      );
    case 'ModifyFleet':
      return on(`ec2:${action}`, [ec2Arn('fleet', parameters['FleetId'])], resource);
    case 'CancelSpotFleetRequests':
      return on(
        `ec2:${action}`,
        valuesOf(parameters, 'SpotFleetRequestId').map((id) => ec2Arn('spot-fleet-request', id)),
        resource,
      );
    case 'ModifySpotFleetRequest':
      return on(`ec2:${action}`, [ec2Arn('spot-fleet-request', parameters['SpotFleetRequestId'])], resource);
    case 'DeleteLaunchTemplate':
      return on(`ec2:${action}`, [ec2Arn('launch-template', parameters['LaunchTemplateId'])], resource);
    case 'GetParameter':
      return on('ssm:GetParameter', [arn('ssm', `parameter${parameters['Name']}`)], {});
    case 'GetProducts':
      return on('pricing:GetProducts', ['*'], {});
    case 'GetServiceQuota':
      return on('servicequotas:GetServiceQuota', ['*'], {});
    case 'GetCallerIdentity':
      // Nobody can be denied this.
      return [];
    default:
      if (/^Describe(AutoScaling|Scaling)/.test(action)) return on(`autoscaling:${action}`, ['*'], {});
      if (action.startsWith('Describe')) return on(`ec2:${action}`, ['*'], {});
      return on(`autoscaling:${action}`, [groupArn(group)], tagsOfGroup);
  }
};

export { account, ec2Arn, passRole };
