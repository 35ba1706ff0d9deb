import { join } from 'node:path';
import { Low } from 'lowdb';
import type { PriceMemory, RememberedPrices } from '../application/ports/memory.ts';
import { hasCode } from '../domain/errors.ts';
import { replaceableDocument } from './json-documents.ts';

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isRecordOf = (value: unknown, check: (each: unknown) => boolean): boolean =>
  isRecord(value) && Object.values(value).every(check);
const isNumber = (value: unknown): boolean => typeof value === 'number';

const isPrices = (value: unknown): value is RememberedPrices =>
  isRecord(value) &&
  typeof value['refreshedAt'] === 'number' &&
  typeof value['region'] === 'string' &&
  isRecordOf(value['onDemand'], isNumber) &&
  isRecordOf(value['spot'], (zones) => isRecordOf(zones, isNumber)) &&
  isRecordOf(value['zones'], (zone) => typeof zone === 'string');

/** On-demand prices that came with the program, of Regions where they are the same. */
interface Shipped {
  readonly regions: readonly string[];
  /** When they were the list prices. */
  readonly asOf: string;
  readonly usdPerHour: Readonly<Record<string, number>>;
}

const isShipped = (value: unknown): value is Shipped =>
  isRecord(value) &&
  Array.isArray(value['regions']) &&
  typeof value['asOf'] === 'string' &&
  isRecordOf(value['usdPerHour'], isNumber);

/**
 * Prices last asked of AWS, in `cache/prices.json` of the work directory, over the on-demand prices shipped in `shippedFile`. Those of
 * another Region count for nothing.
 */
export const createPriceMemory = (
  workDirectory: string,
  shippedFile: string,
  region: string | undefined,
): Pick<PriceMemory, 'read' | 'replace'> => {
  const file = join(workDirectory, 'cache', 'prices.json');
  const nothing: RememberedPrices = { refreshedAt: 0, region: region ?? '', onDemand: {}, spot: {}, zones: {} };
  const readFrom = async <T>(document: Low<T>): Promise<T> => {
    await document.read().catch((error: unknown) => {
      // What cannot be read is as good as never asked for.
      if (!hasCode(error, 'storage.unreadable')) throw error;
    });
    return document.data;
  };
  return {
    read: async () => {
      const known = await readFrom(new Low(replaceableDocument(file, isPrices), nothing));
      const shipped = await readFrom(
        new Low<Shipped>(replaceableDocument(shippedFile, isShipped), { regions: [], asOf: '', usdPerHour: {} }),
      );
      const own = known.region === region ? known : nothing;
      if (!shipped.regions.includes(region ?? '')) return own;
      return { ...own, onDemand: { ...shipped.usdPerHour, ...own.onDemand }, shippedOf: shipped.asOf };
    },
    replace: async (prices) => {
      const document = new Low(replaceableDocument(file, isPrices), nothing);
      document.data = { ...prices, region: region ?? '' };
      await document.write();
    },
  };
};
