import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { ResourceKeeper } from '../../../application/ports/capacity.ts';
import { hasCode, messageOf, PluginError } from '../../../domain/errors.ts';
import type { Shortage } from '../../../domain/request/events.ts';
import { tagKeys } from '../instances/tags.ts';
import type { AutoScaling } from '../services/auto-scaling.ts';
import { createTags } from '../services/ec2.ts';
import { codeIn } from '../wire/error-codes.ts';
import { type createDesiredCapacity, toTags } from './desired-capacity.ts';
import {
  countedMembers,
  groupNamed,
  launchedMembers,
  removeGroup,
  resize,
  terminateMembers,
  unitsIn,
} from './group-members.ts';
import { type LaunchDataOptions, launchTags } from './launch-data.ts';
import { messageMatches } from './own-group.ts';
import { refusalFaultOf } from './refusal.ts';
import { ownedOf } from './resource.ts';
import type { SharedGroupOptions } from './shared-group.ts';

/** Messages of the activities begun since then, ms, that failed; newest first. */
const failuresOf = async (scaling: AutoScaling, name: string, since: number): Promise<readonly string[]> => {
  const { Activities = [] } = await scaling.read('DescribeScalingActivities', {
    AutoScalingGroupName: name,
    MaxRecords: 100,
  });
  return Activities.filter(
    ({ StatusCode, StartTime }) => StatusCode === 'Failed' && (StartTime?.getTime() ?? since) >= since,
  ).map(({ StatusMessage = '' }) => StatusMessage);
};

const groupsTagged = (scaling: AutoScaling, key: string, value: string): Promise<readonly AutoScalingGroup[]> =>
  scaling.readAll(
    'DescribeAutoScalingGroups',
    { Filters: [{ Name: `tag:${key}`, Values: [value] }], MaxRecords: 100 },
    ({ AutoScalingGroups }) => AutoScalingGroups,
  );

/** Why a group lacks capacity: its last failed activity, in AWS's words. */
const failureOf = (message: string): Shortage => {
  const code = codeIn(message) ?? 'ScalingActivityFailed';
  return { code, fault: refusalFaultOf(code, 'provider.capacity'), message };
};

export const createGroupKeeper = (
  options: LaunchDataOptions & SharedGroupOptions,
  desiredCapacity: ReturnType<typeof createDesiredCapacity>,
): ResourceKeeper => {
  const { autoScaling, ec2, log, owner, store } = options;
  const removeKnowing = async (id: string, going: ReadonlySet<string>): ReturnType<typeof removeGroup> => {
    try {
      return await removeGroup({ scaling: await autoScaling(), ec2, log, ownership: { owner, store } }, id, going);
    } catch (error) {
      if (!messageMatches(error, /not found|does not exist/i)) throw error;
      return { done: new Set(), refused: new Map() };
    }
  };
  /** A group that was emptied, and stays for a machine that is not ours, is reported by each sweep. */
  const remove = async (id: string): Promise<void> => {
    const { refused } = await removeKnowing(id, new Set());
    if (refused.size === 0) return;
    const reasons = [...refused].map(([machineId, reason]) => `${machineId}: ${reason}`).join('; ');
    throw new PluginError(
      'provider.misconfigured',
      `Auto Scaling group ${id} still holds machines of ours, ${reasons}`,
    );
  };
  /** Never below its members: AWS would pick which of them to end. */
  const shrink = async (id: string, total: number): Promise<void> => {
    const scaling = await autoScaling();
    const group = await groupNamed(scaling, id);
    const least = Math.max(total, unitsIn(countedMembers(group)));
    if (group !== undefined && least < (group.DesiredCapacity ?? 0)) await resize(scaling, id, least);
  };
  /** A group that may not be deleted looks for nothing more all the same. */
  const endEmpty = async (id: string): Promise<'holding' | 'deleted'> => {
    try {
      await remove(id);
      return 'deleted';
    } catch (error) {
      if (!hasCode(error, 'provider.denied')) throw error;
      await shrink(id, 0);
      log.warn('group.left', `Auto Scaling group ${id} may not be deleted: ${messageOf(error)}`);
      return 'holding';
    }
  };
  return {
    look: async (resource) => {
      if (!resource.ours) return desiredCapacity.look(resource);
      const group = await groupNamed(await autoScaling(), resource.id);
      if (group === undefined) return { state: 'missing', machineIds: [] };
      return { state: 'active', machineIds: [], members: launchedMembers(group) };
    },
    members: async ({ id, ours }) => (ours ? launchedMembers(await groupNamed(await autoScaling(), id)) : []),
    tag: async ({ adoption }, machineIds, order) => {
      const tags = adoption === undefined ? launchTags(order, options) : toTags(adoption.tags);
      await createTags(ec2, machineIds, tags);
    },
    explain: async ({ id, ours, createdAt }) => {
      // The activities of six weeks are in a group of the administrator's. AWS may begin one before it answers the launch.
      const [message] = await failuresOf(await autoScaling(), id, ours ? 0 : createdAt - 60_000);
      return message === undefined ? undefined : failureOf(message);
    },
    end: async (resource, { total }, isShort) => {
      if (!resource.ours) await desiredCapacity.end(resource);
      else if (total === 0) return endEmpty(resource.id);
      else if (isShort) await shrink(resource.id, total);
      return 'holding';
    },
    aim: async () => undefined,
    terminate: async (resource, machineIds, { total }) => {
      if (!resource.ours) await desiredCapacity.want(resource, total);
      // The last ones go with their group: their weights may be more than what the group may shrink by.
      if (resource.ours && total === 0) {
        const { done } = await removeKnowing(resource.id, new Set(machineIds));
        return { done, refused: new Map() };
      }
      const { done, refused } = await terminateMembers(await autoScaling(), resource.id, machineIds);
      // In a group of ours nothing is replaced, whoever terminates it.
      return { done, refused: resource.ours ? new Map() : refused };
    },
    remove: async ({ id, ours }) => {
      if (ours) await remove(id);
    },
    owned: async () => {
      const groups = await groupsTagged(await autoScaling(), tagKeys.owner, owner);
      const listed = groups
        .filter(({ Status }) => Status === undefined)
        .map((group) => {
          const living = countedMembers(group).filter(({ isHealthy }) => isHealthy);
          return { id: group.AutoScalingGroupName, tags: group.Tags, members: living.map(({ id }) => id) };
        });
      return ownedOf('ASG', listed, { owner, store });
    },
  };
};
