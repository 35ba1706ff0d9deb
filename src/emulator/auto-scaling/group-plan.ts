import { subnetsOf, zonesOf } from '../ec2/subnets.ts';
import { marketPlan, type Plan, poolOf, templatePools } from '../fleets/plan.ts';
import type { FleetRecord, Units } from '../fleets/record.ts';
import { type Parameters, readParameters } from '../wire/parameters.ts';
import type { World } from '../world.ts';

const distributionOf = (params: Parameters): Parameters => params.below('MixedInstancesPolicy.InstancesDistribution');

/** On demand the base and its share of what is above it, rounded up; the rest is Spot. */
export const groupTarget = (params: Parameters): Units => {
  const desired = params.number('DesiredCapacity') ?? params.number('MinSize') ?? 0;
  const distribution = distributionOf(params);
  const base = Math.min(desired, distribution.number('OnDemandBaseCapacity') ?? 0);
  const percentage = distribution.number('OnDemandPercentageAboveBaseCapacity') ?? 100;
  const onDemand = base + Math.ceil(((desired - base) * percentage) / 100);
  return { 'on-demand': onDemand, spot: desired - onDemand };
};

const placeForm = (params: Parameters): readonly (readonly [string, string])[] => {
  const subnets = params.text('VPCZoneIdentifier');
  if (subnets !== undefined && subnets !== '') return [['SubnetId', subnets]];
  const zones = params.list('AvailabilityZones');
  return zones.length > 0 ? [['Placement.AvailabilityZone', zones.join(',')]] : [];
};

/** The zones a group spreads over. */
export const groupZones = (world: World, { order }: FleetRecord): readonly string[] => {
  const [[name, value] = ['', '']] = placeForm(readParameters(order));
  if (name === 'SubnetId') return [...new Set(subnetsOf(world, value.split(',')).map(({ zone }) => zone))];
  return name === '' ? zonesOf(world.settings.region).slice(0, 1) : value.split(',');
};

/** The group's own tags that its instances get. */
const propagated = (params: Parameters): Readonly<Record<string, string>> =>
  Object.fromEntries(
    params
      .each('Tag')
      .filter((tag) => tag.flag('PropagateAtLaunch') === true)
      .map((tag) => [tag.text('Key') ?? '', tag.text('Value') ?? '']),
  );

export const groupPlan = ({ id, order }: FleetRecord): Plan => {
  const params = readParameters(order);
  const distribution = distributionOf(params);
  const pools = params.has('MixedInstancesPolicy')
    ? templatePools([params.below('MixedInstancesPolicy.LaunchTemplate')])
    : [poolOf(readParameters([]), params.below('LaunchTemplate'))];
  const maxPrice = distribution.text('SpotMaxPrice');
  return {
    pools: pools.map((pool) => ({ ...pool, form: new Map([...pool.form, ...placeForm(params)]), maxPrice })),
    markets: {
      spot: marketPlan(distribution.text('SpotAllocationStrategy'), distribution.number('SpotInstancePools')),
      'on-demand': marketPlan(distribution.text('OnDemandAllocationStrategy')),
    },
    tags: { instance: { ...propagated(params), 'aws:autoscaling:groupName': id } },
    isProtecting: params.flag('NewInstancesProtectedFromScaleIn') ?? false,
    isBalanced: true,
  };
};
