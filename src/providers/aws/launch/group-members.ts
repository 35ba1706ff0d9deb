import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { Terminated } from '../../../application/ports/capacity.ts';
import type { Logger } from '../../../application/ports/telemetry.ts';
import { hasCode, messageOf } from '../../../domain/errors.ts';
import type { OwnedObservation } from '../../../domain/machine.ts';
import { toOwnedObservation } from '../instances/observation.ts';
import type { Ownership } from '../instances/tags.ts';
import type { AutoScaling } from '../services/auto-scaling.ts';
import { type Ec2, instancesBy } from '../services/ec2.ts';

export const groupNamed = async (scaling: AutoScaling, name: string): Promise<AutoScalingGroup | undefined> =>
  (await scaling.read('DescribeAutoScalingGroups', { AutoScalingGroupNames: [name] })).AutoScalingGroups?.[0];

export const resize = async (scaling: AutoScaling, name: string, units: number): Promise<void> => {
  await scaling.change('UpdateAutoScalingGroup', { AutoScalingGroupName: name, DesiredCapacity: units });
};

/** From scale-in, or lifts that. At most 50 ids. */
const protect = async (scaling: AutoScaling, name: string, ids: readonly string[], on: boolean): Promise<void> => {
  await scaling.change('SetInstanceProtection', {
    AutoScalingGroupName: name,
    InstanceIds: [...ids],
    ProtectedFromScaleIn: on,
  });
};

/** Terminates instances of a group and lowers its desired capacity by their weights. At most 100 ids. */
const terminate = async (scaling: AutoScaling, name: string, ids: readonly string[]): Promise<void> => {
  const [InstanceId] = ids;
  // One id in the form that older endpoints know too.
  const which = ids.length === 1 ? { InstanceId } : { AutoScalingGroupName: name, InstanceIds: [...ids] };
  await scaling.change('TerminateInstanceInAutoScalingGroup', { ...which, ShouldDecrementDesiredCapacity: true });
};

export interface GroupMember {
  readonly id: string;
  /** Whether scale-in protection can be and has to be lifted: Auto Scaling refuses to for members on their way in or out, and for dead ones. */
  readonly isProtected: boolean;
  /** Not so: the group goes on counting one that died where it may not replace it. */
  readonly isHealthy: boolean;
  /** Its weight in the group; 1 where the group has none. */
  readonly units: number;
}

/** Instances that a group counts: there, on their way, or dead without being replaced. */
export const countedMembers = (group: AutoScalingGroup | undefined): readonly GroupMember[] =>
  (group?.Instances ?? []).flatMap(
    ({ InstanceId, LifecycleState = '', HealthStatus, WeightedCapacity, ProtectedFromScaleIn }) => {
      if (InstanceId === undefined || LifecycleState.startsWith('Terminat')) return [];
      const isHealthy = HealthStatus !== 'Unhealthy';
      const isProtected = ProtectedFromScaleIn === true && LifecycleState === 'InService' && isHealthy;
      return [{ id: InstanceId, isProtected, isHealthy, units: Number(WeightedCapacity ?? 1) }];
    },
  );

/** Living members that the group launched itself: what somebody attached to it has not its launch template. */
export const launchedMembers = (group: AutoScalingGroup | undefined): readonly string[] => {
  const { LaunchTemplateId } = group?.MixedInstancesPolicy?.LaunchTemplate?.LaunchTemplateSpecification ?? {};
  return (group?.Instances ?? []).flatMap(({ InstanceId, LifecycleState = '', HealthStatus, LaunchTemplate }) => {
    const isOwn = LaunchTemplateId !== undefined && LaunchTemplate?.LaunchTemplateId === LaunchTemplateId;
    const lives = HealthStatus !== 'Unhealthy' && !LifecycleState.startsWith('Terminat');
    return InstanceId !== undefined && isOwn && lives ? [InstanceId] : [];
  });
};

/** Units of members. */
export const unitsIn = (members: readonly GroupMember[]): number => members.reduce((sum, { units }) => sum + units, 0);

// Auto Scaling: ids per call.
const [mostToUnprotect, mostToTerminate] = [50, 100];
/** EC2: values per filter. */
const mostToDescribe = 200;

const inChunks = async (
  ids: readonly string[],
  size: number,
  act: (chunk: readonly string[]) => Promise<void>,
): Promise<void> => {
  for (let from = 0; from < ids.length; from += size) await act(ids.slice(from, from + size));
};

/** Members of a group by id, as far as EC2 shows them. */
export const lookAtMembers = async (
  ec2: Pick<Ec2, 'readAll'>,
  members: readonly GroupMember[],
  ownership: Ownership,
): Promise<ReadonlyMap<string, OwnedObservation>> => {
  const seen = new Map<string, OwnedObservation>();
  await inChunks(
    members.map(({ id }) => id),
    mostToDescribe,
    async (chunk) => {
      for (const instance of await instancesBy(ec2, [{ Name: 'instance-id', Values: [...chunk] }])) {
        const observation = toOwnedObservation(instance, ownership);
        seen.set(observation.machineId, observation);
      }
    },
  );
  return seen;
};

/** Members of a group that are not known to be ours: without our tag, or not shown by EC2. A dead one is nobody's any more. */
const strangersIn = async (
  ec2: Pick<Ec2, 'readAll'>,
  members: readonly GroupMember[],
  ownership: Ownership,
): Promise<readonly GroupMember[]> => {
  const seen = await lookAtMembers(ec2, members, ownership);
  return members.filter(({ id, isHealthy }) => {
    const observation = seen.get(id);
    return observation === undefined ? isHealthy : !(observation.ours || isGone(observation));
  });
};

const isGone = ({ state }: OwnedObservation): boolean => state === 'terminated' || state === 'shutting-down';

/**
 * Deletes a group of ours, and with it its members, of which `going` are known to be ours. One that holds a machine without our
 * tag stays: it looks for nothing more and keeps that machine, and loses all others.
 */
export const removeGroup = async (
  { scaling, ec2, log, ownership }: GroupOptions,
  name: string,
  going: ReadonlySet<string>,
): Promise<Terminated> => {
  const group = await groupNamed(scaling, name);
  if (group === undefined) return { done: new Set(), refused: new Map() };
  const members = countedMembers(group);
  const strangers = await strangersIn(
    ec2,
    members.filter(({ id }) => !going.has(id)),
    ownership,
  );
  if (strangers.length === 0) {
    await scaling.change('DeleteAutoScalingGroup', { AutoScalingGroupName: name, ForceDelete: true });
    return { done: new Set(members.map(({ id }) => id)), refused: new Map() };
  }
  const ids = strangers.map(({ id }) => id);
  log.warn('group.left', `Auto Scaling group ${name} stays, with ${ids.join(', ')}: without our ownership tag`);
  // Whatever happens to the size of the group, they are not what it ends.
  const exposed = strangers.filter(({ isProtected }) => !isProtected).map(({ id }) => id);
  await inChunks(exposed, mostToUnprotect, async (chunk) => {
    await protect(scaling, name, chunk, true).catch((error: unknown) =>
      log.warn('group.unprotected', messageOf(error)),
    );
  });
  const most = unitsIn(members);
  if ((group.DesiredCapacity ?? 0) > most) await resize(scaling, name, most);
  const ours = members.map(({ id }) => id).filter((id) => !ids.includes(id));
  return terminateMembers(scaling, name, ours);
};

interface GroupOptions {
  readonly scaling: AutoScaling;
  readonly ec2: Pick<Ec2, 'readAll'>;
  readonly log: Logger;
  readonly ownership: Ownership;
}

/** Ids are refused together where one is not a member any more; an endpoint of an older API takes one id only. */
const terminateEach = async (
  scaling: AutoScaling,
  group: string,
  ids: readonly string[],
  refused: Map<string, string>,
): Promise<void> => {
  try {
    await terminate(scaling, group, ids);
  } catch (error) {
    if (!hasCode(error, 'provider.misconfigured', 'provider.missing', 'provider.transient')) throw error;
    const [id = ''] = ids;
    if (ids.length === 1) refused.set(id, messageOf(error));
    else for (const each of ids) await terminateEach(scaling, group, [each], refused);
  }
};

/**
 * Terminates members of a group so that it does not replace them: the desired capacity falls with each. Answers with those that
 * are dealt with, and with the group's reason per id refused; what is no member is neither.
 */
export const terminateMembers = async (
  scaling: AutoScaling,
  group: string,
  machineIds: readonly string[],
): Promise<Terminated> => {
  const known = await groupNamed(scaling, group);
  const members = countedMembers(known).filter(({ id }) => machineIds.includes(id));
  const isProtected = members.filter((member) => member.isProtected).map(({ id }) => id);
  await inChunks(isProtected, mostToUnprotect, (chunk) => protect(scaling, group, chunk, false));
  const refused = new Map<string, string>();
  const ids = members.map(({ id }) => id);
  const { DesiredCapacity = 0, MinSize = 0 } = known ?? {};
  // At its least size a group is none too large for a dead member.
  const going = members.filter(({ isHealthy, units }) => isHealthy || DesiredCapacity - units >= MinSize);
  await inChunks(
    going.map(({ id }) => id),
    mostToTerminate,
    (chunk) => terminateEach(scaling, group, chunk, refused),
  );
  return { done: new Set(ids.filter((id) => !refused.has(id))), refused };
};
