import type { ReservationSetting } from '../settings.ts';
import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { LaunchSpec, World } from '../world.ts';
import { isoTime, oneOf, ownerId } from './action.ts';
import { describe } from './describe.ts';
import { allViews, type InstanceView } from './instance-view.ts';
import { zonesOf } from './subnets.ts';

interface CapacityReservation extends ReservationSetting {
  readonly id: string;
}

const listOf = ({ settings }: World): readonly CapacityReservation[] =>
  Object.entries(settings.capacityReservations)
    .map(([id, reservation]) => ({ id, ...reservation }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));

const found = (world: World, id: string): CapacityReservation => {
  const reservation = listOf(world).find((each) => each.id === id);
  if (reservation !== undefined) return reservation;
  const message = `The capacity reservation '${id}' does not exist`;
  throw new ServiceError('InvalidCapacityReservationId.NotFound', message);
};

const stateOf = ({ now }: World, { state = 'active', endsAt }: ReservationSetting): string =>
  endsAt !== undefined && Date.parse(endsAt) <= now() ? 'expired' : state;

/** Instances that a reservation still holds: a machine that ends gives its place back. */
const roomInReservation = (world: World, id: string): number => {
  const reservation = found(world, id);
  if (stateOf(world, reservation) !== 'active') return 0;
  const isIn = allViews(world).filter(
    (view) => view.reservation.spec.capacityReservationId === id && view.state !== 'terminated',
  );
  return Math.max(0, reservation.total - isIn.length);
};

const lacking = (): ServiceError =>
  new ServiceError(
    'ReservationCapacityExceeded',
    'The requested reservation does not have sufficient compatible and available capacity for this request.',
  );

const specification = 'CapacityReservationSpecification';

/** The reservation that a launch names: EC2 takes one of another type or zone for full. */
const targeted = (world: World, id: string, type: string, zone: string, isBlock: boolean): string => {
  const reservation = found(world, id);
  if (isBlock !== (reservation.type === 'capacity-block'))
    throw invalidCombination(`The market type does not fit the type of the capacity reservation ${id}`);
  if (reservation.instanceType !== type || reservation.zone !== zone) throw lacking();
  return id;
};

/** The reservation that a launch takes its instances from; undefined where it runs in no reserved capacity. */
export const reservationFor = (
  world: World,
  params: Parameters,
  { instanceType, zone }: { readonly instanceType: string; readonly zone: string },
): string | undefined => {
  const market = params.text('InstanceMarketOptions.MarketType');
  const preference = oneOf(params, `${specification}.CapacityReservationPreference`, [
    'open',
    'none',
    'capacity-reservations-only',
  ]);
  const target = params.below(`${specification}.CapacityReservationTarget`);
  const [id, group] = [target.text('CapacityReservationId'), target.text('CapacityReservationResourceGroupArn')];
  const isTargeted = id !== undefined || group !== undefined;
  if (isTargeted && (preference === 'open' || preference === 'none'))
    throw invalidCombination('CapacityReservationPreference and CapacityReservationTarget exclude each other');
  if (isTargeted && market === 'spot')
    throw invalidCombination('Spot instances cannot be launched into a capacity reservation');
  if (market === 'capacity-block' && id === undefined)
    throw invalidCombination('The market type capacity-block needs the id of a capacity reservation');
  if (id !== undefined) return targeted(world, id, instanceType, zone, market === 'capacity-block');
  if (market === 'spot' || preference === 'none') return undefined;
  // A launch goes into a reservation as a whole; what a fleet launches at once is not known here.
  const wanted = params.number('MaxCount') ?? Number.POSITIVE_INFINITY;
  return listOf(world).find(
    (each) =>
      (group === undefined ? each.match !== 'targeted' && each.group === undefined : each.group === group) &&
      each.type !== 'capacity-block' &&
      each.instanceType === instanceType &&
      each.zone === zone &&
      roomInReservation(world, each.id) >= wanted,
  )?.id;
};

/** Fails as EC2 does where a reservation that is named holds fewer than `least`. */
const checkReservation = (world: World, id: string, least: number): void => {
  if (roomInReservation(world, id) < least) throw lacking();
};

const reservationXml = (world: World, reservation: CapacityReservation): XmlFields => {
  const { id, instanceType, zone, total, type = 'default', match = 'open', endsAt } = reservation;
  return {
    capacityReservationId: id,
    capacityReservationArn: `arn:aws:ec2:${world.settings.region}:${ownerId}:capacity-reservation/${id}`,
    ownerId,
    instanceType,
    instancePlatform: 'Linux/UNIX',
    availabilityZone: zone,
    tenancy: 'default',
    totalInstanceCount: total,
    availableInstanceCount: roomInReservation(world, id),
    state: stateOf(world, reservation),
    instanceMatchCriteria: match,
    endDateType: endsAt === undefined ? 'unlimited' : 'limited',
    endDate: endsAt === undefined ? undefined : isoTime(Date.parse(endsAt)),
    reservationType: type,
    tagSet: [],
  };
};

export const describeCapacityReservations = describe<CapacityReservation>({
  ids: 'CapacityReservationId',
  pagesIds: true,
  items: (world, ids) => (ids.length > 0 ? ids.map((id) => found(world, id)) : listOf(world)),
  keyOf: ({ id }) => id,
  filters: { 'availability-zone': ({ zone }) => zone, 'instance-type': ({ instanceType }) => instanceType },
  answer: (page, world) => ({ capacityReservationSet: page.map((each) => reservationXml(world, each)) }),
});

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
