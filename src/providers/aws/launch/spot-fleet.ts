import type {
  AllocationStrategy,
  InstanceRequirements,
  LaunchTemplateOverrides,
  SpotFleetRequestConfigData,
} from '@aws-sdk/client-ec2';
import type { CapacityProvider, LaunchOrder } from '../../../application/ports/capacity.ts';
import { PluginError } from '../../../domain/errors.ts';
import { clientTokenOf } from '../../../domain/ids.ts';
import type { PreparedLaunch } from '../../../domain/request/events.ts';
import { withRawFields } from '../../../domain/template/raw-fields.ts';
import { expiryMs, fleetTypeOf, offeringOf, onDemandUnits, type Template } from '../../../domain/template/template.ts';
import { readMark } from '../instances/tags.ts';
import type { Ec2 } from '../services/ec2.ts';
import { createFleetKeeper, discardRefused, historyErrors, stateWith } from './fleet-keeper.ts';
import { type FleetPools, fleetPools, onDemandStrategy, type PoolFacts, subnetsText } from './fleet-pools.ts';
import { type LaunchDataOptions, launchTags, optional } from './launch-data.ts';
import { type LaunchTemplates, launchTemplateFor } from './launch-templates.ts';
import { refusalOf } from './refusal.ts';

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

const isRequirements = (value: object): value is InstanceRequirements => 'VCpuCount' in value && 'MemoryMiB' in value;

/** The pools in Spot Fleet's words. */
const overrides = (template: Template, pools: FleetPools['pools']): LaunchTemplateOverrides[] => {
  const requirements: object = template.abisInstanceRequirements ?? {};
  return pools.map(({ InstanceType, SubnetId, WeightedCapacity, Priority, MaxPrice }) => ({
    ...optional('InstanceType', InstanceType),
    ...optional('SubnetId', SubnetId),
    ...optional('WeightedCapacity', WeightedCapacity),
    ...optional('Priority', Priority),
    ...optional('SpotPrice', MaxPrice),
    ...optional('InstanceRequirements', isRequirements(requirements) ? requirements : undefined),
  }));
};

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
    LaunchTemplateConfigs: [{ LaunchTemplateSpecification, Overrides: overrides(template, pools) }],
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
export const createSpotFleetProvider = (options: SpotFleetOptions): CapacityProvider => {
  const { ec2 } = options;
  return {
    prepare: async (order) => (order.earlier.length === 0 ? prepareSpotFleet(options, order) : undefined),

    launch: async (launch, isRepeat = false) => {
      const { call } = launch;
      if (!isSpotFleetCall(call)) {
        throw new PluginError('storage.unreadable', `launch ${launch.clientToken} holds no RequestSpotFleet call`);
      }
      const { config, validUntil, launchTemplateId } = call;
      const refills = config.Type === 'maintain';
      try {
        const id = await ec2.requestSpotFleet({ ...config, ValidUntil: new Date(validUntil) });
        const expiresAt = Date.parse(validUntil);
        const resource = {
          kind: 'SpotFleet' as const,
          id,
          refills,
          seeks: true,
          ours: true,
          expiresAt,
          launchTemplateId,
        };
        return { machines: [], resource, tryNextPool: false };
      } catch (error) {
        const refusal = refusalOf(error, launch);
        await discardRefused(options, refusal, isRepeat, launchTemplateId);
        return { machines: [], refusal, tryNextPool: false };
      }
    },

    keeper: createFleetKeeper(
      {
        state: stateWith(ec2.spotFleetState),
        errors: async ({ id, createdAt }) => historyErrors(await ec2.spotFleetErrors(id, new Date(createdAt))),
        modify: ec2.modifySpotFleet,
        cancel: ec2.cancelSpotFleet,
        deleteLaunchTemplate: ec2.deleteLaunchTemplate,
        members: ec2.spotFleetInstances,
        mark: (machineIds, order) => ec2.createTags(machineIds, launchTags(order, options)),
        owned: async () =>
          (await ec2.activeSpotFleets())
            .map(({ SpotFleetRequestId: id = '', SpotFleetRequestConfig, Tags = [] }) => ({
              ...readMark(Tags, options),
              resource: {
                kind: 'SpotFleet' as const,
                id,
                refills: SpotFleetRequestConfig?.Type === 'maintain',
                seeks: true,
                ours: true,
                expiresAt: 0,
              },
            }))
            .filter(({ ours }) => ours),
      },
      options.log,
    ),
  };
};
