import type { Changes } from '../../application/ports/streams.ts';
import { isCreateId, isReturnId } from '../../domain/ids.ts';
import { type Item, type Table, text, textIn } from './table.ts';

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

/** Clocks of hosts and the index itself may lag by so much, ms: what was appended shortly before a position is read once more. */
const overlap = 6 * minute;

/** After so long, ms, everything is read again: what was dropped elsewhere is forgotten, what came very late is found. */
const fullReadAfter = hour;

const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

const orderOf = (time: number): string => String(Math.max(0, Math.round(time))).padStart(13, '0');

/** What the sort key of the last item of a stream is, once the stream is set aside. */
export const setAside = 'archived';

/** A stream as the feed has it. */
export interface Told {
  /** Of the last append; -1 while only setting aside was seen. */
  readonly version: number;
  /** When that was, ms, by the clock of who wrote it. */
  readonly at: number;
  /** When it was last set aside, ms; 0: never. */
  readonly asideAt: number;
  /** How many events it had then. */
  readonly asideVersion: number;
}

/** By versions, whatever the writers' clocks say: an append that came after it has a version of its own. */
export const isSetAside = ({ version, asideVersion }: Told): boolean => asideVersion > version;

/** As many versions as a number of today's milliseconds has room for behind the point. */
const versionsTold = 4096;

/** The time of the last append, with its version behind the point: two hosts may append within one millisecond. */
const stampOf = ({ version, at }: Told): number => at + (version % versionsTold) / versionsTold;

type Streams = ReadonlyMap<string, Told>;

/** The feed as a host has read it. */
export interface FeedReading {
  /** Of the store that the table held. */
  readonly storeId: string;
  /** What was written before, ms, is in it, but for what came late. */
  readonly position: number;
  /** When everything was last read, ms. */
  readonly fullReadAt: number;
  readonly streams: Streams;
}

/** Keeps on a host what was read of the feed. Losing it costs time, never truth. */
export interface FeedCache {
  load(): Promise<FeedReading | undefined>;
  /** What cannot be kept is read again. */
  save(reading: FeedReading): Promise<void>;
}

interface Entry {
  readonly id: string;
  readonly time: number;
  readonly told: Told;
}

const entryOf = (item: Item): Entry | undefined => {
  const [order, id = '', what = '', events = ''] = (textIn(item, 'o') ?? '').split('#');
  if (!(isCreateId(id) || isReturnId(id))) return undefined;
  const time = Number(order);
  const told =
    what === setAside
      ? { version: -1, at: 0, asideAt: time, asideVersion: Number(events) }
      : { version: Number(what), at: time, asideAt: 0, asideVersion: -1 };
  return { id, time, told };
};

/** The append of the highest version counts, whatever the writers' clocks say: the order of merging does not matter. */
const merged = (one: Told | undefined, other: Told): Told => {
  if (one === undefined) return other;
  const { version, at } = other.version >= one.version ? other : one;
  const asideVersion = Math.max(one.asideVersion, other.asideVersion);
  return { version, at, asideAt: Math.max(one.asideAt, other.asideAt), asideVersion };
};

interface FeedOptions {
  readonly table: Table;
  readonly owner: string;
  readonly clock: () => number;
  /** The store in the table and when it was made, ms: nothing in the feed is older. */
  readonly store: () => Promise<{ readonly id: string; readonly madeAt: number } | undefined>;
  /** Where everything is not read each time. */
  readonly cache?: FeedCache | undefined;
}

/**
 * Everything that was appended to any stream, in the order of the writers' clocks: an index that DynamoDB keeps by itself, one
 * partition a day.
 */
export const createFeed = ({ table, owner, clock, store, cache }: FeedOptions) => {
  const feedOf = (date: string): string => `${owner}#feed#${date}`;
  let held: FeedReading | undefined;
  let saved: FeedReading | undefined;

  const entriesFrom = async (start: number): Promise<readonly Entry[]> => {
    const dates: string[] = [];
    for (let time = start; dateOf(time) <= dateOf(clock() + overlap); time += day) dates.push(dateOf(time));
    const found = await Promise.all(dates.map((date) => table.feed({ feed: feedOf(date), from: orderOf(start) })));
    return found.flat().flatMap((item) => entryOf(item) ?? []);
  };

  /** What was read before, where it can be gone on from. */
  const before = async (storeId: string, now: number): Promise<FeedReading | undefined> => {
    if (cache === undefined) return undefined;
    if (held === undefined) {
      held = await cache.load();
      saved = held;
    }
    // A time that lies ahead was noted before the clock was set back.
    const age = held === undefined ? fullReadAfter : now - held.fullReadAt;
    return held?.storeId === storeId && age >= 0 && age < fullReadAfter ? held : undefined;
  };

  const keep = async (reading: FeedReading): Promise<void> => {
    held = reading;
    // What the saved one lacks of the last minute is read again with the overlap.
    if (saved?.fullReadAt === reading.fullReadAt && reading.position - saved.position < minute) return;
    saved = reading;
    await cache?.save(reading);
  };

  const read = async (anew = false): Promise<FeedReading> => {
    const now = clock();
    const made = await store();
    const known = anew || made === undefined ? undefined : await before(made.id, now);
    // A position that lies ahead is of before this host's clock was set back.
    const from = Math.min(known?.position ?? made?.madeAt ?? now, now);
    const entries = await entriesFrom(from - overlap);
    const streams = new Map(known?.streams);
    let newest = from;
    for (const { id, time, told } of entries) {
      streams.set(id, merged(streams.get(id), told));
      newest = Math.max(newest, time);
    }
    // Not beyond what was seen, which the index may lag behind, nor beyond this clock, which a writer's may be ahead of; but
    // where nothing happens for days they are not all asked for.
    const position = Math.max(Math.min(newest, now), now - day);
    const reading = { storeId: made?.id ?? '', position, fullReadAt: known?.fullReadAt ?? now, streams };
    if (cache !== undefined && made !== undefined) await keep(reading);
    return reading;
  };

  return {
    /** The attributes by which an item is in the feed. */
    entry: (id: string, what: string): Item => {
      const now = clock();
      return { f: text(feedOf(dateOf(now))), o: text(`${orderOf(now)}#${id}#${what}`) };
    },
    /** Every stream in it, with those set aside. `anew`: believing nothing that was kept of it. */
    streams: async (anew = false): Promise<Streams> => (await read(anew)).streams,
    changes: async (since: string | undefined, anew = false): Promise<Changes> => {
      const reading = await read(anew);
      const start = anew ? undefined : startOf(reading, since);
      const streams = [...reading.streams].filter(
        ([, { at, asideAt }]) => start === undefined || Math.max(at, asideAt) >= start - overlap,
      );
      return {
        position: positionOf(reading),
        isIncrement: start !== undefined,
        changed: new Map(streams.flatMap(([id, told]) => (isSetAside(told) ? [] : [[id, stampOf(told)] as const]))),
        setAside: start === undefined ? [] : streams.flatMap(([id, told]) => (isSetAside(told) ? [id] : [])),
      };
    },
  };
};

/** None where nobody knows yet which store the table holds. */
const positionOf = ({ storeId, fullReadAt, position }: FeedReading): string | undefined =>
  storeId === '' ? undefined : `${storeId} ${fullReadAt} ${position}`;

/**
 * From when on, ms, a reading may tell what is not known at an earlier position of the same host; undefined where it has read everything
 * since, or its clock was set back.
 */
const startOf = (reading: FeedReading, since: string | undefined): number | undefined => {
  const start = Number(since?.split(' ')[2] ?? Number.NaN);
  return since !== undefined && since === positionOf({ ...reading, position: start }) && start <= reading.position
    ? start
    : undefined;
};
