import { setTimeout as wait } from 'node:timers/promises';
import {
  loadingAll,
  type RecordedEvent,
  type RestorableStreams,
  type Stream,
} from '../../application/ports/streams.ts';
import { messageOf, PluginError } from '../../domain/errors.ts';
import { isCreateId, isReturnId } from '../../domain/ids.ts';
import { isBatchOf, lifted, toStored } from '../stored-events.ts';
import { createFeed, type FeedCache, isSetAside, setAside } from './feed.ts';
import { pack, unpack } from './packing.ts';
import { type Item, number, type Table, text, textIn } from './table.ts';

/** Milliseconds. */
const longestPause = 40;

const isStreamId = (id: string): boolean => isCreateId(id) || isReturnId(id);

const versionForm = /^\d{9}$/;
const keyAt = (version: number): string => String(version).padStart(9, '0');

const newWriterId = (): string => process.getBuiltinModule('node:crypto').randomBytes(8).toString('hex');

export interface TableStreamsOptions {
  readonly table: Table;
  /** `<cluster>/<provider>`: every key begins with it. */
  readonly owner: string;
  /** Milliseconds since the epoch, by AWS's clock where it was heard. */
  readonly clock: () => number;
  /** The store in the table and when it was made, ms; undefined where there is none yet. */
  readonly store: () => Promise<{ readonly id: string; readonly madeAt: number } | undefined>;
  /** Where this host keeps what it has read of the feed; without it everything is read each time. */
  readonly feedCache?: FeedCache | undefined;
}

/**
 * One partition per request, one item per append, its sort key the version it was appended at: `attribute_not_exists` lets one of
 * several win. What is too long for an item lies in pieces beside it, written before it under the writer's id; those of one that
 * lost are never read.
 */
export const createTableStreams = ({
  table,
  owner,
  clock,
  store,
  feedCache,
}: TableStreamsOptions): RestorableStreams => {
  const feed = createFeed({ table, owner, clock, store, cache: feedCache });
  const partitionOf = (id: string): string => `${owner}#${id}`;

  const unreadable = (id: string, sk: string, why: string, cause?: unknown): PluginError =>
    new PluginError('storage.unreadable', `item ${sk} of ${partitionOf(id)} in table ${table.name} ${why}`, { cause });

  const eventsOf = (id: string, item: Item, items: ReadonlyMap<string, Item>) => {
    const sk = textIn(item, 'sk') ?? '';
    const content = unpack(item, items);
    if (content === undefined) throw unreadable(id, sk, 'is not whole');
    const batch = { stream: id, events: parse(content, (cause) => unreadable(id, sk, 'is not JSON', cause)) };
    if (!isBatchOf(id)(batch)) throw unreadable(id, sk, 'does not hold what this program writes there');
    return lifted(batch.events);
  };

  const load = async (id: string): Promise<Stream> => {
    if (!isStreamId(id)) return { version: 0, events: [] };
    const items = await table.list({ pk: partitionOf(id) });
    const byKey = new Map(items.map((item) => [textIn(item, 'sk') ?? '', item]));
    const appends = [...byKey].filter(([sk]) => versionForm.test(sk));
    const events: RecordedEvent[] = [];
    for (const [sk, item] of appends) {
      const missing = keyAt(events.length);
      if (sk !== missing) throw unreadable(id, missing, 'is missing although later ones are there');
      events.push(...eventsOf(id, item, byKey));
    }
    return { version: events.length, events };
  };

  const drop = async (id: string): Promise<void> => {
    const pk = partitionOf(id);
    const items = await table.list({ pk });
    const keys = items.map((item) => textIn(item, 'sk') ?? '');
    // What sets it aside goes last: after whatever kill the stream is found here again.
    const rest = keys.filter((sk) => sk !== setAside);
    await Promise.all(rest.map((sk) => table.remove({ pk, sk })));
    await table.remove({ pk, sk: setAside });
  };

  const write = async (id: string, version: number, events: readonly RecordedEvent[]): Promise<number> => {
    if (!isStreamId(id)) throw new PluginError('input.invalid', `"${id}" is not a request id`);
    if (events.length === 0) return version;
    const [pk, sk, writer] = [text(partitionOf(id)), keyAt(version), newWriterId()];
    const { fields, pieces } = pack(JSON.stringify(events), sk, writer);
    await Promise.all(pieces.map((piece) => table.put({ pk, sk: text(piece.sk), ...piece.fields })));
    const about = { n: number(events.length), w: text(writer), ...feed.entry(id, String(version)) };
    const inTheWay = await table.create({ pk, sk: text(sk), ...fields, ...about });
    // Our own: it was written, and the answer lost.
    if (inTheWay === undefined || textIn(inTheWay, 'w') === writer) return version + events.length;
    // Of many that append at once each has its turn sooner when they do not all come back together.
    await wait(Math.random() * longestPause);
    throw new PluginError('storage.conflict', `${id} was written by another process at version ${version}`);
  };

  return {
    load,

    loadAll: loadingAll(load),

    append: (id, version, events, origin) => write(id, version, toStored(events, origin)),

    restore: write,

    changes: ({ since, anew } = {}) => feed.changes(since, anew),

    archived: async () => [...(await feed.streams())].flatMap(([id, told]) => (isSetAside(told) ? [id] : [])),

    archive: async (id) => {
      const { version } = await load(id);
      await table.put({ pk: text(partitionOf(id)), sk: text(setAside), ...feed.entry(id, `${setAside}#${version}`) });
    },

    packArchive: async (dropBefore) => {
      if (dropBefore === 0) return;
      // What is dropped is gone for good: by what the table says now.
      const streams = [...(await feed.streams(true))];
      const old = streams.filter(([, told]) => isSetAside(told) && told.asideAt < dropBefore);
      for (const [id] of old) await drop(id);
      if (old.length > 0) await feed.streams(true);
    },
  };
};

const parse = (content: string, fault: (cause: unknown) => PluginError): unknown => {
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw fault(new Error(messageOf(cause)));
  }
};
