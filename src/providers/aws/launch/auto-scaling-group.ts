import type {
  AutoScalingGroup,
  CreateAutoScalingGroupCommandInput,
  InstanceRequirements,
  InstancesDistribution,
  LaunchTemplateOverrides,
} from '@aws-sdk/client-auto-scaling';
import type {
  CapacityProvider,
  LaunchOrder,
  LaunchReport,
  ResourceKeeper,
} from '../../../application/ports/capacity.ts';
import { hasCode, isPluginError, messageOf, PluginError } from '../../../domain/errors.ts';
import { clientTokenOf } from '../../../domain/ids.ts';
import type { PreparedLaunch, Shortage } from '../../../domain/request/events.ts';
import { withRawFields } from '../../../domain/template/raw-fields.ts';
import {
  expiryMs,
  offeringOf,
  onDemandUnits,
  type Template,
  weightedTypes,
} from '../../../domain/template/template.ts';
import { tagKeys } from '../instances/tags.ts';
import type { AutoScaling } from '../services/auto-scaling.ts';
import { createTags } from '../services/ec2.ts';
import { codeIn } from '../wire/error-codes.ts';
import { onDemandStrategy, requirementsOf, spotStrategy } from './fleet-pools.ts';
import {
  countedMembers,
  groupNamed,
  launchedMembers,
  removeGroup,
  resize,
  terminateMembers,
  unitsIn,
} from './group-members.ts';
import { type LaunchDataOptions, lastingTags, launchTags, optional } from './launch-data.ts';
import { type LaunchTemplates, launchTemplateFor, renewed } from './launch-templates.ts';
import { isRefusalFault, refusalFaultOf, refusalOf } from './refusal.ts';
import { ownedOf, resourceOf } from './resource.ts';
import {
  createDesiredCapacity,
  isSharedGroupCall,
  launchIntoGroup,
  type SharedGroupCall,
  type SharedGroupOptions,
  toTags,
} from './shared-group.ts';

export interface AutoScalingGroupOptions extends LaunchDataOptions, SharedGroupOptions {
  readonly launchTemplates: LaunchTemplates;
}

/** For a group made for one request: once more where its launch template was gone. */
const mostAttempts = 2;

/** A group made for one request. */
interface OwnGroupCall {
  readonly create: CreateAutoScalingGroupCommandInput;
  readonly group: string;
  readonly expiresAt: number;
}

const isOwnGroupCall = (call: object): call is OwnGroupCall =>
  'create' in call && 'group' in call && typeof call.group === 'string';

/** Types in the order of their priority: a group has no other way to tell it. */
const overrides = (template: Template): LaunchTemplateOverrides[] => {
  const requirements = requirementsOf<InstanceRequirements>(template);
  if (requirements !== undefined) return [{ InstanceRequirements: requirements }];
  const priority = (type: string): number => template.vmTypesPriority?.[type] ?? Number.MAX_VALUE;
  return weightedTypes(template)
    .toSorted(([a], [b]) => priority(a) - priority(b))
    .map(([InstanceType, weight]) => ({
      InstanceType,
      ...(template.vmTypes === undefined ? {} : { WeightedCapacity: String(weight) }),
    }));
};

/** The on-demand part as a number, where a percentage would be rounded as AWS likes. */
const distribution = (template: Template, count: number): InstancesDistribution => {
  const isOnDemand = template.priceType === 'ondemand';
  const strategy = spotStrategy(template);
  return {
    OnDemandAllocationStrategy: onDemandStrategy(template),
    OnDemandBaseCapacity: isOnDemand ? 0 : onDemandUnits(template, count),
    OnDemandPercentageAboveBaseCapacity: isOnDemand ? 100 : 0,
    // Groups know no diversified strategy.
    SpotAllocationStrategy: strategy === 'diversified' ? 'price-capacity-optimized' : strategy,
    ...(strategy === 'lowest-price' ? optional('SpotInstancePools', template.poolsCount) : {}),
    ...(isOnDemand ? {} : optional('SpotMaxPrice', template.maxSpotPrice)),
  };
};

/** A group for one request: its name is derived from the request id, so a retry collides instead of doubling. */
const renderGroup = async (
  options: AutoScalingGroupOptions,
  order: LaunchOrder,
  name: string,
): Promise<CreateAutoScalingGroupCommandInput> => {
  const { template, count } = order;
  // The group's tags reach instances alone.
  const launched = launchTags(order, options);
  const { id, version } = await launchTemplateFor(options, template, { tags: lastingTags(launched), launched });
  const group: CreateAutoScalingGroupCommandInput = {
    AutoScalingGroupName: name,
    MinSize: 0,
    MaxSize: count,
    DesiredCapacity: count,
    VPCZoneIdentifier: template.subnetIds.join(','),
    NewInstancesProtectedFromScaleIn: true,
    CapacityRebalance: false,
    MixedInstancesPolicy: {
      LaunchTemplate: {
        LaunchTemplateSpecification: { LaunchTemplateId: id, Version: version },
        Overrides: overrides(template),
      },
      InstancesDistribution: distribution(template, count),
    },
    Tags: launched.map(({ Key, Value }) => ({
      Key,
      Value,
      PropagateAtLaunch: true,
      ResourceId: name,
      ResourceType: 'auto-scaling-group',
    })),
  };
  return withRawFields(group, template.providerApiSpec);
};

/** AWS says in words that a name is taken or unknown. */
const says = (error: unknown, text: RegExp): boolean =>
  hasCode(error, 'provider.misconfigured', 'provider.missing') && text.test(`${error.aws?.code} ${error.message}`);

/**
 * A group in which nothing moves by itself: AWS adds what is asked for and replaces or rebalances nothing. It starts empty, so that
 * what is refused on the way leaves no machine behind.
 */
const createOwnGroup = async (
  options: AutoScalingGroupOptions,
  { create, group, expiresAt }: OwnGroupCall,
): Promise<LaunchReport> => {
  const scaling = await options.autoScaling();
  await scaling.change('CreateAutoScalingGroup', { ...create, DesiredCapacity: 0 }).catch((error: unknown) => {
    if (!says(error, /AlreadyExists/)) throw error;
  });
  try {
    await scaling.change('SuspendProcesses', {
      AutoScalingGroupName: group,
      ScalingProcesses: ['AZRebalance', 'ReplaceUnhealthy'],
    });
    await resize(scaling, group, create.DesiredCapacity ?? 0);
  } catch (error) {
    // Only what AWS has refused for good: after any other fault the same call goes out again and finds the group.
    if (!isPluginError(error) || !isRefusalFault(error.code) || error.code === 'provider.unreachable') throw error;
    // One that stays is found by the sweep.
    await removeGroup({ scaling, ec2: options.ec2, log: options.log, mark: options }, group, new Set()).catch(
      (trouble: unknown) => options.log.warn('group.left', `${group}: ${messageOf(trouble)}`),
    );
    throw error;
  }
  return { machines: [], resource: resourceOf('ASG', group, { expiresAt }), tryNextPool: false };
};

/** Capacity by Auto Scaling: a group per request, or machines added to a group of the administrator's. */
export const createAutoScalingGroupProvider = (options: AutoScalingGroupOptions): CapacityProvider => {
  const desiredCapacity = createDesiredCapacity(options);
  /** Groups into which this process may not launch by LaunchInstances. */
  const unlaunchable = new Set<string>();

  const prepareShared = (order: LaunchOrder, group: string, expiresAt: number): SharedGroupCall | undefined => {
    const { template, requestId, earlier } = order;
    const subnetId = template.subnetIds[earlier.length];
    if (subnetId === undefined && !unlaunchable.has(group)) return undefined;
    return {
      group,
      requestId,
      ...(unlaunchable.has(group) ? {} : optional('subnetId', subnetId)),
      tags: launchTags(order, options),
      weights: template.vmTypes ?? {},
      expiresAt,
    };
  };

  const launchShared = async (launch: PreparedLaunch, call: SharedGroupCall): Promise<LaunchReport> => {
    if (call.subnetId === undefined) return desiredCapacity.launch(launch, call);
    const { isLacking = false, ...report } = await launchIntoGroup(options, launch, call);
    if (!isLacking) return report;
    unlaunchable.add(call.group);
    options.log.warn('group.desired-capacity', `LaunchInstances is not to be had: ${report.refusal?.message ?? ''}`, {
      group: call.group,
    });
    return { ...report, tryNextPool: true };
  };

  const launchOwn = async (launch: PreparedLaunch, call: OwnGroupCall): Promise<LaunchReport> => {
    try {
      return await createOwnGroup(options, call);
    } catch (error) {
      const { LaunchTemplateId = '' } =
        call.create.MixedInstancesPolicy?.LaunchTemplate?.LaunchTemplateSpecification ?? {};
      const report = { machines: [], refusal: refusalOf(error, launch), tryNextPool: false };
      return renewed(options.launchTemplates, LaunchTemplateId, report);
    }
  };

  return {
    prepare: async (order) => {
      const { template, count, requestId, earlier } = order;
      const shared = template.autoScalingGroupName;
      const group = shared ?? `hf-aws-${requestId}`;
      const expiresAt = options.clock() + expiryMs(template);
      const own = async () => ({ create: await renderGroup(options, order, group), group, expiresAt });
      if (shared === undefined && earlier.length >= mostAttempts) return undefined;
      const call = shared === undefined ? await own() : prepareShared(order, group, expiresAt);
      if (call === undefined) return undefined;
      const pool = `${offeringOf(template)} in ${group}`;
      return {
        clientToken: clientTokenOf(requestId, earlier.length),
        count,
        makesResource: true,
        pool,
        call: { ...call },
      };
    },

    launch: async (launch) => {
      const { call } = launch;
      if (isOwnGroupCall(call)) return launchOwn(launch, call);
      if (isSharedGroupCall(call)) return launchShared(launch, call);
      throw new PluginError('storage.unreadable', `launch ${launch.clientToken} holds no group`);
    },

    keeper: createGroupKeeper(options, desiredCapacity),
  };
};

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

const createGroupKeeper = (
  options: AutoScalingGroupOptions,
  desiredCapacity: ReturnType<typeof createDesiredCapacity>,
): ResourceKeeper => {
  const { autoScaling, ec2, log, owner, store } = options;
  const removeKnowing = async (id: string, going: ReadonlySet<string>): ReturnType<typeof removeGroup> => {
    try {
      return await removeGroup({ scaling: await autoScaling(), ec2, log, mark: { owner, store } }, id, going);
    } catch (error) {
      if (!says(error, /not found|does not exist/i)) throw error;
      return { done: new Set(), refused: new Map() };
    }
  };
  /** One that was emptied and stays for a machine that is not ours is told by the sweep, which goes on seeing it. */
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
    mark: async ({ adoption }, machineIds, order) => {
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
