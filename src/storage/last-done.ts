import { join } from 'node:path';
import { hasCode } from '../domain/errors.ts';
import { replaceableDocument } from './json-documents.ts';

type Stored = Readonly<Record<string, number>>;

const isStored = (value: unknown): value is Stored =>
  typeof value === 'object' && value !== null && Object.values(value).every(Number.isFinite);

/**
 * When tasks that are done now and then were last begun, in `cache/housekeeping.json`. Answers whether that was not within the interval
 * (ms), and then notes that the task begins now: one that fails is not tried again at every call. An interval of 0: never.
 */
export const createLastDone = (workDirectory: string, clock: () => number) => {
  const document = replaceableDocument(join(workDirectory, 'cache', 'housekeeping.json'), isStored);
  return async (task: string, interval: number): Promise<boolean> => {
    if (interval <= 0) return false;
    const stored = await document.read().catch((error: unknown) => {
      if (!hasCode(error, 'storage.unreadable')) throw error;
    });
    const now = clock();
    const last = stored?.[task] ?? 0;
    // A time that lies ahead was noted by a clock that was wrong.
    if (last <= now && now - last < interval) return false;
    await document.write({ ...stored, [task]: now }).catch((error: unknown) => {
      if (!hasCode(error, 'storage.unwritable')) throw error;
    });
    return true;
  };
};
