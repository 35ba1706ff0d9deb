import type { LaunchInstancesCommandOutput } from '@aws-sdk/client-auto-scaling';
import type { Tag } from '@aws-sdk/client-ec2';
import type { LaunchReport } from '../../../application/ports/capacity.ts';
import type { CapacityLedger } from '../../../application/ports/streams.ts';
import type { Logger } from '../../../application/ports/telemetry.ts';
import { hasCode, isPluginError, messageOf } from '../../../domain/errors.ts';
import { clientTokenOf } from '../../../domain/ids.ts';
import type { Observation } from '../../../domain/machine.ts';
import { deniesEarlierSends, type PreparedLaunch, type Resource } from '../../../domain/request/events.ts';
import type { Ownership } from '../instances/tags.ts';
import type { AutoScaling } from '../services/auto-scaling.ts';
import { createTags, type Ec2 } from '../services/ec2.ts';
import { required } from '../wire/aws-answer.ts';
import { claimLaunched, entries } from './group-ledger.ts';
import { terminateMembers } from './group-members.ts';
import { gravest, refusalOf } from './refusal.ts';
import { grantedMachines, unitsOf } from './resource.ts';

/** Machines wanted of an Auto Scaling group of the administrator's. */
export interface SharedGroupCall {
  readonly group: string;
  readonly requestId: string;
  /** Where LaunchInstances is to launch; absent in calls of older versions, which raised the desired capacity. */
  readonly subnetId?: string;
  /** The group's tags are the administrator's: ours come after the launch. */
  readonly tags: readonly Tag[];
  /** Units by instance type; 1 for others. */
  readonly weights: Readonly<Record<string, number>>;
  readonly expiresAt: number;
}

export const isSharedGroupCall = (call: object): call is SharedGroupCall =>
  'requestId' in call && 'group' in call && typeof call.group === 'string' && 'tags' in call;

export interface SharedGroupOptions extends Ownership {
  readonly autoScaling: () => Promise<AutoScaling>;
  readonly ec2: Ec2;
  /** What requests want of a group, and which of its members they have claimed. */
  readonly ledger: (group: string) => CapacityLedger;
  readonly clock: () => number;
  readonly log: Logger;
}

/** LaunchInstances: instances per call. */
const mostPerLaunch = 100;

const machinesOf = ({ Instances = [] }: Pick<LaunchInstancesCommandOutput, 'Instances'>): readonly Observation[] =>
  Instances.flatMap(({ InstanceIds, InstanceType, MarketType }) =>
    grantedMachines(InstanceIds, { instanceType: InstanceType, isSpot: MarketType === 'spot' }),
  );

type Launched = Pick<LaunchReport, 'machines' | 'refusal' | 'tryNextPool'>;

const launchSome = async (
  scaling: AutoScaling,
  launch: PreparedLaunch,
  call: SharedGroupCall,
  { units, token }: { readonly units: number; readonly token: string },
): Promise<Launched> => {
  const { group, subnetId } = call;
  try {
    const answer = await scaling.change('LaunchInstances', {
      AutoScalingGroupName: group,
      RequestedCapacity: units,
      ...(subnetId === undefined ? {} : { SubnetIds: [subnetId] }),
      ClientToken: token,
    });
    required('LaunchInstances', 'instance and no error', answer.Instances?.[0] ?? answer.Errors?.[0]);
    const machines = machinesOf(answer);
    const missing = units - unitsOf(machines, call.weights);
    if (missing <= 0) return { machines, tryNextPool: false };
    const worst = gravest(answer.Errors ?? [], 'provider.capacity');
    const { code = 'PartialGrant', fault = 'provider.capacity' } = worst ?? {};
    const refusal = { missing, code, fault, message: worst?.error.ErrorMessage ?? '', pool: launch.pool };
    return { machines, refusal, tryNextPool: fault === 'provider.capacity' };
  } catch (error) {
    const refusal = refusalOf(error, launch);
    return { machines: [], refusal, tryNextPool: refusal.fault === 'provider.capacity' };
  }
};

/** Calls for all that is wanted, as many instances at a time as the API takes; ends at the first that brings less. */
const launchAll = async (scaling: AutoScaling, launch: PreparedLaunch, call: SharedGroupCall): Promise<Launched> => {
  const machines: Observation[] = [];
  for (let calls = 0; unitsOf(machines, call.weights) < launch.count; calls++) {
    // Weights may have brought more than was asked for.
    const units = Math.min(mostPerLaunch, launch.count - unitsOf(machines, call.weights));
    const token = calls === 0 ? launch.clientToken : `${launch.clientToken}-${calls * mostPerLaunch}`;
    const some = await launchSome(scaling, launch, call, { units, token });
    machines.push(...some.machines);
    const missing = launch.count - unitsOf(machines, call.weights);
    if (some.refusal !== undefined) return { ...some, machines, refusal: { ...some.refusal, missing } };
  }
  return { machines, tryNextPool: false };
};

export const sharedResource = ({ group, requestId, tags, expiresAt }: SharedGroupCall): Resource => ({
  kind: 'ASG',
  id: group,
  refills: true,
  seeks: true,
  ours: false,
  expiresAt,
  adoption: { requestId, tags: tags.map(({ Key = '', Value = '' }) => [Key, Value]) },
});

/** LaunchInstances is not there for us: no permission, or a Region without it. */
const lacksLaunchInstances = (error: { readonly code: string; readonly fault: string } | undefined): boolean =>
  error !== undefined && (error.fault === 'provider.denied' || /InvalidAction|UnknownOperation/.test(error.code));

/**
 * Launches into the group by LaunchInstances: which instances are whose is never a question for whoever hears the answer. For all others
 * the launch is on the ledger until its machines are claimed or tagged. Tells where that API is lacking: for the first launch of a
 * request, which has nothing in the group then.
 */
export const launchIntoGroup = async (
  { autoScaling, ec2, ledger, log }: SharedGroupOptions,
  launch: PreparedLaunch,
  call: SharedGroupCall,
  isRepeat: boolean,
): Promise<LaunchReport & { readonly isLacking?: boolean }> => {
  const scaling = await autoScaling();
  const { group, requestId, tags } = call;
  const groupLedger = ledger(group);
  await groupLedger.update({ templateId: entries.launching, requestId, units: launch.count });
  /** Of a launch that is over, nothing is to be lost for a note that the disk does not take: it only delays others. */
  const note = <T>(work: Promise<T>): Promise<T | undefined> =>
    work.catch((error: unknown) => {
      if (!isPluginError(error)) throw error;
      log.warn('group.unnoted', `Auto Scaling group ${group}: ${messageOf(error)}`, { requestId });
      return undefined;
    });
  const isOver = () => note(groupLedger.update({ templateId: entries.launching, requestId, units: 0 }));
  const report = await launchAll(scaling, launch, call);
  const { refusal } = report;
  if (report.machines.length === 0) {
    // An earlier send may have launched all the same.
    if (isRepeat && refusal !== undefined && !deniesEarlierSends(refusal)) return report;
    const isLacking = launch.clientToken === clientTokenOf(requestId, 0) && lacksLaunchInstances(refusal);
    if (isLacking) await groupLedger.update({ templateId: entries.refused, requestId, units: launch.count });
    await isOver();
    return { ...report, isLacking };
  }
  const launched = report.machines.map(({ machineId }) => machineId);
  const taken = (await note(claimLaunched(groupLedger, requestId, launched))) ?? new Set();
  const machines = report.machines.filter(({ machineId }) => !taken.has(machineId));
  const ids = machines.map(({ machineId }) => machineId);
  const resource = { ...sharedResource(call), seeks: false };
  try {
    if (ids.length > 0) await createTags(ec2, ids, tags);
  } catch (error) {
    // Whatever passes is made up for when the request is looked at; EC2 may not know the instances yet.
    if (!hasCode(error, 'provider.denied')) return { ...report, machines, resource };
    // Hosts without our tags could never be returned.
    await terminateMembers(scaling, group, ids);
    return { machines: [], refusal: refusalOf(error, launch), tryNextPool: false };
  } finally {
    await isOver();
  }
  return { ...report, machines, resource };
};
