import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue } from '../wire/service-error.ts';
import type { World } from '../world.ts';
import { required } from './action.ts';
import { roomInPool } from './capacity.ts';
import { defaultSubnet, type Subnet, subnetOf, zonesOf } from './subnets.ts';

/** The subnet, and with it the zone, that a launch goes to. */
export const placeOf = (world: World, params: Parameters, type: string): Subnet => {
  const interfaces = params.each('NetworkInterface');
  if (interfaces.length > 0 && params.has('SubnetId'))
    throw invalidCombination(
      'Network interfaces and an instance-level subnet ID may not be specified on the same request',
    );
  const zone = params.text('Placement.AvailabilityZone');
  const subnetId = params.text('SubnetId') ?? interfaces.find((one) => one.has('SubnetId'))?.text('SubnetId');
  if (subnetId !== undefined) {
    const subnet = subnetOf(world, subnetId);
    if (zone !== undefined && zone !== subnet.zone)
      throw invalidValue(`The Availability Zone ${zone} is not that of the subnet '${subnetId}' (${subnet.zone})`);
    return subnet;
  }
  const zones = zonesOf(world.settings.region);
  if (zone !== undefined && !zones.includes(zone)) throw invalidValue(`Invalid availability zone: [${zone}]`);
  // Left to itself EC2 takes a zone that can hold the launch.
  const minCount = params.number('MinCount') ?? 1;
  const chosen = zone ?? zones.find((any) => roomInPool(world, type, any) >= minCount) ?? zones[0];
  return defaultSubnet(world, required(chosen, 'Placement.AvailabilityZone'));
};
