import { join } from 'node:path';
import type { UnseenHosts } from '../application/ports/memory.ts';
import { hasCode } from '../domain/errors.ts';
import { replaceableDocument } from './json-documents.ts';

type Stored = Readonly<Record<string, number>>;

const isStored = (value: unknown): value is Stored =>
  typeof value === 'object' && value !== null && Object.values(value).every(Number.isFinite);

/** Who holds hosts asks about them all the time; what nobody asks about for so long, ms, is forgotten. */
const keptFor = 7 * 24 * 3_600_000;

/**
 * `cache/unseen.json`: since when EC2 has not shown hosts that no record knows. What cannot be read or kept is seen for the first
 * time again.
 */
export const createUnseenHosts = (workDirectory: string): UnseenHosts => {
  const document = replaceableDocument(join(workDirectory, 'cache', 'unseen.json'), isStored);
  const read = async (): Promise<ReadonlyMap<string, number>> => {
    const stored = await document.read().catch((error: unknown) => {
      if (!hasCode(error, 'storage.unreadable')) throw error;
    });
    return new Map(Object.entries(stored ?? {}));
  };
  return {
    note: async ({ now, unseen, shown }) => {
      const known = await read();
      // A time that lies ahead was noted by a clock that was wrong.
      const earlier = new Map(
        [...known].filter(([key, at]) => !shown.includes(key) && at <= now && now - at < keptFor),
      );
      const after = new Map([...unseen.map((key) => [key, now] as const), ...earlier]);
      const isNew = after.size !== known.size || [...after].some(([key, at]) => known.get(key) !== at);
      if (isNew)
        await document.write(Object.fromEntries(after)).catch((error: unknown) => {
          if (!hasCode(error, 'storage.unwritable')) throw error;
        });
      return earlier;
    },
  };
};
