import type { InstanceRecord, World } from '../world.ts';
import type { FleetEvent, FleetRecord, Market, Membership, NewEvent, Units } from './record.ts';

export interface Member extends InstanceRecord {
  readonly member: Membership;
}

const isMemberOf =
  (id: string) =>
  (instance: InstanceRecord): instance is Member =>
    instance.member?.fleetId === id;

/** All that EC2 has not forgotten, dead or alive, in launch order. */
export const membersOf = (world: World, { id }: FleetRecord): readonly Member[] =>
  [...world.instances.values()].filter(isMemberOf(id));

export const isAlive = ({ phase }: InstanceRecord): boolean => phase.toward === 'running';

/** A group that may not replace unhealthy instances goes on counting them. */
export const isCounted = ({ suspended }: FleetRecord, instance: InstanceRecord): boolean =>
  isAlive(instance) || (suspended.includes('ReplaceUnhealthy') && instance.member?.isLeaving !== true);

export const countedMembers = (world: World, fleet: FleetRecord): readonly Member[] =>
  membersOf(world, fleet).filter((instance) => isCounted(fleet, instance));

export const unitsOf = (members: readonly Member[], market?: Market): number =>
  members
    .filter(({ member }) => market === undefined || member.market === market)
    .reduce((sum, { member }) => sum + member.weight, 0);

export const totalOf = (units: Units): number => units['on-demand'] + units.spot;

export const liveUnits = (world: World, fleet: FleetRecord): number => unitsOf(membersOf(world, fleet).filter(isAlive));

// Enough for a test or a demonstration, and no leak.
const mostEvents = 5000;

/** The fleet as `change` leaves it, with events of now added. */
export const recordFleet = (
  world: World,
  fleet: FleetRecord,
  change: Partial<FleetRecord>,
  events: readonly NewEvent[] = [],
): FleetRecord => {
  const dated = events.map((event) => ({ at: world.now(), ...event }));
  const changed = { ...fleet, ...change, events: [...fleet.events, ...dated].slice(-mostEvents) };
  world.fleets.set(fleet.id, changed);
  return changed;
};

export const changedEvent = (text: string): NewEvent => ({ kind: 'changed', text, instanceIds: [] });

/** What the last change or attempt came to be refused, by pool. */
export const recentFailures = ({ events }: FleetRecord): readonly FleetEvent[] => {
  const since = events.findLastIndex(({ kind }) => kind === 'changed');
  return events.slice(since + 1).filter(({ kind }) => kind === 'failed');
};
