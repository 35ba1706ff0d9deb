import { groupPlan, groupZones } from '../auto-scaling/group-plan.ts';
import { forgetGone } from '../ec2/instance-view.ts';
import { moveInto, userInitiated } from '../ec2/state-changes.ts';
import type { World } from '../world.ts';
import { fill } from './fill.ts';
import {
  changedEvent,
  countedMembers,
  isAlive,
  type Member,
  membersOf,
  recentFailures,
  recordFleet,
  totalOf,
  unitsOf,
} from './members.ts';
import { ec2FleetPlan, type Plan, spotFleetPlan } from './plan.ts';
import type { FleetRecord, Market, NewEvent, Units } from './record.ts';

const plans = { 'ec2-fleet': ec2FleetPlan, 'spot-fleet': spotFleetPlan, group: groupPlan } satisfies Record<
  FleetRecord['api'],
  (fleet: FleetRecord) => Plan
>;

// A sleeper catches up on so many fruitless attempts, not on all: each reads all pools and finds the same.
const mostRetries = 1;

/** What the fleet is to launch: up to its target, but a request does not make up for losses. */
export const missingOf = (world: World, fleet: FleetRecord): Units => {
  if (fleet.suspended.includes('Launch')) return { 'on-demand': 0, spot: 0 };
  const counted = countedMembers(world, fleet);
  const missing = (market: Market): number =>
    fleet.target[market] - (fleet.type === 'maintain' ? unitsOf(counted, market) : fleet.obtained[market]);
  // A group's markets make up for each other.
  const most = fleet.api === 'group' ? totalOf(fleet.target) - unitsOf(counted) : Infinity;
  return {
    'on-demand': Math.max(0, Math.min(most, missing('on-demand'))),
    spot: Math.max(0, Math.min(most, missing('spot'))),
  };
};

const keepsExcess = (fleet: FleetRecord): boolean =>
  fleet.type !== 'maintain' ||
  fleet.suspended.includes('Terminate') ||
  fleet.order.some(([name, value]) => name === 'ExcessCapacityTerminationPolicy' && /^no-?termination$/i.test(value));

/** The next instance to go for the target's sake: a fleet's youngest, a group's oldest unprotected one. */
const nextToGo = (world: World, fleet: FleetRecord): Member | undefined => {
  if (keepsExcess(fleet)) return undefined;
  const alive = membersOf(world, fleet).filter(isAlive);
  if (fleet.api === 'group') {
    const excess = unitsOf(countedMembers(world, fleet)) - totalOf(fleet.target);
    return alive.find(({ member }) => !member.isProtected && member.weight <= excess);
  }
  const excess = (market: Market): number => unitsOf(alive, market) - fleet.target[market];
  const most = { 'on-demand': excess('on-demand'), spot: excess('spot') };
  return alive.findLast(({ member: { market, weight } }) => weight <= most[market]);
};

/** Terminates members and tells why. */
export const dismiss = (world: World, members: readonly Member[], why: string): readonly NewEvent[] =>
  members.map((instance) => {
    const leaving = { ...instance, member: { ...instance.member, isLeaving: true } };
    world.instances.set(instance.id, leaving);
    if (instance.phase.toward !== 'terminated') moveInto(world, { instance: leaving }, 'shutting-down', userInitiated);
    return { kind: 'terminated', text: why, instanceIds: [instance.id] };
  });

/** Ends a fleet, and its instances if they are to go with it. */
export const endFleet = (world: World, fleet: FleetRecord, isTerminating: boolean, why: string): FleetRecord => {
  const gone = isTerminating ? dismiss(world, membersOf(world, fleet).filter(isAlive), why) : [];
  return recordFleet(world, fleet, { ended: isTerminating ? 'terminating' : 'running' }, [changedEvent(why), ...gone]);
};

const keyOf = ({ text, place }: NewEvent): string => JSON.stringify([text, place]);

/** Fills up a fleet and notes the outcome; a failure told since the fleet's last change is not told again. */
export const fillUp = (
  world: World,
  fleet: FleetRecord,
  missing: Units,
  plan = plans[fleet.api](fleet),
): readonly NewEvent[] => {
  const told = new Set(recentFailures(fleet).map(keyOf));
  const events = fill(world, fleet, plan, missing);
  const obtained = { ...fleet.obtained };
  for (const { kind, instanceIds, place } of events) {
    const weight = world.instances.get(instanceIds[0] ?? '')?.member?.weight ?? 0;
    if (kind === 'launched' && place !== undefined) obtained[place.market] += instanceIds.length * weight;
  }
  const news = events.filter((event) => event.kind === 'launched' || !told.has(keyOf(event)));
  recordFleet(world, fleet, { obtained }, news);
  return events;
};

/** Members by zone, the zones without any included. */
const byZone = (world: World, fleet: FleetRecord): readonly (readonly Member[])[] => {
  const alive = membersOf(world, fleet).filter(isAlive);
  return groupZones(world, fleet)
    .map((zone) => alive.filter(({ reservationId }) => world.reservations.get(reservationId)?.spec.zone === zone))
    .toSorted((a, b) => b.length - a.length);
};

/** Whether a group's zones differ by more than one instance. */
export const isUneven = (world: World, fleet: FleetRecord): boolean => {
  const zones = byZone(world, fleet);
  return (zones[0]?.length ?? 0) - (zones.at(-1)?.length ?? 0) > 1;
};

const evenZones = (world: World, fleet: FleetRecord): readonly NewEvent[] => {
  if (fleet.isUneven !== true || fleet.suspended.includes('AZRebalance') || !isUneven(world, fleet)) return [];
  const surplus = byZone(world, fleet)[0]?.find(({ member }) => !member.isProtected);
  return surplus === undefined ? [] : dismiss(world, [surplus], 'rebalancing Availability Zones');
};

/** One attempt to bring a fleet to its target. */
const settle = (world: World, fleet: FleetRecord, touchedAt: number): void => {
  if (fleet.validUntil !== undefined && fleet.validUntil <= world.now()) {
    const isTerminating = fleet.order.some(
      ([name, value]) => name === 'TerminateInstancesWithExpiration' && value === 'true',
    );
    endFleet(world, fleet, isTerminating, 'expired');
    return;
  }
  const events = [...evenZones(world, fleet)];
  if (fleet.api === 'group' && !fleet.suspended.includes('ReplaceUnhealthy')) {
    const unhealthy = membersOf(world, fleet).filter((one) => !isAlive(one) && one.member.isLeaving !== true);
    events.push(...dismiss(world, unhealthy, 'an EC2 health check'));
  }
  for (let next = nextToGo(world, fleet); next !== undefined; next = nextToGo(world, fleet))
    events.push(...dismiss(world, [next], 'a difference between desired and actual capacity'));
  const touched = recordFleet(world, fleet, { touchedAt, isUneven: false }, events);
  fillUp(world, touched, missingOf(world, touched));
};

const lastLoss = (world: World, fleet: FleetRecord): number =>
  Math.max(...membersOf(world, fleet).map((one) => (isAlive(one) || one.member.isLeaving ? 0 : one.phase.since)), 0);

/** When the fleet acts next, if nothing else happens. It follows from records alone, not from the clock. */
const dueAt = (world: World, fleet: FleetRecord): number => {
  if (fleet.ended !== undefined || fleet.type === 'instant') return Infinity;
  const isRestless =
    totalOf(missingOf(world, fleet)) > 0 || fleet.isUneven === true || nextToGo(world, fleet) !== undefined;
  const wakesAt = isRestless ? Math.max(fleet.touchedAt, lastLoss(world, fleet)) + world.settings.fulfilMs : Infinity;
  return Math.min(wakesAt, fleet.validUntil ?? Infinity);
};

/** Lets everything happen that is due by now, in order of time. */
export const advance = (world: World): void => {
  const now = world.now();
  const { fulfilMs } = world.settings;
  // Attempts are a millisecond apart at least, or the first one in vain would never end.
  const touchAt = (at: number): number => Math.max(at, now - mostRetries * fulfilMs) + (fulfilMs === 0 ? 1 : 0);
  for (;;) {
    const dues = [...world.fleets.values()].map((fleet) => ({ fleet, at: dueAt(world, fleet) }));
    const next = dues.toSorted((a, b) => a.at - b.at)[0];
    if (next === undefined || next.at > now) break;
    const { fleet, at } = next;
    world.backAt(at, () => settle(world, fleet, touchAt(at)));
  }
  forgetGone(world);
};
