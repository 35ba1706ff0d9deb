import { join } from 'node:path';
import { Low } from 'lowdb';
import type { SweepMemory } from '../application/ports/memory.ts';
import { hasCode } from '../domain/errors.ts';
import { replaceableDocument } from './json-documents.ts';

interface Stored {
  readonly orphans: Readonly<Record<string, number>>;
}

const isStored = (value: unknown): value is Stored =>
  typeof value === 'object' &&
  value !== null &&
  'orphans' in value &&
  typeof value.orphans === 'object' &&
  value.orphans !== null &&
  Object.values(value.orphans).every(Number.isFinite);

/** What sweeps remember, in `cache/sweep.json`. */
export const createSweepMemory = (workDirectory: string): SweepMemory => {
  const open = (): Low<Stored> =>
    new Low<Stored>(replaceableDocument(join(workDirectory, 'cache', 'sweep.json'), isStored), {
      orphans: {},
    });
  return {
    read: async () => {
      const document = open();
      await document.read().catch((error: unknown) => {
        if (!hasCode(error, 'storage.unreadable')) throw error;
      });
      return { orphans: new Map(Object.entries(document.data.orphans)) };
    },
    write: async ({ orphans }) => {
      const document = open();
      document.data = { orphans: Object.fromEntries(orphans) };
      await document.write();
    },
  };
};
