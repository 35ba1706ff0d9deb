import { join } from 'node:path';
import { Low } from 'lowdb';
import type { PriceMemory } from '../application/ports/memory.ts';
import { hasCode } from '../domain/errors.ts';
import { type PriceHistory, withoutOldest, withPrices } from '../domain/template/price-history.ts';
import { replaceableDocument } from './json-documents.ts';

/** A month of 400 spot prices that change four times a day; about 1.5 MB. */
const mostPoints = 50_000;

interface Stored extends PriceHistory {
  readonly region: string;
}

const isRecordOf = (value: unknown, check: (each: unknown) => boolean): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(check);
const isPoints = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite));

const isStored = (value: unknown): value is Stored =>
  typeof value === 'object' &&
  value !== null &&
  'region' in value &&
  'onDemand' in value &&
  'spot' in value &&
  typeof value.region === 'string' &&
  isRecordOf(value.onDemand, isPoints) &&
  isRecordOf(value.spot, (zones) => isRecordOf(zones, isPoints));

/** How prices went, in `cache/price-history.json` of the work directory. That of another Region counts for nothing. */
export const createPriceHistory = (workDirectory: string, region = ''): Pick<PriceMemory, 'history' | 'note'> => {
  const nothing: Stored = { region, onDemand: {}, spot: {} };
  const document = () =>
    new Low(replaceableDocument(join(workDirectory, 'cache', 'price-history.json'), isStored), nothing);
  const read = async (): Promise<PriceHistory> => {
    const stored = document();
    await stored.read().catch((error: unknown) => {
      // As good as never heard of: usage then goes by the latest prices.
      if (!hasCode(error, 'storage.unreadable')) throw error;
    });
    return stored.data.region === region ? stored.data : nothing;
  };
  return {
    history: read,
    note: async (heard) => {
      const stored = document();
      stored.data = { region, ...withoutOldest(withPrices(await read(), heard), mostPoints) };
      await stored.write();
    },
  };
};
