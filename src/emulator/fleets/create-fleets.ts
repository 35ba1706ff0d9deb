import { once } from '../client-tokens.ts';
import { type Action, required } from '../ec2/action.ts';
import { oneOf } from '../ec2/choices.ts';
import { fleetId } from '../ec2/ids.ts';
import { readTagSpecifications } from '../ec2/tags.ts';
import { parameterTable } from '../wire/parameter-table.ts';
import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue } from '../wire/service-error.ts';
import type { Tags, World } from '../world.ts';
import { outcomeXml } from './fleet-actions.ts';
import { ec2FleetTarget, instantTags, spotFleetTarget } from './fleet-plans.ts';
import { changedEvent, totalOf } from './members.ts';
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
    ...(validUntil !== undefined && { validUntil }),
    events: ['submitted', 'active'].map((text) => ({ at: world.now(), ...changedEvent(text) })),
    suspended: [],
  };
  world.fleets.set(fleet.id, fleet);
  return fleet;
};

const checkInstantOnly = (params: Parameters): void => {
  if (params.text('Type') === 'instant') return;
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

const newFleet = (world: World, params: Parameters): string => {
  required(params.has('LaunchTemplateConfigs') || undefined, 'LaunchTemplateConfigs');
  checkInstantOnly(params);
  checkLeast(params.below('SpotOptions'));
  checkLeast(params.below('OnDemandOptions'));
  const target = ec2FleetTarget(params);
  const tags = readTagSpecifications(params, params.text('Type') === 'instant' ? instantTags : ['fleet']);
  const fleet = placeOrder(world, params, { api: 'ec2-fleet', target, tags: tags['fleet'] ?? {} });
  if (fleet.type === 'instant') fillUp(world, fleet, target);
  return fleet.id;
};

const createFleet: Action = {
  parameters: parameterTable(`
    ClientToken Context ExcessCapacityTerminationPolicy ReplaceUnhealthyInstances TerminateInstancesWithExpiration Type
    ValidFrom ValidUntil LaunchTemplateConfigs.N{*} OnDemandOptions{*} ReservedCapacityOptions{*} SpotOptions{*}
    TagSpecification.N{*} TargetCapacitySpecification{*}`),
  answer: (world, params) => {
    const id = once(world, params, longestToken, () => newFleet(world, params));
    const fleet = required(world.fleets.get(id), 'fleet');
    return fleet.type === 'instant' ? { fleetId: id, ...outcomeXml(fleet) } : { fleetId: id };
  },
};

const newSpotFleet = (world: World, config: Parameters): string => {
  required(config.text('IamFleetRole'), 'SpotFleetRequestConfig.IamFleetRole');
  if (config.has('LaunchSpecifications') === config.has('LaunchTemplateConfigs'))
    throw invalidCombination('Either LaunchSpecifications or LaunchTemplateConfigs must be specified');
  if (config.text('Type') === 'instant') throw invalidValue('A Spot Fleet request is of type request or maintain');
  const tags = readTagSpecifications(config, ['spot-fleet-request'])['spot-fleet-request'] ?? {};
  return placeOrder(world, config, { api: 'spot-fleet', target: spotFleetTarget(config), tags }).id;
};

const requestSpotFleet: Action = {
  parameters: parameterTable('SpotFleetRequestConfig{*}'),
  answer: (world, params) => ({
    spotFleetRequestId: once(world, params, longestToken, () =>
      newSpotFleet(world, params.below('SpotFleetRequestConfig')),
    ),
  }),
};

export const createActions: readonly (readonly [string, Action])[] = [
  ['CreateFleet', createFleet],
  ['RequestSpotFleet', requestSpotFleet],
];
