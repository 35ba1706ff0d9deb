import { isCreateId, isReturnId } from '../../domain/ids.ts';
import { type Item, type Table, text, textIn } from './table.ts';

const dayMs = 86_400_000;

/** Clocks of hosts and the index itself may lag by so much, ms: what was appended shortly before a position is told once more. */
const overlap = 5 * 60_000;

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

const orderOf = (time: number): string => String(Math.max(0, Math.round(time))).padStart(13, '0');

/** What the sort key of the last item of a stream is, once the stream is set aside. */
export const setAside = 'archived';

/** A stream as the feed tells of it. */
export interface Latest {
  /** When it was last appended to, ms. */
  readonly at: number;
  readonly isSetAside: boolean;
}

interface Entry extends Latest {
  readonly id: string;
  /** -1 for what sets it aside. */
  readonly version: number;
}

const entryOf = (item: Item): Entry | undefined => {
  const [time = '', id = '', what = ''] = (textIn(item, 'o') ?? '').split('#');
  if (!(isCreateId(id) || isReturnId(id))) return undefined;
  return { id, at: Number(time), isSetAside: what === setAside, version: what === setAside ? -1 : Number(what) };
};

/** Of appends the one of the highest version tells, whatever the writers' clocks say; setting aside comes long after the last. */
const later = (one: Entry | undefined, other: Entry): Entry => {
  if (one === undefined) return other;
  if (other.isSetAside) return other.at >= one.at ? other : one;
  if (one.isSetAside) return other.at > one.at ? other : one;
  return other.version > one.version ? other : one;
};

/**
 * Everything that was appended to any stream, in the order of the writers' clocks: an index that DynamoDB keeps by itself, one
 * partition a day.
 */
export const createFeed = (table: Table, owner: string, clock: () => number) => {
  const feedOf = (day: string): string => `${owner}#feed#${day}`;
  return {
    /** The attributes by which an item is in the feed. */
    place: (id: string, what: string): Item => {
      const now = clock();
      return { f: text(feedOf(dayOf(now))), o: text(`${orderOf(now)}#${id}#${what}`) };
    },
    /** The last of each stream that anything happened to since `from`, ms, or shortly before. */
    since: async (from: number): Promise<ReadonlyMap<string, Latest>> => {
      const start = from - overlap;
      const days: string[] = [];
      for (let time = start; dayOf(time) <= dayOf(clock() + overlap); time += dayMs) days.push(dayOf(time));
      const found = await Promise.all(days.map((day) => table.feed({ feed: feedOf(day), from: orderOf(start) })));
      const latest = new Map<string, Entry>();
      for (const item of found.flat()) {
        const entry = entryOf(item);
        if (entry !== undefined) latest.set(entry.id, later(latest.get(entry.id), entry));
      }
      return latest;
    },
  };
};
