import { createHash } from 'node:crypto';
import type {
  FleetLaunchTemplateOverridesRequest,
  FleetOnDemandAllocationStrategy,
  InstanceRequirementsRequest,
  SpotAllocationStrategy,
} from '@aws-sdk/client-ec2';
import type { LaunchOrder } from '../../../application/ports/capacity.ts';
import type { OfferingMemory } from '../../../application/ports/memory.ts';
import { type Offering, promising } from '../../../domain/offering.ts';
import { type Template, weightedTypes } from '../../../domain/template/template.ts';
import { isInstanceType, optional } from './launch-data.ts';

/** IBM's names of strategies as EC2's. AWS recommends price-capacity-optimized; the API's own default would be lowest-price. */
const spotStrategies: Readonly<Record<string, SpotAllocationStrategy>> = {
  capacityOptimized: 'capacity-optimized',
  capacityOptimizedPrioritized: 'capacity-optimized-prioritized',
  diversified: 'diversified',
  lowestPrice: 'lowest-price',
};

export const spotStrategy = ({ allocationStrategy = '' }: Template): SpotAllocationStrategy =>
  spotStrategies[allocationStrategy] ?? 'price-capacity-optimized';

export const onDemandStrategy = ({ allocationStrategyOnDemand }: Template): FleetOnDemandAllocationStrategy =>
  allocationStrategyOnDemand === 'prioritized' ? 'prioritized' : 'lowest-price';

/** AWS's own field names, checked by AWS: the schema asks only for the two it requires. */
const isRequirements = <R extends object>(value: object): value is R => 'VCpuCount' in value && 'MemoryMiB' in value;

/** What is wanted in place of types, as the API in question calls it: EC2 and Auto Scaling have the same fields. */
export const requirementsOf = <R extends object>({ abisInstanceRequirements: wanted }: Template): R | undefined =>
  wanted !== undefined && isRequirements<R>(wanted) ? wanted : undefined;

/** The market a fleet draws on first. */
const marketOf = ({ priceType }: Template): Offering['market'] => (priceType === 'ondemand' ? 'ondemand' : 'spot');

/** Every type in every subnet: the pools a fleet may draw on, each naming its place so that an error names it too. */
const allPools = (template: Template): FleetLaunchTemplateOverridesRequest[] => {
  const requirements = requirementsOf<InstanceRequirementsRequest>(template);
  const MaxPrice = template.priceType === 'ondemand' ? undefined : template.maxSpotPrice;
  return template.subnetIds.flatMap((SubnetId) => {
    const place = { SubnetId, ...optional('MaxPrice', MaxPrice) };
    if (requirements !== undefined) return [{ ...place, InstanceRequirements: requirements }];
    const types = weightedTypes(template);
    // The types are those of the administrator's launch template.
    if (types.length === 0) return [place];
    return types.map(([type, weight]) => ({
      ...place,
      ...optional('InstanceType', isInstanceType(type) ? type : undefined),
      ...(template.vmTypes === undefined ? {} : { WeightedCapacity: weight }),
      ...optional('Priority', template.vmTypesPriority?.[type]),
    }));
  });
};

/** Subnets with their zones; of a subnet that is not in it nobody knows. */
export type SubnetZones = Readonly<Record<string, string>>;

export interface PoolFacts {
  readonly offerings: Pick<OfferingMemory, 'refused'>;
  readonly zonesOf: (subnetIds: readonly string[]) => Promise<SubnetZones>;
}

/** EC2: overrides of one fleet that tell requirements. */
const mostRequirements = 4;

export interface FleetPools {
  readonly pools: readonly FleetLaunchTemplateOverridesRequest[];
  /** Whether another try would draw on other subnets. */
  readonly hasSpares: boolean;
}

/** Where a request begins among equals, so that requests spread over them. */
const firstOf = (requestId: string): number =>
  Number.parseInt(createHash('sha256').update(requestId).digest('hex').slice(0, 8), 16);

const rotated = <T>(items: readonly T[], by: number): readonly T[] => [
  ...items.slice(by % items.length),
  ...items.slice(0, by % items.length),
];

/**
 * The pools a fleet may draw on: one subnet for each type in a zone, as EC2 takes two for duplicates, the next one at each try. Those
 * that were refused lately are left out as long as others are left.
 */
export const fleetPools = async (
  { offerings, zonesOf }: PoolFacts,
  { template, requestId, earlier }: Pick<LaunchOrder, 'template' | 'requestId' | 'earlier'>,
): Promise<FleetPools> => {
  const market = marketOf(template);
  const offeringOf = ({ InstanceType, SubnetId }: FleetLaunchTemplateOverridesRequest): Offering => ({
    market,
    ...optional('instanceType', InstanceType),
    ...optional('subnetId', SubnetId),
  });
  const [refused, zones] = [await offerings.refused(), await zonesOf(template.subnetIds)];
  const byZone = new Map<string, FleetLaunchTemplateOverridesRequest[]>();
  for (const pool of allPools(template)) {
    const { InstanceType = '', SubnetId = '' } = pool;
    const key = `${InstanceType} ${zones[SubnetId] ?? SubnetId}`;
    byZone.set(key, [...(byZone.get(key) ?? []), pool]);
  }
  const begin = firstOf(requestId) + earlier.length;
  const chosen = [...byZone.values()].flatMap(
    (equals) => promising(rotated(equals, begin), refused, offeringOf)[0] ?? [],
  );
  const pools = promising(chosen, refused, offeringOf);
  const most = template.abisInstanceRequirements === undefined ? pools.length : mostRequirements;
  return {
    pools: pools.length > most ? rotated(pools, begin).slice(0, most) : pools,
    hasSpares: pools.length > most || [...byZone.values()].some((equals) => equals.length > 1),
  };
};

export const subnetsText = (pools: readonly FleetLaunchTemplateOverridesRequest[]): string =>
  [...new Set(pools.map(({ SubnetId }) => SubnetId))].join(', ');
