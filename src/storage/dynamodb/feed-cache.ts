import { join } from 'node:path';
import { isPluginError } from '../../domain/errors.ts';
import { isCreateId, isReturnId } from '../../domain/ids.ts';
import { readIfPresent, replaceFile } from '../atomic-file.ts';
import type { FeedCache, FeedReading } from './feed.ts';

/** Changes with every change of what is kept: a file of another format is not read. */
const format = 2;

interface FeedCacheOptions {
  readonly workDir: string;
  readonly table: string;
  readonly owner: string;
  /** Whether nothing may be written. */
  readonly looksOnly: () => boolean;
}

/** `cache/feed.json`, of one owner in one table. Private to its owner; safe to delete. */
export const createFeedCache = ({ workDir, table, owner, looksOnly }: FeedCacheOptions): FeedCache => {
  const path = join(workDir, 'cache', 'feed.json');
  return {
    load: async () => {
      try {
        const document: unknown = JSON.parse((await readIfPresent(path)) ?? '');
        return isDocument(document) && document.table === table && document.owner === owner
          ? readingIn(document)
          : undefined;
      } catch {
        return undefined;
      }
    },
    save: async ({ streams, ...reading }) => {
      if (looksOnly()) return;
      const rows = [...streams].map(
        ([id, { version, at, asideAt, asideVersion }]): Row => [id, version, at, asideAt, asideVersion],
      );
      const document: Document = { format, table, owner, ...reading, streams: rows };
      await replaceFile(path, `${JSON.stringify(document)}\n`).catch((error: unknown) => {
        if (!isPluginError(error)) throw error;
      });
    },
  };
};

type Row = readonly [id: string, version: number, at: number, asideAt: number, asideVersion: number];

interface Document extends Omit<FeedReading, 'streams'> {
  readonly format: number;
  readonly table: string;
  readonly owner: string;
  readonly streams: readonly Row[];
}

const isRow = (value: unknown): value is Row => {
  if (!Array.isArray(value)) return false;
  const [id, ...numbers]: readonly unknown[] = value;
  const isId = typeof id === 'string' && (isCreateId(id) || isReturnId(id));
  return isId && numbers.length === 4 && numbers.every(Number.isFinite);
};

const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' &&
  value !== null &&
  'format' in value &&
  value.format === format &&
  'storeId' in value &&
  typeof value.storeId === 'string' &&
  'position' in value &&
  Number.isFinite(value.position) &&
  'fullReadAt' in value &&
  Number.isFinite(value.fullReadAt) &&
  'streams' in value &&
  Array.isArray(value.streams) &&
  value.streams.every(isRow);

const readingIn = ({ storeId, position, fullReadAt, streams }: Document): FeedReading => ({
  storeId,
  position,
  fullReadAt,
  streams: new Map(
    streams.map(([id, version, at, asideAt, asideVersion]) => [id, { version, at, asideAt, asideVersion }]),
  ),
});
