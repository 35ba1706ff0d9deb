import type {
  CreateAutoScalingGroupCommandInput,
  InstanceRequirements,
  InstancesDistribution,
  LaunchTemplateOverrides,
} from '@aws-sdk/client-auto-scaling';
import type { LaunchOrder, LaunchReport } from '../../../application/ports/capacity.ts';
import { hasCode, isPluginError, messageOf } from '../../../domain/errors.ts';
import { onDemandUnits, type Template, weightedTypes } from '../../../domain/template/template.ts';
import { onDemandStrategy, requirementsOf, spotStrategy } from './fleet-pools.ts';
import { removeGroup, resize } from './group-members.ts';
import { type LaunchDataOptions, lastingTags, launchTags, optional } from './launch-data.ts';
import { type LaunchTemplates, launchTemplateFor } from './launch-templates.ts';
import { withRawFields } from './raw-fields.ts';
import { isRefusalFault } from './refusal.ts';
import { resourceOf } from './resource.ts';
import type { SharedGroupOptions } from './shared-group.ts';

export interface OwnGroupOptions extends LaunchDataOptions, Pick<SharedGroupOptions, 'autoScaling' | 'ec2'> {
  readonly launchTemplates: LaunchTemplates;
}

/** A group made for one request. */
export interface OwnGroupCall {
  readonly create: CreateAutoScalingGroupCommandInput;
  readonly group: string;
  readonly expiresAt: number;
}

export const isOwnGroupCall = (call: object): call is OwnGroupCall =>
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
export const renderGroup = async (
  options: OwnGroupOptions,
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
export const messageMatches = (error: unknown, text: RegExp): boolean =>
  hasCode(error, 'provider.misconfigured', 'provider.missing') && text.test(`${error.aws?.code} ${error.message}`);

/**
 * A group in which nothing moves by itself: AWS adds what is asked for and replaces or rebalances nothing. It starts empty, so that
 * what is refused on the way leaves no machine behind.
 */
export const createOwnGroup = async (
  options: OwnGroupOptions,
  { create, group, expiresAt }: OwnGroupCall,
): Promise<LaunchReport> => {
  const scaling = await options.autoScaling();
  await scaling.change('CreateAutoScalingGroup', { ...create, DesiredCapacity: 0 }).catch((error: unknown) => {
    if (!messageMatches(error, /AlreadyExists/)) throw error;
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
    await removeGroup({ scaling, ec2: options.ec2, log: options.log, ownership: options }, group, new Set()).catch(
      (trouble: unknown) => options.log.warn('group.left', `${group}: ${messageOf(trouble)}`),
    );
    throw error;
  }
  return { machines: [], resource: resourceOf('ASG', group, { expiresAt }), tryNextPool: false };
};
