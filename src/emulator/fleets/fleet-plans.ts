import { required } from '../ec2/action.ts';
import { readTagSpecifications } from '../ec2/tags.ts';
import { type Parameters, readParameters } from '../wire/parameters.ts';
import { invalidCombination } from '../wire/service-error.ts';
import { marketPlan, type Plan } from './plan.ts';
import { type Pool, poolOf, templatePools } from './pools.ts';
import type { FleetRecord, Units } from './record.ts';

/** What an instant fleet may tag; interfaces are tagged by launch templates. */
export const instantTags = ['fleet', 'instance', 'volume'];

/** The target by market; what `TotalTargetCapacity` leaves over goes to the default one. */
export const ec2FleetTarget = (params: Parameters): Units => {
  const spec = params.below('TargetCapacitySpecification');
  const total = required(spec.number('TotalTargetCapacity'), 'TargetCapacitySpecification.TotalTargetCapacity');
  const [onDemand, spot] = [spec.number('OnDemandTargetCapacity') ?? 0, spec.number('SpotTargetCapacity') ?? 0];
  const rest = total - onDemand - spot;
  if (rest < 0)
    throw invalidCombination('On-Demand and Spot target capacity must not exceed the total target capacity');
  return spec.text('DefaultTargetCapacityType') === 'spot'
    ? { 'on-demand': onDemand, spot: spot + rest }
    : { 'on-demand': onDemand + rest, spot };
};

export const ec2FleetPlan = ({ id, order }: FleetRecord): Plan => {
  const params = readParameters(order);
  const [spot, onDemand] = [params.below('SpotOptions'), params.below('OnDemandOptions')];
  const { fleet: _, ...tags } = readTagSpecifications(params, instantTags);
  return {
    pools: templatePools(params.each('LaunchTemplateConfigs')),
    markets: {
      spot: marketPlan(spot.text('AllocationStrategy'), spot.number('InstancePoolsToUseCount'), spot),
      'on-demand': marketPlan(onDemand.text('AllocationStrategy'), 1, onDemand),
    },
    tags: { ...tags, instance: { ...tags['instance'], 'aws:ec2:fleet-id': id } },
    isProtecting: false,
    isBalanced: false,
  };
};

export const spotFleetTarget = (config: Parameters): Units => {
  const total = required(config.number('TargetCapacity'), 'SpotFleetRequestConfig.TargetCapacity');
  const onDemand = config.number('OnDemandTargetCapacity') ?? 0;
  if (onDemand > total) throw invalidCombination('OnDemandTargetCapacity must not exceed TargetCapacity');
  return { 'on-demand': onDemand, spot: total - onDemand };
};

export const spotFleetPools = (config: Parameters): readonly Pool[] => [
  ...config.each('LaunchSpecifications').map((one) => poolOf(one, undefined)),
  ...templatePools(config.each('LaunchTemplateConfigs')),
];

export const spotFleetPlan = ({ id, order }: FleetRecord): Plan => {
  const params = readParameters(order);
  const price = params.text('SpotPrice');
  return {
    pools: spotFleetPools(params).map((pool) => ({ ...pool, maxPrice: pool.maxPrice ?? price })),
    markets: {
      spot: marketPlan(params.text('AllocationStrategy'), params.number('InstancePoolsToUseCount')),
      'on-demand': marketPlan(params.text('OnDemandAllocationStrategy')),
    },
    tags: { instance: { 'aws:ec2spot:fleet-request-id': id } },
    isProtecting: false,
    isBalanced: false,
  };
};
