import { faultFinding } from '../../../application/diagnosis/fault-cures.ts';
import type { AwsChecks } from '../../../application/queries/diagnose.ts';
import { hasCode, isPluginError } from '../../../domain/errors.ts';
import type { Diagnosis } from '../../../domain/finding.ts';
import type { InstanceTypeTable } from '../../../domain/instance-type.ts';
import type { Template } from '../../../domain/template/template.ts';
import { tagKeys } from '../instances/tags.ts';
import { callerArn, roleArn } from '../services/account.ts';
import type { Ec2 } from '../services/ec2.ts';
import { diagnoseQuotas } from '../services/quotas.ts';
import type { Role } from '../services/role.ts';
import type { AwsClock } from '../wire/aws-clock.ts';
import type { QueryClientOptions } from '../wire/query-client.ts';
import { cureOfAws, permit } from './cures.ts';
import { diagnoseEventWay } from './event-way.ts';
import { type NeededAction, neededActions, type PolicyScope } from './policy.ts';
import { checkImages, checkSubnets } from './used-things.ts';

type Trial = () => Promise<void>;

/**
 * The actions whose permission EC2 tells by DryRun. They ask for what launches ask for, our tag with it: anything else is denied under
 * the policy that doctor prints. What acts on an instance needs one of ours.
 */
const trials = (
  ec2: Ec2,
  templates: readonly Template[],
  { owner }: PolicyScope,
  { instanceId, caller }: { readonly instanceId: string | undefined; readonly caller: string },
): Readonly<Partial<Record<NeededAction['action'], Trial>>> => {
  const tagged = <T extends string>(ResourceType: T) => [
    { ResourceType, Tags: [{ Key: tagKeys.owner, Value: owner }] },
  ];
  const IamFleetRole = roleArn(caller, templates.find(({ fleetRole }) => fleetRole !== undefined)?.fleetRole);
  const launch = { MinCount: 1, MaxCount: 1, ImageId: 'ami-00000000000000000', TagSpecifications: tagged('instance') };
  const template = {
    LaunchTemplateName: 'hf-aws-doctor',
    LaunchTemplateData: {},
    TagSpecifications: tagged('launch-template'),
  };
  const fleet = {
    LaunchTemplateConfigs: [],
    TargetCapacitySpecification: { TotalTargetCapacity: 1 },
    TagSpecifications: tagged('fleet'),
  };
  const spotFleet = { IamFleetRole, TargetCapacity: 1, TagSpecifications: tagged('spot-fleet-request') };
  return {
    'ec2:DescribeInstances': () => ec2.dryRun('DescribeInstances', {}),
    'ec2:DescribeSpotInstanceRequests': () => ec2.dryRun('DescribeSpotInstanceRequests', {}),
    'ec2:RunInstances': () => ec2.dryRun('RunInstances', launch),
    'ec2:CreateLaunchTemplate': () => ec2.dryRun('CreateLaunchTemplate', template),
    'ec2:CreateFleet': () => ec2.dryRun('CreateFleet', fleet),
    'ec2:RequestSpotFleet': () => ec2.dryRun('RequestSpotFleet', { SpotFleetRequestConfig: spotFleet }),
    ...(instanceId === undefined
      ? {}
      : { 'ec2:TerminateInstances': () => ec2.dryRun('TerminateInstances', { InstanceIds: [instanceId] }) }),
  };
};

/** An instance of ours that lives, to ask about. */
const ownInstance = async (ec2: Ec2, owner: string): Promise<string | undefined> => {
  const { Reservations = [] } = await ec2.read('DescribeInstances', {
    Filters: [
      { Name: `tag:${tagKeys.owner}`, Values: [owner] },
      { Name: 'instance-state-name', Values: ['pending', 'running'] },
    ],
    MaxResults: 5,
  });
  return Reservations.flatMap(({ Instances = [] }) => Instances)[0]?.InstanceId;
};

interface DiagnosisOptions extends QueryClientOptions {
  readonly ec2: Ec2;
  readonly role?: Role;
}

const identity = (who: string, options: DiagnosisOptions): readonly Diagnosis[] => {
  const { region, endpoint } = options.client;
  const origin = options.role === undefined ? '' : ', assumed by AWS_ROLE_ARN';
  const place = endpoint === undefined ? region : `${region} (${endpoint})`;
  return [{ subject: 'credentials', status: 'ok', what: `${who}${origin}, Region ${place}` }];
};

/** Nothing where AWS was not heard. HTTP dates have whole seconds. */
export const diagnoseClock = ({ ahead }: Pick<AwsClock, 'ahead'>): readonly Diagnosis[] => {
  const ms = ahead();
  if (ms === undefined) return [];
  const seconds = Math.round(ms / 1000);
  const what = `this host is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} AWS`;
  if (Math.abs(seconds) < 60) return [{ subject: 'clock', status: 'ok', what: 'within a minute of AWS' }];
  const why =
    'beyond five minutes AWS refuses a call that is signed by this clock (RequestExpired); each is then sent twice, by the clock of AWS';
  const cure = 'set the clock of this host: chronyc makestep, or whatever keeps its time';
  return [
    { subject: 'clock', status: Math.abs(seconds) < 300 ? 'warning' : 'error', code: 'clock.off', what, why, cure },
  ];
};

const isDenied = async (send: Trial): Promise<boolean> => {
  try {
    await send();
    return false;
  } catch (error) {
    if (hasCode(error, 'provider.denied')) return true;
    // A fault that comes after the permission was checked.
    if (hasCode(error, 'provider.misconfigured', 'provider.missing')) return false;
    throw error;
  }
};

const permissions = async (
  { ec2 }: DiagnosisOptions,
  templates: readonly Template[],
  scope: PolicyScope,
  caller: string,
): Promise<readonly Diagnosis[]> => {
  const actions = neededActions(templates, scope);
  const instanceId = await ownInstance(ec2, scope.owner).catch((error: unknown) => {
    // Told below.
    if (hasCode(error, 'provider.denied')) return undefined;
    throw error;
  });
  const known = trials(ec2, templates, scope, { instanceId, caller });
  const testable = actions.flatMap((each) => {
    const send = known[each.action];
    return send === undefined ? [] : [{ ...each, send }];
  });
  const denied: NeededAction[] = [];
  for (const { send, ...needed } of testable) if (await isDenied(send)) denied.push(needed);
  const untested = actions.length - testable.length;
  if (denied.length === 0) {
    const later = instanceId === undefined ? ' (ec2:TerminateInstances once a machine of ours runs)' : '';
    const what = `${testable.length} needed actions are permitted; ${untested} cannot be tried without doing them${later}`;
    return [{ subject: 'permissions', status: 'ok', what }];
  }
  return denied.map(({ action, why }) => ({
    subject: 'permissions',
    status: 'error',
    code: 'provider.denied',
    what: `${action} is denied`,
    why: `it is needed ${why}`,
    cure: permit(action),
  }));
};

/** What is known, or found out, of what templates name. */
export interface CheckedFacts {
  readonly imageOf: (alias: string) => Promise<string>;
  readonly types: () => Promise<InstanceTypeTable>;
}

/** The checks at AWS: whose credentials these are, then whether everything the templates need exists and is permitted, by DryRun, so that nothing is done. */
export const awsChecks = (
  options: DiagnosisOptions,
  templates: readonly Template[],
  scope: PolicyScope,
  { imageOf, types }: CheckedFacts,
): AwsChecks => {
  const who = callerArn(options);
  // It is reported by its own check.
  who.catch(() => undefined);
  const { eventQueue } = scope;
  return {
    reach: {
      subject: 'AWS',
      look: async () => {
        try {
          return [...identity(await who, options), ...diagnoseClock(options.client.clock)];
        } catch (fault) {
          const off = diagnoseClock(options.client.clock).filter(({ status }) => status !== 'ok');
          if (off.length === 0 || !isPluginError(fault)) throw fault;
          return [...off, await faultFinding('AWS', fault, async (each) => cureOfAws(each))];
        }
      },
    },
    others: [
      { subject: 'permissions', look: async () => permissions(options, templates, scope, await who) },
      { subject: 'images', look: () => checkImages(options.ec2, templates, imageOf) },
      { subject: 'subnets', look: () => checkSubnets(options.ec2, templates) },
      { subject: 'quotas', look: async () => diagnoseQuotas(options, templates, await types()) },
      ...(eventQueue === undefined
        ? []
        : [{ subject: 'event queue', look: () => diagnoseEventWay(options, eventQueue) }]),
    ],
  };
};
