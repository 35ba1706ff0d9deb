import type { World } from '../world.ts';
import { isAlive, liveUnits, membersOf, recentFailures, totalOf } from './members.ts';
import type { FleetEvent, FleetRecord } from './record.ts';

/** The words in which two APIs say the same of fleets. */
export interface Dialect {
  readonly api: FleetRecord['api'];
  /** The parameter of ids, and its element in answers. */
  readonly idName: 'FleetId' | 'SpotFleetRequestId';
  /** The code of a call that names an unknown id, and of an unknown id among others. */
  readonly missing: readonly [call: string, one: string];
  readonly ended: 'deleted' | 'cancelled';
  /** What history calls an event's kind. */
  readonly eventTypes: Readonly<Record<FleetEvent['kind'], string>>;
  /** What history calls a refusal with this code. */
  readonly failureText: (code: string) => string;
}

export const ec2Dialect: Dialect = {
  api: 'ec2-fleet',
  idName: 'FleetId',
  missing: ['InvalidFleetId.NotFound', 'fleetIdDoesNotExist'],
  ended: 'deleted',
  eventTypes: {
    changed: 'fleet-change',
    launched: 'instance-change',
    terminated: 'instance-change',
    failed: 'service-error',
  },
  failureText: (code) => code,
};

export const spotDialect: Dialect = {
  api: 'spot-fleet',
  idName: 'SpotFleetRequestId',
  missing: ['InvalidSpotFleetRequestId.NotFound', 'fleetRequestIdDoesNotExist'],
  ended: 'cancelled',
  eventTypes: {
    changed: 'fleetRequestChange',
    launched: 'instanceChange',
    terminated: 'instanceChange',
    failed: 'error',
  },
  failureText: (code) =>
    code === 'MaxSpotInstanceCountExceeded' ? 'spotInstanceCountLimitExceeded' : 'launchSpecTemporarilyBlacklisted',
};

/** `active`, or what the dialect calls an end with or without instances left. */
export const stateOf = (world: World, { ended }: Dialect, fleet: FleetRecord): string => {
  const isYoung = fleet.type !== 'instant' && world.now() < fleet.createdAt + world.settings.fulfilMs;
  if (fleet.ended === undefined) return isYoung ? 'submitted' : 'active';
  const hasInstances = membersOf(world, fleet).some(
    (one) => isAlive(one) || world.now() < one.phase.since + world.settings.shuttingDownMs,
  );
  return hasInstances ? `${ended}_${fleet.ended}` : ended;
};

export const activityOf = (world: World, fleet: FleetRecord): string => {
  if (fleet.ended === 'terminating') return 'pending_termination';
  if (liveUnits(world, fleet) >= totalOf(fleet.target)) return 'fulfilled';
  return recentFailures(fleet).length > 0 ? 'error' : 'pending_fulfillment';
};
