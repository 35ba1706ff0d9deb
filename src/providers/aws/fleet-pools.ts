import type {
  FleetLaunchTemplateOverridesRequest,
  FleetOnDemandAllocationStrategy,
  InstanceRequirementsRequest,
  SpotAllocationStrategy,
} from '@aws-sdk/client-ec2';
import { type Offering, promising } from '../../domain/offering.ts';
import { type Template, weightedTypes } from '../../domain/template.ts';
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

/** EC2's own field names, checked by EC2: the schema asks only for the two it requires. */
const isRequirements = (value: object): value is InstanceRequirementsRequest =>
  'VCpuCount' in value && 'MemoryMiB' in value;

const requirementsOf = ({ abisInstanceRequirements }: Template): InstanceRequirementsRequest | undefined =>
  abisInstanceRequirements !== undefined && isRequirements(abisInstanceRequirements)
    ? abisInstanceRequirements
    : undefined;

/** The market a fleet draws on first. */
const marketOf = ({ priceType }: Template): Offering['market'] => (priceType === 'ondemand' ? 'ondemand' : 'spot');

/** Every type in every subnet: the pools a fleet may draw on, each naming its place so that an error names it too. */
const allPools = (template: Template): FleetLaunchTemplateOverridesRequest[] => {
  const requirements = requirementsOf(template);
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

/** The pools a fleet may draw on, without those that were refused lately as long as others are left. */
export const fleetPools = (template: Template, refused: readonly Offering[]): FleetLaunchTemplateOverridesRequest[] => {
  const market = marketOf(template);
  const offeringOf = ({ InstanceType, SubnetId }: FleetLaunchTemplateOverridesRequest): Offering => ({
    market,
    ...optional('instanceType', InstanceType),
    ...optional('subnetId', SubnetId),
  });
  return [...promising(allPools(template), refused, offeringOf)];
};
