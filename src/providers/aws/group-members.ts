import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { hasCode } from '../../domain/errors.ts';
import type { AutoScaling } from './auto-scaling.ts';

export interface GroupMember {
  readonly id: string;
  /** Its weight in the group; 1 where the group has none. */
  readonly units: number;
}

/** Instances of a group that are there or on their way. */
export const liveMembers = (group: AutoScalingGroup | undefined): readonly GroupMember[] =>
  (group?.Instances ?? []).flatMap(({ InstanceId, LifecycleState = '', WeightedCapacity }) =>
    InstanceId === undefined || LifecycleState.startsWith('Terminat')
      ? []
      : [{ id: InstanceId, units: Number(WeightedCapacity ?? 1) }],
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
const oneByOne = async (ids: readonly string[], act: (ids: readonly string[]) => Promise<void>): Promise<void> => {
  try {
    await act(ids);
  } catch (error) {
    if (ids.length === 1 || !hasCode(error, 'provider.misconfigured', 'provider.missing', 'provider.transient'))
      throw error;
    for (const id of ids) await act([id]);
  }
};

/**
 * Terminates members of a group so that it does not replace them: the desired capacity falls with each. Answers with those that
 * were members.
 */
export const terminateMembers = async (
  scaling: AutoScaling,
  group: string,
  machineIds: readonly string[],
): Promise<ReadonlySet<string>> => {
  const members = new Set(liveMembers(await scaling.group(group)).map(({ id }) => id));
  const ids = machineIds.filter((id) => members.has(id));
  await inChunks(ids, mostToUnprotect, (chunk) => scaling.unprotect(group, chunk));
  await inChunks(ids, mostToTerminate, (chunk) => oneByOne(chunk, (few) => scaling.terminate(group, few)));
  return new Set(ids);
};
