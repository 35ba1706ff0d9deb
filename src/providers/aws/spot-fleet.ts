import type {
  AllocationStrategy,
  FleetLaunchTemplateOverridesRequest,
  SpotFleetLaunchSpecification,
  SpotFleetRequestConfigData,
  Tag,
} from '@aws-sdk/client-ec2';
import type { CapacityProvider, LaunchOrder } from '../../application/ports.ts';
import { PluginError } from '../../domain/errors.ts';
import { clientTokenOf } from '../../domain/ids.ts';
import type { PreparedLaunch } from '../../domain/request.ts';
import { expiryMs, fleetTypeOf, offeringOf, onDemandUnits, type Template } from '../../domain/template.ts';
import type { Ec2 } from './ec2.ts';
import { createFleetKeeper, historyErrors, stateWith } from './fleet-keeper.ts';
import { fleetPools, onDemandStrategy, requirementsOf } from './fleet-pools.ts';
import { type LaunchData, type LaunchDataOptions, launchTags, optional, renderLaunchData } from './launch-data.ts';
import type { LaunchTemplates } from './launch-templates.ts';
import { refusalOf } from './refusal.ts';

export interface SpotFleetOptions extends LaunchDataOptions {
  readonly ec2: Ec2;
  readonly launchTemplates: LaunchTemplates;
  readonly clock: () => number;
}

/** What is stored of a RequestSpotFleet call: dates as text. */
interface SpotFleetCall {
  readonly config: Omit<SpotFleetRequestConfigData, 'ValidUntil'>;
  readonly validUntil: string;
}

const isSpotFleetCall = (call: object): call is SpotFleetCall =>
  'config' in call && 'validUntil' in call && typeof call.validUntil === 'string';

/** Spot Fleet has names of its own, and priceCapacityOptimized since 2023. */
const strategies: Readonly<Record<string, AllocationStrategy>> = {
  capacityOptimized: 'capacityOptimized',
  capacityOptimizedPrioritized: 'capacityOptimizedPrioritized',
  diversified: 'diversified',
  lowestPrice: 'lowestPrice',
};

/** One launch specification per pool, with our tags on its instances: Spot Fleet takes them nowhere else. */
const specifications = (
  template: Template,
  { network, ...data }: LaunchData,
  Tags: Tag[],
): SpotFleetLaunchSpecification[] => {
  const { ImageId, KeyName, UserData, EbsOptimized, BlockDeviceMappings, IamInstanceProfile, Placement } = data;
  const { SecurityGroupIds, NetworkInterfaces } = network;
  const tenancy = Placement?.Tenancy;
  const base: SpotFleetLaunchSpecification = {
    ...optional('ImageId', ImageId),
    ...optional('KeyName', KeyName),
    ...optional('UserData', UserData),
    ...optional('EbsOptimized', EbsOptimized),
    ...optional('BlockDeviceMappings', BlockDeviceMappings),
    ...optional('IamInstanceProfile', IamInstanceProfile),
    ...(Placement === undefined
      ? {}
      : { Placement: { ...optional('GroupName', Placement.GroupName), ...optional('Tenancy', tenancy) } }),
    ...(SecurityGroupIds === undefined ? {} : { SecurityGroups: SecurityGroupIds.map((GroupId) => ({ GroupId })) }),
    TagSpecifications: [{ ResourceType: 'instance', Tags }],
  };
  return fleetPools(template).map((pool) => ({
    ...base,
    ...poolFields(pool, NetworkInterfaces),
    ...requirements(template),
  }));
};

const requirements = (template: Template): SpotFleetLaunchSpecification => {
  const { VCpuCount, MemoryMiB, ...rest } = requirementsOf(template) ?? {};
  if (VCpuCount === undefined || MemoryMiB === undefined) return {};
  return {
    InstanceRequirements: {
      ...rest,
      VCpuCount: { Min: VCpuCount.Min ?? 0, ...optional('Max', VCpuCount.Max) },
      MemoryMiB: { Min: MemoryMiB.Min ?? 0, ...optional('Max', MemoryMiB.Max) },
    },
  };
};

const poolFields = (
  { InstanceType, SubnetId = '', WeightedCapacity, MaxPrice }: FleetLaunchTemplateOverridesRequest,
  interfaces: LaunchData['network']['NetworkInterfaces'],
): SpotFleetLaunchSpecification => ({
  ...optional('InstanceType', InstanceType),
  ...optional('WeightedCapacity', WeightedCapacity),
  ...optional('SpotPrice', MaxPrice),
  ...(interfaces === undefined
    ? { SubnetId }
    : { NetworkInterfaces: interfaces.map((each) => ({ ...each, SubnetId })) }),
});

/** Priorities and the administrator's own launch template need the newer form; both cannot stand in one call. */
const launchSource = async (
  options: SpotFleetOptions,
  template: Template,
  tags: Tag[],
): Promise<Pick<SpotFleetRequestConfigData, 'LaunchSpecifications' | 'LaunchTemplateConfigs'>> => {
  if (template.launchTemplateId === undefined) {
    return { LaunchSpecifications: specifications(template, await renderLaunchData(options, template), tags) };
  }
  const { id, version } = await options.launchTemplates.pin(template.launchTemplateId, template.launchTemplateVersion);
  const Overrides = fleetPools(template).map(({ InstanceType, SubnetId, WeightedCapacity, Priority, MaxPrice }) => ({
    ...optional('InstanceType', InstanceType),
    ...optional('SubnetId', SubnetId),
    ...optional('WeightedCapacity', WeightedCapacity),
    ...optional('Priority', Priority),
    ...optional('SpotPrice', MaxPrice),
  }));
  const LaunchTemplateSpecification = { LaunchTemplateId: id, Version: version };
  return { LaunchTemplateConfigs: [{ LaunchTemplateSpecification, Overrides }] };
};

const prepareSpotFleet = async (options: SpotFleetOptions, order: LaunchOrder): Promise<PreparedLaunch> => {
  const { template, count, requestId, attempt } = order;
  const tags = launchTags(order, options);
  const Type = fleetTypeOf(template);
  const clientToken = clientTokenOf(requestId, attempt);
  const onDemand = onDemandUnits(template, count);
  const strategy = strategies[template.allocationStrategy ?? ''] ?? 'priceCapacityOptimized';
  const config: SpotFleetCall['config'] = {
    IamFleetRole: template.fleetRole,
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
    ...(await launchSource(options, template, tags)),
    TagSpecifications: [{ ResourceType: 'spot-fleet-request', Tags: tags }],
  };
  const call: SpotFleetCall = { config, validUntil: new Date(options.clock() + expiryMs(template)).toISOString() };
  return {
    clientToken,
    count,
    makesResource: true,
    pool: `${offeringOf(template)} in ${template.subnetIds.join(', ')}`,
    call: { ...call },
  };
};

/** Capacity by Spot Fleet, for templates with a fleet role. AWS advises EC2 Fleet instead and adds nothing to this API. */
export const createSpotFleetProvider = (options: SpotFleetOptions): CapacityProvider => {
  const { ec2 } = options;
  return {
    prepare: async (order) => (order.attempt === 0 ? prepareSpotFleet(options, order) : undefined),

    launch: async (launch) => {
      const { call } = launch;
      if (!isSpotFleetCall(call)) {
        throw new PluginError('storage.unreadable', `launch ${launch.clientToken} holds no RequestSpotFleet call`);
      }
      const { config, validUntil } = call;
      try {
        const id = await ec2.requestSpotFleet({ ...config, ValidUntil: new Date(validUntil) });
        const refills = config.Type === 'maintain';
        const expiresAt = Date.parse(validUntil);
        const resource = { kind: 'SpotFleet' as const, id, refills, seeks: true, ours: true, expiresAt };
        return { machines: [], resource, tryNextPool: false };
      } catch (error) {
        return { machines: [], refusal: refusalOf(error, launch), tryNextPool: false };
      }
    },

    keeper: createFleetKeeper({
      state: stateWith(ec2.spotFleetState),
      errors: async ({ id, createdAt }) => historyErrors(await ec2.spotFleetErrors(id, new Date(createdAt))),
      modify: ec2.modifySpotFleet,
      cancel: ec2.cancelSpotFleet,
      deleteLaunchTemplate: ec2.deleteLaunchTemplate,
    }),
  };
};
