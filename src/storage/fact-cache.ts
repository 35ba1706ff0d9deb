import { join } from 'node:path';
import { Low } from 'lowdb';
import type { Facts } from '../application/ports/memory.ts';
import type { Logger } from '../application/ports/telemetry.ts';
import { hasCode } from '../domain/errors.ts';
import { replaceableDocument } from './json-documents.ts';

/** Of the values: raised when the form of the values changes, so that old values are not read as new ones. */
const form = 1;

interface Entry {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly notedAt: number;
  readonly expires: number;
}

type Entries = Readonly<Record<string, Entry>>;

const isEntries = (value: unknown): value is Entries =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every(
    (entry: unknown) =>
      typeof entry === 'object' && entry !== null && 'value' in entry && 'notedAt' in entry && 'expires' in entry,
  );

/** What was noted at a time that lies ahead was noted by a clock that was wrong: its end is as wrong. */
const holds = ({ notedAt, expires }: Entry, now: number): boolean => notedAt <= now && expires > now;

interface FactCacheOptions {
  /** Whether nothing may be written: then a fact that is not stored is found, and not kept. */
  readonly looksOnly?: (() => boolean) | undefined;
  /** Hears of hits and misses. */
  readonly log?: Pick<Logger, 'debug'> | undefined;
}

/** Facts in `cache/<name>.json`, each for its lifetime. What cannot be read is looked up again; what cannot be written is not kept. */
export const createFactCache = (
  workDirectory: string,
  name: string,
  clock: () => number,
  { looksOnly = () => false, log }: FactCacheOptions = {},
): Facts => {
  const open = async (): Promise<Low<Entries>> => {
    const document = new Low<Entries>(replaceableDocument(join(workDirectory, 'cache', `${name}.json`), isEntries), {});
    await document.read().catch((error: unknown) => {
      if (!hasCode(error, 'storage.unreadable')) throw error;
    });
    return document;
  };
  const peek: Facts['peek'] = async (fact) => {
    const isKnown = ([key, entry]: readonly [string, Entry]): boolean =>
      key === `${fact}#${form}` && holds(entry, clock());
    return Object.entries((await open()).data).find(isKnown)?.[1].value;
  };
  return {
    peek,
    forget: async (value) => {
      if (looksOnly()) return;
      const document = await open();
      document.data = Object.fromEntries(Object.entries(document.data).filter(([, entry]) => entry.value !== value));
      await document.write().catch((error: unknown) => {
        if (!hasCode(error, 'storage.unwritable')) throw error;
      });
    },
    get: async (fact, lifetime, find) => {
      const key = `${fact}#${form}`;
      const known = await peek(fact);
      log?.debug(known === undefined ? 'cache.miss' : 'cache.hit', `${name} ${key}`);
      if (known !== undefined) return known;
      const value = await find();
      if (looksOnly()) return value;
      const document = await open();
      const now = clock();
      const fresh = Object.entries(document.data).filter(([, entry]) => holds(entry, now));
      document.data = { ...Object.fromEntries(fresh), [key]: { value, notedAt: now, expires: now + lifetime(value) } };
      await document.write().catch((error: unknown) => {
        if (!hasCode(error, 'storage.unwritable')) throw error;
      });
      return value;
    },
  };
};
