import { ServiceError } from '../wire/service-error.ts';
import type { LaunchSpec, World } from '../world.ts';
import { checkReservation, roomInReservation } from './capacity-reservations.ts';
import { allViews, type InstanceView } from './instance-view.ts';
import { zonesOf } from './subnets.ts';

const unlimited = Number.POSITIVE_INFINITY;

/** What a setting says of a pool is what its most specific key says: type and zone, type, zone, anything. */
const ofPool = <T>(setting: Readonly<Record<string, T>>, type: string, zone: string): T | undefined =>
  [`${type}:${zone}`, `${type}:*`, `*:${zone}`, '*:*'].map((key) => setting[key]).find((found) => found !== undefined);

const takesRoom = ({ state }: InstanceView): boolean => state !== 'stopped' && state !== 'terminated';

const count = (world: World, test: (view: InstanceView) => boolean): number => allViews(world).filter(test).length;

/** How many more instances of the type can run in the zone. */
export const roomInPool = (world: World, type: string, zone: string): number => {
  const limit = ofPool(world.settings.capacity, type, zone) ?? unlimited;
  if (limit === unlimited) return unlimited;
  const isInPool = (view: InstanceView): boolean =>
    view.reservation.spec.instanceType === type &&
    view.reservation.spec.zone === zone &&
    view.reservation.spec.capacityReservationId === undefined &&
    takesRoom(view);
  return Math.max(0, limit - count(world, isInPool));
};

/** Addresses left in a subnet; a stopped instance keeps its own. */
export const freeAddresses = (world: World, subnetId: string): number => {
  const limit = world.settings.freeAddresses[subnetId];
  if (limit === undefined) return unlimited;
  const isInSubnet = ({ reservation, state }: InstanceView): boolean =>
    reservation.spec.subnetId === subnetId && state !== 'terminated';
  return Math.max(0, limit - count(world, isInSubnet));
};

const noCapacity = (world: World, { instanceType, zone, lifecycle }: LaunchSpec): ServiceError => {
  const code = 'InsufficientInstanceCapacity';
  if (lifecycle === 'spot')
    return new ServiceError(code, `There is no Spot capacity available that matches your request (${zone}).`);
  const others = zonesOf(world.settings.region).filter(
    (other) => other !== zone && roomInPool(world, instanceType, other) > 0,
  );
  const advice =
    others.length === 0
      ? ''
      : ` You can currently get ${instanceType} capacity by not specifying an Availability Zone in your request or choosing ${others.join(', ')}.`;
  return new ServiceError(
    code,
    `We currently do not have sufficient ${instanceType} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity.${advice}`,
  );
};

/** How many instances of a launch would fit. */
export const roomFor = (world: World, { instanceType, zone, subnetId, ...spec }: LaunchSpec): number => {
  if (ofPool(world.settings.refusals, instanceType, zone) !== undefined) return 0;
  const { capacityReservationId: id } = spec;
  const room = id === undefined ? roomInPool(world, instanceType, zone) : roomInReservation(world, id);
  return Math.min(room, freeAddresses(world, subnetId));
};

/** As many of `max` as pool and subnet hold; fails with EC2's code and text if that is fewer than `min`. */
export const grant = (world: World, spec: LaunchSpec, min: number, max: number): number => {
  const refusal = ofPool(world.settings.refusals, spec.instanceType, spec.zone);
  if (refusal !== undefined)
    throw new ServiceError(refusal, `The launch of ${spec.instanceType} in ${spec.zone} was refused: ${refusal}.`);
  const addresses = freeAddresses(world, spec.subnetId);
  if (addresses < min) {
    const message = `There are not enough free addresses in subnet '${spec.subnetId}' to satisfy the requested number of instances.`;
    throw new ServiceError('InsufficientFreeAddressesInSubnet', message);
  }
  if (spec.capacityReservationId !== undefined) checkReservation(world, spec.capacityReservationId, min);
  const room = roomFor(world, spec);
  if (room < min) throw noCapacity(world, spec);
  return Math.min(room, max);
};
