import type { AllocationStrategy, LaunchTemplateOverrides, SpotFleetRequestConfigData } from '@aws-sdk/client-ec2';
import type { CapacityProvider, LaunchOrder } from '../../../application/ports/capacity.ts';
import { PluginError } from '../../../domain/errors.ts';
import { clientTokenOf } from '../../../domain/ids.ts';
import type { PreparedLaunch } from '../../../domain/request/events.ts';
import { expiryMs, fleetTypeOf, offeringOf, onDemandUnits } from '../../../domain/template/template.ts';
import type { Ec2 } from '../services/ec2.ts';
import { required } from '../wire/aws-answer.ts';
import {
  checkItems,
  createFleetKeeper,
  discardRefused,
  type FleetCalls,
  lives,
  mostOfHistory,
  stateOf,
} from './fleet-keeper.ts';
import { type FleetPools, fleetPools, onDemandStrategy, type PoolFacts, subnetsText } from './fleet-pools.ts';
import { type LaunchDataOptions, launchTags, optional } from './launch-data.ts';
import { type LaunchTemplates, launchTemplateFor } from './launch-templates.ts';
import { withRawFields } from './raw-fields.ts';
import { refusalOf } from './refusal.ts';
import { resourceOf } from './resource.ts';

export interface SpotFleetOptions extends LaunchDataOptions, Pick<PoolFacts, 'zonesOf'> {
  readonly ec2: Ec2;
  readonly launchTemplates: LaunchTemplates;
  readonly clock: () => number;
  /** The ARN of a role by its name; without one, of the account's own role for Spot Fleet. */
  readonly roleArn: (name: string | undefined) => Promise<string>;
}

/** What is stored of a RequestSpotFleet call: dates as text. */
interface SpotFleetCall {
  readonly config: Omit<SpotFleetRequestConfigData, 'ValidUntil'>;
  readonly validUntil: string;
  /** Made for this request alone. */
  readonly launchTemplateId: string;
}

const isSpotFleetCall = (call: object): call is SpotFleetCall =>
  'config' in call && 'launchTemplateId' in call && 'validUntil' in call && typeof call.validUntil === 'string';

/** Spot Fleet has names of its own, and priceCapacityOptimized since 2023. */
const strategies: Readonly<Record<string, AllocationStrategy>> = {
  capacityOptimized: 'capacityOptimized',
  capacityOptimizedPrioritized: 'capacityOptimizedPrioritized',
  diversified: 'diversified',
  lowestPrice: 'lowestPrice',
};

/** The pools in Spot Fleet's words. */
const overrides = (pools: FleetPools['pools']): LaunchTemplateOverrides[] =>
  pools.map(({ InstanceType, SubnetId, WeightedCapacity, Priority, MaxPrice, InstanceRequirements }) => ({
    ...optional('InstanceType', InstanceType),
    ...optional('SubnetId', SubnetId),
    ...optional('WeightedCapacity', WeightedCapacity),
    ...optional('Priority', Priority),
    ...optional('SpotPrice', MaxPrice),
    ...optional('InstanceRequirements', InstanceRequirements),
  }));

const prepareSpotFleet = async (options: SpotFleetOptions, order: LaunchOrder): Promise<PreparedLaunch> => {
  const { template, count, requestId, earlier } = order;
  const tags = launchTags(order, options);
  const Type = fleetTypeOf(template);
  const clientToken = clientTokenOf(requestId, earlier.length);
  const { fleetRole } = template;
  const role = fleetRole?.startsWith('arn:') === true ? fleetRole : await options.roleArn(fleetRole);
  const onDemand = onDemandUnits(template, count);
  const strategy = strategies[template.allocationStrategy ?? ''] ?? 'priceCapacityOptimized';
  // Spot Fleet tags instances, and takes priorities and on-demand capacity, by a launch template only: one of the request's own.
  const launchTemplate = await launchTemplateFor(options, template, { tags, launched: tags });
  const LaunchTemplateSpecification = { LaunchTemplateId: launchTemplate.id, Version: launchTemplate.version };
  const { pools } = await fleetPools(options, order);
  const config: SpotFleetCall['config'] = {
    IamFleetRole: role,
    ClientToken: clientToken,
    Type,
    TargetCapacity: count,
    ...(onDemand > 0 ? { OnDemandTargetCapacity: onDemand } : {}),
    AllocationStrategy: strategy,
    OnDemandAllocationStrategy: onDemandStrategy(template) === 'prioritized' ? 'prioritized' : 'lowestPrice',
    ...(strategy === 'lowestPrice' ? optional('InstancePoolsToUseCount', template.poolsCount) : {}),
    // With true, the hosts would die with the request.
    TerminateInstancesWithExpiration: false,
    ...(Type === 'maintain'
      ? { ReplaceUnhealthyInstances: false, ExcessCapacityTerminationPolicy: 'noTermination' as const }
      : {}),
    LaunchTemplateConfigs: [{ LaunchTemplateSpecification, Overrides: overrides(pools) }],
    TagSpecifications: [{ ResourceType: 'spot-fleet-request', Tags: tags }],
  };
  const call: SpotFleetCall = {
    config: withRawFields(config, template.providerApiSpec),
    validUntil: new Date(options.clock() + expiryMs(template)).toISOString(),
    launchTemplateId: launchTemplate.id,
  };
  return {
    clientToken,
    count,
    makesResource: true,
    pool: `${offeringOf(template)} in ${subnetsText(pools)}`,
    call: { ...call },
  };
};

/** Capacity by Spot Fleet, for templates that name it or a fleet role. AWS advises EC2 Fleet instead and adds nothing to this API. */
export const createSpotFleetProvider = (options: SpotFleetOptions): CapacityProvider => ({
  prepare: async (order) => (order.earlier.length === 0 ? prepareSpotFleet(options, order) : undefined),

  launch: async (launch, isRepeat = false) => {
    const { call } = launch;
    if (!isSpotFleetCall(call)) {
      throw new PluginError('storage.unreadable', `launch ${launch.clientToken} holds no RequestSpotFleet call`);
    }
    const { config, validUntil, launchTemplateId } = call;
    try {
      const { SpotFleetRequestId } = await options.ec2.change('RequestSpotFleet', {
        SpotFleetRequestConfig: { ...config, ValidUntil: new Date(validUntil) },
      });
      const id = required('RequestSpotFleet', 'id', SpotFleetRequestId);
      const facts = { refills: config.Type === 'maintain', expiresAt: Date.parse(validUntil), launchTemplateId };
      return { machines: [], resource: resourceOf('SpotFleet', id, facts), tryNextPool: false };
    } catch (error) {
      const refusal = refusalOf(error, launch);
      await discardRefused(options, refusal, isRepeat, launchTemplateId);
      return { machines: [], refusal, tryNextPool: false };
    }
  },

  keeper: createFleetKeeper('SpotFleet', spotFleetCalls(options.ec2), options),
});

const spotFleetCalls = (ec2: Ec2): FleetCalls => ({
  state: async (id) => {
    const { SpotFleetRequestConfigs = [] } = await ec2.read('DescribeSpotFleetRequests', { SpotFleetRequestIds: [id] });
    const [fleet] = SpotFleetRequestConfigs;
    const { TargetCapacity = 0, FulfilledCapacity } = fleet?.SpotFleetRequestConfig ?? {};
    return fleet && stateOf(fleet.SpotFleetRequestState, TargetCapacity, FulfilledCapacity);
  },
  errors: (id, since) => {
    const input = { SpotFleetRequestId: id, EventType: 'error' as const, StartTime: since };
    return ec2.readAll('DescribeSpotFleetRequestHistory', input, (page) => page.HistoryRecords, mostOfHistory);
  },
  modify: async (id, { total, onDemand }) => {
    await ec2.change('ModifySpotFleetRequest', {
      SpotFleetRequestId: id,
      TargetCapacity: total,
      OnDemandTargetCapacity: onDemand,
      ExcessCapacityTerminationPolicy: 'noTermination',
    });
  },
  cancel: async (id) => {
    const action = 'CancelSpotFleetRequests';
    const answer = await ec2.change(action, { SpotFleetRequestIds: [id], TerminateInstances: false });
    checkItems(action, answer.UnsuccessfulFleetRequests);
  },
  members: (id) =>
    ec2.readAll('DescribeSpotFleetInstances', { SpotFleetRequestId: id }, ({ ActiveInstances }) => ActiveInstances),
  listed: async () => {
    const all = await ec2.readAll('DescribeSpotFleetRequests', {}, (page) => page.SpotFleetRequestConfigs);
    return all
      .filter(({ SpotFleetRequestState }) => lives(SpotFleetRequestState))
      .map(({ SpotFleetRequestId: id, SpotFleetRequestConfig: config, Tags: tags }) => ({
        id,
        tags,
        refills: config?.Type === 'maintain',
      }));
  },
});
