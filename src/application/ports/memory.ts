import type { InstanceTypeTable } from '../../domain/instance-type.ts';
import type { Offering, RefusedOffering } from '../../domain/offering.ts';
import type { Prices } from '../../domain/template/price.ts';
import type { PriceHistory } from '../../domain/template/price-history.ts';
import type { MetricValues } from './telemetry.ts';

/** Hosts on no record of ours that EC2 does not show, remembered between calls. */
export interface UnseenHosts {
  /** Since when looks before `now` have not shown each, ms. */
  since(now: number): Promise<ReadonlyMap<string, number>>;
  /** Notes what a look at `now` did not show, and forgets what it did. */
  note(look: {
    readonly now: number;
    readonly unseen: readonly string[];
    readonly shown: readonly string[];
  }): Promise<void>;
}

/** Machines that never became usable, by template, since one of it last did. */
export interface LaunchFailures {
  /** `age`: milliseconds since the last one was noted. */
  of(templateId: string): Promise<{ readonly machineIds: readonly string[]; readonly age: number }>;
  note(templateId: string, machineIds: readonly string[]): Promise<void>;
  clear(templateId: string): Promise<void>;
  /** Templates with failures. */
  templateIds(): Promise<readonly string[]>;
}

/** Offerings EC2 refused lately, remembered across processes. */
export interface OfferingMemory {
  /** Those not expired yet. */
  refused(): Promise<readonly Offering[]>;
  /** The same for people. */
  list(): Promise<readonly RefusedOffering[]>;
  remember(refused: readonly RefusedOffering[]): Promise<void>;
  /** Answers with how many were forgotten. */
  forget(matches: (offering: Offering) => boolean): Promise<number>;
}

/** Facts about instance types that need no call to EC2. */
export interface InstanceTypes {
  table(): Promise<InstanceTypeTable>;
  replace(table: InstanceTypeTable): Promise<void>;
}

export interface RememberedPrices extends Prices {
  /** When AWS was last asked, ms since the epoch; 0: never. */
  readonly refreshedAt: number;
  readonly region: string;
  /** Of when the on-demand prices are that came with the program, in words; absent where it has none of this Region. */
  readonly shippedOf?: string;
}

/** What was last heard of prices; needs no call to AWS. */
export interface PriceMemory {
  read(): Promise<RememberedPrices>;
  replace(prices: Omit<RememberedPrices, 'region' | 'shippedOf'>): Promise<void>;
  /** How they went before. */
  history(): Promise<PriceHistory>;
  /** Adds the prices that AWS gave `at`, ms since the epoch, to the history. */
  note(latest: Pick<Prices, 'onDemand' | 'spot'> & { readonly at: number }): Promise<void>;
}

/** What sweeps remember from one to the next. */
interface SweepNotes {
  /** When each id that belongs to no request was first seen, ms. */
  readonly orphans: ReadonlyMap<string, number>;
}

export interface SweepMemory {
  /** What cannot be read is empty: everything is then seen for the first time. */
  read(): Promise<SweepNotes>;
  write(notes: SweepNotes): Promise<void>;
}

/** Facts that do not change (soon), kept between calls. */
export interface Facts {
  /** The stored fact, or what `find` answers, which is then stored for as long as `lifetime` says of it (ms). */
  get(key: string, lifetime: (value: string) => number, find: () => Promise<string>): Promise<string>;
  /** The stored fact, while it holds. */
  peek(key: string): Promise<string | undefined>;
  /** Drops facts that turned out to be wrong, whatever their key. */
  forget(value: string): Promise<void>;
}

/** Metrics that outlive the processes that counted them. */
export interface Usage {
  /** Adds to them in one small write. What cannot be kept is no reason to fail a call. */
  add(figures: MetricValues): Promise<void>;
  total(): Promise<MetricValues>;
  /** Those of this hour and of the one before, and since when, ms. */
  recent(): Promise<{ readonly since: number; readonly metrics: MetricValues }>;
  /** Folds hours that are over, but for the last, into one document. */
  compact(): Promise<void>;
}
