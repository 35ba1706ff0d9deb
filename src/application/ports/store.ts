import type { Diagnosis } from '../../domain/finding.ts';
import type { Answers } from '../bus/middleware.ts';
import type { FullLooks, InstanceEvents } from './instance-events.ts';
import type {
  Facts,
  InstanceTypes,
  LaunchFailures,
  OfferingMemory,
  PriceMemory,
  SweepMemory,
  UnseenHosts,
  Usage,
} from './memory.ts';
import type { IsDue } from './policy.ts';
import type { ProjectionStore } from './read-model.ts';
import type { CapacityLedger, RequestStreams } from './streams.ts';
import type { Logger } from './telemetry.ts';

/** Answers of commands that came with an id, which do not have to be kept for ever. */
export interface KeptAnswers extends Answers {
  /** Forgets those given before this time, ms. */
  forgetBefore(time: number): Promise<void>;
}

/**
 * What all hosts that run this provider must agree on. Besides its own faults each part throws `storage.unavailable` where the store
 * does not answer: then nobody knows what it holds, and whether the last write was done.
 */
export interface Store {
  readonly streams: RequestStreams;
  readonly live: CapacityLedger;
  /** What requests want of an Auto Scaling group of the administrator's, and which of its members they have claimed. */
  ledger(group: string): CapacityLedger;
  readonly failures: LaunchFailures;
  readonly answers: KeptAnswers;
  readonly sweepMemory: SweepMemory;
  /** What AWS has announced of instances. */
  readonly notices: InstanceEvents;
  /** Of several hosts one goes, not oftener than the interval. */
  readonly turn: IsDue;
  /** Tells what this store launched from what another did. `make`: where there is none yet. Throws `storage.*`. */
  id(make: boolean): Promise<string | undefined>;
  /** Whether it does what is asked of it. Leaves nothing behind. */
  diagnose(): Promise<readonly Diagnosis[]>;
}

/** What a host keeps for itself: losing it costs time, never truth. */
export interface HostMemory {
  /** Of one kind. `looksOnly`: whether none may be noted or dropped. */
  facts(kind: 'aws' | 'credentials' | 'table', options: FactOptions): Facts;
  readonly offerings: OfferingMemory;
  readonly instanceTypes: InstanceTypes;
  readonly prices: PriceMemory;
  readonly projections: ProjectionStore;
  readonly unseen: UnseenHosts;
  /** When all hosts were last looked at; due again after `interval`, ms. */
  fullLooks(interval: number): FullLooks;
  readonly usage: Usage;
  /** Of this host alone, not oftener than the interval. */
  readonly turn: IsDue;
}

interface FactOptions {
  readonly looksOnly: () => boolean;
  /** Hears of what was known and what was not. */
  readonly log?: Pick<Logger, 'debug'>;
}
