import { join } from 'node:path';
import type { UnseenHosts } from '../application/ports/memory.ts';
import { hasCode } from '../domain/errors.ts';
import { replaceableDocument } from './json-documents.ts';

/** Milliseconds since the epoch by name. */
type Times = Readonly<Record<string, number>>;

const isTimes = (value: unknown): value is Times =>
  typeof value === 'object' && value !== null && Object.values(value).every(Number.isFinite);

/** Times in a file of `cache`. What cannot be read or kept is as if it had never been noted. */
const notedTimes = (workDirectory: string, file: string) => {
  const document = replaceableDocument(join(workDirectory, 'cache', file), isTimes);
  return {
    read: async (): Promise<Times> => {
      const stored = await document.read().catch((error: unknown) => {
        if (!hasCode(error, 'storage.unreadable')) throw error;
      });
      return stored ?? {};
    },
    write: (times: Times): Promise<void> =>
      document.write(times).catch((error: unknown) => {
        if (!hasCode(error, 'storage.unwritable')) throw error;
      }),
  };
};

/** When tasks that are done now and then were last begun or done, in `cache/housekeeping.json`; intervals are in ms. */
export const createLastDone = (workDirectory: string, clock: () => number) => {
  const times = notedTimes(workDirectory, 'housekeeping.json');
  // A time that lies ahead was noted by a clock that was wrong.
  const isOver = (last: number, interval: number): boolean => last > clock() || clock() - last >= interval;
  const isDue = async (task: string, interval: number): Promise<boolean> =>
    isOver((await times.read())[task] ?? 0, interval);
  const note = async (task: string): Promise<void> => times.write({ ...(await times.read()), [task]: clock() });
  return {
    isDue,
    note,
    /** Whether it is due, and then it is noted to begin now: one that fails is not tried again at every call. 0: never. */
    turn: async (task: string, interval: number): Promise<boolean> => {
      if (interval <= 0 || !(await isDue(task, interval))) return false;
      await note(task);
      return true;
    },
  };
};

/** Who holds hosts asks about them all the time; what nobody asks about for so long, ms, is forgotten. */
const keptFor = 7 * 24 * 3_600_000;

/** `cache/unseen.json`: since when EC2 has not shown hosts that no record knows. */
export const createUnseenHosts = (workDirectory: string): UnseenHosts => {
  const times = notedTimes(workDirectory, 'unseen.json');
  const since = async (now: number): Promise<ReadonlyMap<string, number>> =>
    // A time that lies ahead was noted by a clock that was wrong.
    new Map(Object.entries(await times.read()).filter(([, at]) => at <= now && now - at < keptFor));
  return {
    since,
    note: async ({ now, unseen, shown }) => {
      const known = [...(await since(now))].filter(([key]) => !shown.includes(key));
      await times.write({ ...Object.fromEntries(unseen.map((key) => [key, now])), ...Object.fromEntries(known) });
    },
  };
};
