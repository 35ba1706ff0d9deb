import type { Machine, OwnedObservation } from '../machine.ts';
import type { Shortage } from './events.ts';

/** A look at a fleet or group. */
export interface ResourceLook {
  /** `ended`: cancelled, expired or deleted. `missing`: AWS does not know it, which soon after its launch says nothing. */
  readonly state: 'active' | 'ended' | 'missing';
  /** Units it is set to hold, where it replaces what it loses. */
  readonly target?: number;
  /** Machines that cannot be found by the request's tag yet. */
  readonly machineIds: readonly string[];
  /** All machines it has launched and counts, where the look shows them; else `fulfilled`, in units, says how many there are. */
  readonly members?: readonly string[];
  readonly fulfilled?: number;
}

/** A look at a fleet or group whose search for capacity is being ended, and what came of that so far. */
export interface ResourceSight extends ResourceLook {
  /** Members that EC2 did not show when last looked for; `untold` where AWS did not say what its members are. */
  readonly unshown?: readonly string[] | 'unknown';
  /** AWS has ended the search: what is left of it, and why it found no more. */
  readonly ended?: { readonly stage: 'holding' | 'deleted'; readonly why?: Shortage };
}

/** What one look at AWS shows with regard to one request, and what has been tried since. */
export interface Look {
  /** When, ms since the epoch. */
  readonly at: number;
  /** Whether that is AWS's time: else no machine is ended, failed or taken for gone by it. */
  readonly isAwsTime: boolean;
  /** The machines on record before it. */
  readonly known: ReadonlyMap<string, Machine>;
  /** Ids of the machines that were looked for. */
  readonly asked: readonly string[];
  /** Client tokens of the launches whose machines were looked for by tag. */
  readonly sought: ReadonlySet<string>;
  readonly seen: ReadonlyMap<string, OwnedObservation>;
  /** What EC2 shows by its tags as launched by the request. */
  readonly launched: readonly OwnedObservation[];
  /** Fleets and groups, by id; none that AWS does not let us look at. */
  readonly resources: ReadonlyMap<string, ResourceSight>;
  /** Client tokens of the launches that this process has recorded since, and has to send. */
  readonly prepared: ReadonlySet<string>;
  /** The provider had no further pool to ask. */
  readonly noPoolLeft?: boolean;
  /** Keys of the steps taken since: none is taken twice on one look. */
  readonly tried: ReadonlySet<string>;
}

/** Before AWS has been asked anything about a request. */
export const noLook = (at: number): Look => ({
  at,
  isAwsTime: false,
  known: new Map(),
  asked: [],
  sought: new Set(),
  seen: new Map(),
  launched: [],
  resources: new Map(),
  prepared: new Set(),
  tried: new Set(),
});
