import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Low } from 'lowdb';
import type { Origin, RequestStreams, Stream, StreamEvent } from '../application/ports.ts';
import { hasCode, PluginError } from '../domain/errors.ts';
import { isCreateId, isReturnId } from '../domain/ids.ts';
import { errnoOf, moveFolder, sweepAbandoned } from './atomic-file.ts';
import { writeOnceDocument } from './json-documents.ts';
import { isStoredEvent } from './stored-events.ts';

/** Version of the stored form of events. */
const schemaVersion = 1;

type StoredEvent = StreamEvent & Origin & { readonly schemaVersion: number };

/** The events of one append. The file is named after the version it was appended at. */
interface Batch {
  readonly stream: string;
  readonly events: readonly StoredEvent[];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isBatchOf =
  (id: string) =>
  (value: unknown): value is Batch =>
    isObject(value) &&
    value['stream'] === id &&
    Array.isArray(value['events']) &&
    value['events'].length > 0 &&
    value['events'].every((event) => isStoredEvent(event, schemaVersion));

const batchName = /^(\d{9})\.json$/;
const nameAt = (version: number): string => `${String(version).padStart(9, '0')}.json`;

const listDirectory = (path: string): readonly string[] => {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw new PluginError('storage.unreadable', `cannot read ${path} (${errnoOf(error)})`, { cause: error });
  }
};

/** Milliseconds. */
const longestPauseMs = 40;

const isStreamId = (id: string): boolean => isCreateId(id) || isReturnId(id);

/**
 * One folder per request, one document per append: `requests/<id>/<version>.json`. Nothing is ever rewritten. An append
 * creates the document of its expected version exclusively, so of two processes one wins and the other is told.
 */
export const createRequestStreams = (workDirectory: string): RequestStreams => {
  const root = join(workDirectory, 'requests');
  const archive = join(workDirectory, 'archive');
  const documentIn = (folder: string, id: string, version: number): Low<Batch> =>
    new Low<Batch>(writeOnceDocument(join(folder, nameAt(version)), isBatchOf(id)), { stream: id, events: [] });

  const readBatch = async (folder: string, id: string, version: number): Promise<readonly StoredEvent[]> => {
    const document = documentIn(folder, id, version);
    await document.read();
    return document.data.events;
  };

  const readFolder = async (folder: string, id: string): Promise<Stream> => {
    const listed = listDirectory(folder);
    await sweepAbandoned(folder, listed);
    const names = listed.filter((name) => batchName.test(name)).sort();
    const batches = await Promise.all(names.map((name) => readBatch(folder, id, Number.parseInt(name, 10))));
    const events: StreamEvent[] = [];
    for (const [index, batch] of batches.entries()) {
      if (names[index] !== nameAt(events.length)) {
        const missing = join(folder, nameAt(events.length));
        throw new PluginError('storage.unreadable', `${missing} is missing although later events of ${id} are there`);
      }
      events.push(...batch);
    }
    // A listing may be old on a shared file system; asking for the next document by name is not.
    while (names.length > 0) {
      const next = await readBatch(folder, id, events.length);
      if (next.length === 0) break;
      events.push(...next);
    }
    return { version: events.length, events };
  };

  return {
    load: async (id): Promise<Stream> => {
      if (!isStreamId(id)) return { version: 0, events: [] };
      const stream = await readFolder(join(root, id), id);
      return stream.version > 0 ? stream : readFolder(join(archive, id), id);
    },

    append: async (id, version, events, origin) => {
      if (!isStreamId(id)) throw new PluginError('input.invalid', `"${id}" is not a request id`);
      const document = documentIn(join(root, id), id, version);
      document.data = { stream: id, events: events.map((event) => ({ ...event, schemaVersion, ...origin })) };
      try {
        await document.write();
      } catch (error) {
        // Of many that append at once each has its turn sooner when they do not all come back together.
        if (hasCode(error, 'storage.conflict')) await wait(Math.random() * longestPauseMs);
        throw error;
      }
      return version + events.length;
    },

    ids: async () => listDirectory(root).filter(isStreamId),

    untouchedSince: async (time) => {
      const ids = listDirectory(root).filter(isStreamId);
      return ids.filter((id) => statSync(join(root, id)).mtimeMs < time);
    },

    archive: (id) => moveFolder(join(root, id), join(archive, id)),
  };
};
