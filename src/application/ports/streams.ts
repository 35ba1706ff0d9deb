import { isPluginError, type PluginError } from '../../domain/errors.ts';
import type { RequestEvent } from '../../domain/request/events.ts';
import type { ReturnEvent } from '../../domain/return/events.ts';
import type { Origin } from '../bus/origin.ts';

export type StreamEvent = RequestEvent | ReturnEvent;

/** An event as it is on record. */
export type RecordedEvent<E extends StreamEvent = StreamEvent> = E &
  Partial<Origin> & { readonly schemaVersion?: number };

export interface Stream<E extends StreamEvent = StreamEvent> {
  /** The number of events; 0 where there is no such stream. */
  readonly version: number;
  readonly events: readonly RecordedEvent<E>[];
}

/** Two appends within one tick of a file system's clock leave the same time, ms. Whole seconds tell of a coarse clock. */
export const grainOf = (time: number): number => (time % 1000 === 0 ? 2000 : 50);

/** All that queries get of the store: they cannot write. */
export interface StreamReader {
  /**
   * Throws `storage.unreadable` naming the file or item, `storage.unavailable` where the store does not answer; an absent stream is
   * empty, a damaged one never.
   */
  load(id: string): Promise<Stream>;
  /** Several at once, each in its place: a stream, or why it cannot be read, which does not hide the others. */
  loadAll(ids: Iterable<string>): Promise<ReadonlyMap<string, Stream | PluginError>>;
  /**
   * What has been appended to and set aside since a position, or all streams where none is given or it is no good any more. `anew`:
   * believing nothing that this host has kept of an earlier look. May lag by moments.
   */
  changes(look?: { readonly since?: string | undefined; readonly anew?: boolean }): Promise<Changes>;
  /** Ids of all streams set aside. */
  archived(): Promise<readonly string[]>;
}

/** Streams as a look at the store found them. */
export interface Changes {
  /** To be given next time; undefined where the next look has to start from all streams. */
  readonly position: string | undefined;
  /** Whether streams that are not named are as they were; else `changed` are all that are not set aside. */
  readonly isIncrement: boolean;
  /** Each with a stamp (ms since the epoch, and a part of one) that changes with every append. */
  readonly changed: ReadonlyMap<string, number>;
  /** Those set aside, of an increment. */
  readonly setAside: readonly string[];
}

/** What loads several streams by what loads one: they do not wait for one another. */
export const loadingAll =
  (load: StreamReader['load']): StreamReader['loadAll'] =>
  async (ids) => {
    const loadOne = async (id: string) => {
      const loaded = await load(id).catch((error: unknown) => {
        if (!isPluginError(error)) throw error;
        return error;
      });
      return [id, loaded] as const;
    };
    return new Map(await Promise.all([...new Set(ids)].map(loadOne)));
  };

export interface RequestStreams extends StreamReader {
  /**
   * On disk before it resolves with the new version. Throws `storage.conflict` if somebody has written since `version`,
   * `storage.unwritable` if the disk refuses. `holds`: what the ledger of its template is to say of the request from then on;
   * without events only that is written.
   */
  append(id: string, version: number, events: readonly StreamEvent[], origin: Origin, holds?: Holding): Promise<number>;
  /** Sets a finished stream aside. It can still be loaded; it is not listed any more. */
  archive(id: string): Promise<void>;
  /** Compresses what was set aside, and forgets what was compressed before `dropBefore`. */
  packArchive(dropBefore: number): Promise<void>;
}

/** Streams that can take over records from elsewhere. */
export interface RestorableStreams extends RequestStreams {
  /** Appends events as they are. Throws as `append` does. */
  restore(id: string, version: number, events: readonly RecordedEvent[]): Promise<number>;
}

/** Which requests hold machines of which template: enforces `maxNumber` across processes without reading any stream. */
export interface CapacityLedger {
  /** Claims `units` of the template for a request, unless that would exceed `limit` (no limit when undefined). */
  reserve(
    claim: CapacityClaim,
    limit: number | undefined,
  ): Promise<{ readonly granted: boolean; readonly live: number }>;
  /**
   * States what a request holds now; 0 takes it out of the ledger. `before`: what it held by its record until then, which spares a look
   * where the ledger says so; a store that is far away may believe that it does.
   */
  update(claim: CapacityClaim, before?: number): Promise<void>;
  /** Requests in the ledger, of one template or all. */
  list(templateId?: string): Promise<readonly ListedClaim[]>;
}

export interface CapacityClaim {
  readonly templateId: string;
  readonly requestId: string;
  readonly units: number;
}

export interface ListedClaim extends CapacityClaim {
  /** When it was made, ms. */
  readonly since: number;
}

/** What a request holds by the record that is written. */
export interface Holding {
  readonly now: CapacityClaim;
  /** Units that it held by the record before. */
  readonly before: number;
  /** Whether the ledger may say something else than `before`. */
  readonly isUnsure: boolean;
}
