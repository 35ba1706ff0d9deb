import type { ReservationSetting } from '../settings.ts';
import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { isoTime, ownerId } from './action.ts';
import { oneOf } from './choices.ts';
import { describe } from './describe.ts';
import { allViews } from './instance-view.ts';

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
export const roomInReservation = (world: World, id: string): number => {
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
export const checkReservation = (world: World, id: string, least: number): void => {
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
