import { join } from 'node:path';
import { Low } from 'lowdb';
import type { SweepMemory } from '../application/ports.ts';
import { hasCode } from '../domain/errors.ts';
import { replaceableDocument } from './json-documents.ts';

interface Stored {
  readonly orphans: Readonly<Record<string, number>>;
  readonly ending: readonly string[];
}

const isStored = (value: unknown): value is Stored =>
  typeof value === 'object' &&
  value !== null &&
  'orphans' in value &&
  typeof value.orphans === 'object' &&
  value.orphans !== null &&
  Object.values(value.orphans).every(Number.isFinite) &&
  'ending' in value &&
  Array.isArray(value.ending) &&
  value.ending.every((id) => typeof id === 'string');

/** What sweeps remember, in `cache/sweep.json`. */
export const createSweepMemory = (workDirectory: string): SweepMemory => {
  const open = (): Low<Stored> =>
    new Low<Stored>(replaceableDocument(join(workDirectory, 'cache', 'sweep.json'), isStored), {
      orphans: {},
      ending: [],
    });
  return {
    read: async () => {
      const document = open();
      await document.read().catch((error: unknown) => {
        if (!hasCode(error, 'storage.unreadable')) throw error;
      });
      return { orphans: new Map(Object.entries(document.data.orphans)), ending: document.data.ending };
    },
    write: async ({ orphans, ending }) => {
      const document = open();
      document.data = { orphans: Object.fromEntries(orphans), ending };
      await document.write();
    },
  };
};
