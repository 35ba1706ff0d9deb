import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { Terminated } from '../../application/ports.ts';
import { hasCode, messageOf } from '../../domain/errors.ts';
import type { AutoScaling } from './auto-scaling.ts';

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

// Auto Scaling: ids per call.
const [mostToUnprotect, mostToTerminate] = [50, 100];

const inChunks = async (
  ids: readonly string[],
  size: number,
  act: (chunk: readonly string[]) => Promise<void>,
): Promise<void> => {
  for (let from = 0; from < ids.length; from += size) await act(ids.slice(from, from + size));
};

/** Ids are refused together where one is not a member any more; an endpoint of an older API takes one id only. */
const terminateEach = async (
  scaling: AutoScaling,
  group: string,
  ids: readonly string[],
  refused: Map<string, string>,
): Promise<void> => {
  try {
    await scaling.terminate(group, ids);
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
  const members = countedMembers(await scaling.group(group)).filter(({ id }) => machineIds.includes(id));
  const isProtected = members.filter((member) => member.isProtected).map(({ id }) => id);
  await inChunks(isProtected, mostToUnprotect, (chunk) => scaling.unprotect(group, chunk));
  const refused = new Map<string, string>();
  const ids = members.map(({ id }) => id);
  await inChunks(ids, mostToTerminate, (chunk) => terminateEach(scaling, group, chunk, refused));
  return { done: new Set(ids.filter((id) => !refused.has(id))), refused };
};
