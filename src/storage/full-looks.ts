import { join } from 'node:path';
import type { FullLooks } from '../application/ports/instance-events.ts';
import { hasCode } from '../domain/errors.ts';
import { replaceableDocument } from './json-documents.ts';

interface Stored {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const isStored = (value: unknown): value is Stored =>
  typeof value === 'object' && value !== null && 'at' in value && Number.isFinite(value.at);

/** When all hosts were last looked at, in `cache/full-look.json`; due again after `interval`, ms. What cannot be kept is due. */
export const createFullLooks = (workDirectory: string, clock: () => number, interval: number): FullLooks => {
  const document = replaceableDocument(join(workDirectory, 'cache', 'full-look.json'), isStored);
  return {
    isDue: async () => {
      const stored = await document.read().catch((error: unknown) => {
        if (!hasCode(error, 'storage.unreadable')) throw error;
      });
      const [now, last = 0] = [clock(), stored?.at];
      // A time that lies ahead was noted by a clock that was wrong.
      return last > now || now - last >= interval;
    },
    note: async () => {
      await document.write({ at: clock() }).catch((error: unknown) => {
        if (!hasCode(error, 'storage.unwritable')) throw error;
      });
    },
  };
};
