import type { Answers } from '../bus/middleware.ts';
import type { LaunchFailures, SweepMemory } from './memory.ts';
import type { Store } from './store.ts';
import type { CapacityLedger, RestorableStreams, StreamReader } from './streams.ts';

/** Why a store must not be used. */
export interface StateMark {
  /** It was left for the other; or it is still being filled from the other. */
  readonly kind: 'left' | 'filling';
  /** For people: `the table hf-state`. */
  readonly other: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a store says of itself. */
export interface StateHead {
  /** The value of the tag `hf-aws:store` on all that it launched. */
  readonly id: string;
  readonly mark?: StateMark | undefined;
}

/** The reading half of a place where the state may be. */
interface ReadableState {
  readonly streams: StreamReader;
  readonly live: Pick<CapacityLedger, 'list'>;
  ledger(group: string): Pick<CapacityLedger, 'list'>;
  readonly failures: Pick<LaunchFailures, 'of' | 'templateIds'>;
  readonly answers: Pick<Answers, 'find'>;
  readonly sweepMemory: Pick<SweepMemory, 'read'>;
}

/** A place where the state may be, to be looked at whatever mark it bears. */
export interface StatePlace {
  /** For people: `the work folder /x` or `the table hf-state`. */
  readonly name: string;
  readonly store: ReadableState;
  /** Undefined where there is no store. */
  head(): Promise<StateHead | undefined>;
  /** Commands whose answers it may hold; `known` are those that events tell of. */
  commandIds(known: readonly string[]): Promise<readonly string[]>;
}

/** The same, to be copied from or to. */
export interface StateEnd extends StatePlace {
  readonly store: Store;
  /** Makes the store, or changes its mark. Throws `storage.conflict` where there is one with another id by now. */
  setHead(head: StateHead): Promise<void>;
  readonly restore: RestorableStreams['restore'];
  /** For so long after it was marked, ms, a call that has not heard of it may write to it. */
  readonly knownEverywhereWithin: number;
}

export interface StatePlaces<P extends StatePlace> {
  readonly folder: P;
  readonly table: P;
}
