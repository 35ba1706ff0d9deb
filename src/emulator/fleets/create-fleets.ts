import { once } from '../client-tokens.ts';
import { type Action, action, oneOf, required } from '../ec2/action.ts';
import { fleetId } from '../ec2/ids.ts';
import { checkTagSpecifications, readTagSpecifications } from '../ec2/tags.ts';
import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { Tags, World } from '../world.ts';
import { outcomeXml } from './fleet-actions.ts';
import { changedEvent, totalOf } from './members.ts';
import {
  candidatesOf,
  ec2FleetTarget,
  instantTags,
  type Pool,
  spotFleetPools,
  spotFleetTarget,
  templatePools,
} from './plan.ts';
import type { FleetRecord, Units } from './record.ts';
import { fillUp } from './settle.ts';

// API reference: ClientToken's longest, and EC2 user guide, "Fleet quotas".
const longestToken = 64;
const mostUnits = 10_000;
const types = ['instant', 'request', 'maintain'] as const;

const placeOrder = (
  world: World,
  params: Parameters,
  order: { readonly api: 'ec2-fleet' | 'spot-fleet'; readonly target: Units; readonly tags: Tags },
): FleetRecord => {
  const validUntil = params.time('ValidUntil');
  if (validUntil !== undefined && validUntil <= world.now()) throw invalidValue('ValidUntil must be in the future');
  if (totalOf(order.target) > mostUnits) throw invalidValue(`The target capacity must not exceed ${mostUnits}`);
  world.lastNumber += 1;
  const fleet: FleetRecord = {
    ...order,
    id: fleetId(world, order.api === 'ec2-fleet' ? 'fleet' : 'sfr', world.lastNumber),
    type: oneOf(params, 'Type', types) ?? 'maintain',
    order: [...params.form()].filter(([name]) => !['Action', 'Version', 'DryRun'].includes(name)),
    obtained: { 'on-demand': 0, spot: 0 },
    createdAt: world.now(),
    touchedAt: world.now(),
    validUntil,
    events: ['submitted', 'active'].map((text) => ({ at: world.now(), ...changedEvent(text) })),
    suspended: [],
  };
  world.fleets.set(fleet.id, fleet);
  return fleet;
};

const checkInstantOnly = (params: Parameters): void => {
  if (params.text('Type') === 'instant') return;
  if (params.text('TargetCapacitySpecification.DefaultTargetCapacityType') === 'capacity-block')
    throw invalidCombination('The target capacity type capacity-block needs the type instant');
  if (params.has('OnDemandOptions.CapacityReservationOptions'))
    throw invalidCombination('CapacityReservationOptions need the type instant');
  for (const options of [params.below('SpotOptions'), params.below('OnDemandOptions')])
    if (options.has('MinTargetCapacity') || options.has('SingleInstanceType') || options.has('SingleAvailabilityZone'))
      throw invalidCombination(
        'MinTargetCapacity, SingleInstanceType and SingleAvailabilityZone need the type instant',
      );
  const overrides = params.each('LaunchTemplateConfigs').flatMap((config) => config.each('Overrides'));
  if (overrides.some((one) => one.has('ImageId')))
    throw invalidCombination('An override of ImageId needs the type instant');
};

const checkLeast = (options: Parameters): void => {
  const isSingle = options.flag('SingleInstanceType') === true || options.flag('SingleAvailabilityZone') === true;
  if (options.has('MinTargetCapacity') && !isSingle)
    throw invalidCombination('MinTargetCapacity needs SingleInstanceType or SingleAvailabilityZone');
};

/** EC2 takes two pools of one type in one zone for the same, whatever their subnets. */
const checkDuplicates = (world: World, pools: readonly Pool[], target: Units, code: string): void => {
  const market = target.spot > 0 ? 'spot' : 'on-demand';
  const keys = pools
    .flatMap((pool) => candidatesOf(world, pool, market, {}))
    .flatMap(({ spec }) => (spec === undefined ? [] : [`${spec.instanceType} ${spec.zone}`]));
  if (new Set(keys).size < keys.length)
    throw new ServiceError(code, 'The fleet configuration contains duplicate instance pools.');
};

// As AWS's refusals tell it.
const mostRequirements = 4;

const checkRequirements = (pools: readonly Pool[]): void => {
  const count = pools.filter(({ form }) => [...form.keys()].some((name) => name.startsWith('InstanceRequirements.')));
  if (count.length > mostRequirements)
    throw invalidValue(
      `Your request contains more than the maximum allowed number of InstanceRequirements (${mostRequirements})`,
    );
};

const newFleet = (world: World, params: Parameters): string => {
  required(params.has('LaunchTemplateConfigs') || undefined, 'LaunchTemplateConfigs');
  checkInstantOnly(params);
  checkLeast(params.below('SpotOptions'));
  checkLeast(params.below('OnDemandOptions'));
  const target = ec2FleetTarget(params);
  const isInstant = params.text('Type') === 'instant';
  if (isInstant && totalOf(target) < 1)
    throw invalidValue('The target capacity of an instant fleet must be at least 1');
  const pools = templatePools(params.each('LaunchTemplateConfigs'));
  checkRequirements(pools);
  checkDuplicates(world, pools, target, 'InvalidFleetConfig');
  const taggable = isInstant ? instantTags : ['fleet'];
  checkTagSpecifications(params, taggable);
  const tags = readTagSpecifications(params, taggable);
  const fleet = placeOrder(world, params, { api: 'ec2-fleet', target, tags: tags['fleet'] ?? {} });
  if (fleet.type === 'instant') fillUp(world, fleet, target);
  return fleet.id;
};

const createFleet = action(
  `
    ClientToken Context ExcessCapacityTerminationPolicy ReplaceUnhealthyInstances TerminateInstancesWithExpiration Type
    ValidFrom ValidUntil LaunchTemplateConfigs.N{*} OnDemandOptions{*} ReservedCapacityOptions{*} SpotOptions{*}
    TagSpecification.N{*} TargetCapacitySpecification{*}`,
  (world, params) => {
    const id = once(world, params, longestToken, () => newFleet(world, params));
    const fleet = required(world.fleets.get(id), 'fleet');
    return fleet.type === 'instant' ? { fleetId: id, ...outcomeXml(fleet) } : { fleetId: id };
  },
);

const newSpotFleet = (world: World, config: Parameters): string => {
  required(config.text('IamFleetRole'), 'SpotFleetRequestConfig.IamFleetRole');
  if (config.has('LaunchSpecifications') === config.has('LaunchTemplateConfigs'))
    throw invalidCombination('Either LaunchSpecifications or LaunchTemplateConfigs must be specified');
  if (config.text('Type') === 'instant') throw invalidValue('A Spot Fleet request is of type request or maintain');
  const target = spotFleetTarget(config);
  const pools = spotFleetPools(config);
  checkRequirements(pools);
  checkDuplicates(world, pools, target, 'InvalidSpotFleetRequestConfig');
  checkTagSpecifications(config, ['spot-fleet-request']);
  const tags = readTagSpecifications(config, ['spot-fleet-request'])['spot-fleet-request'] ?? {};
  return placeOrder(world, config, { api: 'spot-fleet', target, tags }).id;
};

const requestSpotFleet = action('SpotFleetRequestConfig{*}', (world, params) => ({
  spotFleetRequestId: once(world, params, longestToken, () =>
    newSpotFleet(world, params.below('SpotFleetRequestConfig')),
  ),
}));

export const createActions: readonly (readonly [string, Action])[] = [
  ['CreateFleet', createFleet],
  ['RequestSpotFleet', requestSpotFleet],
];
