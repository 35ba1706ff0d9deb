import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Low } from 'lowdb';
import {
  grainOf,
  loadingAll,
  type RecordedEvent,
  type RestorableStreams,
  type Stream,
} from '../application/ports/streams.ts';
import { hasCode, PluginError } from '../domain/errors.ts';
import { isCreateId, isReturnId } from '../domain/ids.ts';
import type { Archive } from './archive.ts';
import { errnoOf, sweepAbandoned } from './atomic-file.ts';
import { createDocumentMemory, createListingMemory } from './document-memory.ts';
import { writeOnceDocument } from './json-documents.ts';
import { type Batch, isBatchOf, lifted, toStored } from './stored-events.ts';

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

const statsAtATime = 1000;
/** Milliseconds. */
const longestPauseMs = 40;

const timeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

const isEmpty = (folder: string): boolean => !listDirectory(folder).some((name) => batchName.test(name));

/** A stream may be set aside or put back while it is read, but not time and again. */
const looks = 5;

/** The first document that should be there: each is named by the number of events before it. */
const firstGap = (names: readonly string[], batches: readonly (readonly RecordedEvent[])[]): string | undefined => {
  let version = 0;
  for (const [index, batch] of batches.entries()) {
    if (names[index] !== nameAt(version)) return nameAt(version);
    version += batch.length;
  }
  return undefined;
};

const isStreamId = (id: string): boolean => isCreateId(id) || isReturnId(id);

/**
 * One folder per request, one document per append: `requests/<id>/<version>.json`. Nothing is ever rewritten. An append
 * creates the document of its expected version exclusively, so of two processes one wins and the other gets a conflict. A process that
 * lives on `remembers` what it has read.
 */
export const createRequestStreams = (
  workDirectory: string,
  { sweeps = true, remembers = false }: { readonly sweeps?: boolean; readonly remembers?: boolean } = {},
): RestorableStreams => {
  const root = join(workDirectory, 'requests');
  // Every append passes through it, at no cost of its own, and so changes its time.
  const appending = join(workDirectory, 'appending');
  // The folder of a stream that is there already has been set aside when it is missing: then it must not be made anew.
  const documentIn = (folder: string, id: string, version: number): Low<Batch> =>
    new Low<Batch>(
      writeOnceDocument(join(folder, nameAt(version)), isBatchOf(id), {
        asideIn: appending,
        makesFolder: version === 0,
      }),
      { stream: id, events: [] },
    );

  const remembered = remembers ? createDocumentMemory<readonly RecordedEvent[]>() : undefined;
  const list = remembers ? createListingMemory(listDirectory) : listDirectory;
  const readBatch = async (folder: string, id: string, version: number): Promise<readonly RecordedEvent[]> => {
    const document = documentIn(folder, id, version);
    await document.read();
    return lifted(document.data.events);
  };

  /** Reading what is not there throws, within: to ask costs less. */
  const readIfThere = async (folder: string, id: string, version: number): Promise<readonly RecordedEvent[]> =>
    isThere(join(folder, nameAt(version))) ? readBatch(folder, id, version) : [];

  /** Undefined where it is moved away or removed while it is read. */
  const readFolder = async (folder: string, id: string): Promise<Stream | undefined> => {
    const listed = list(folder);
    if (sweeps) await sweepAbandoned(folder, listed);
    const names = listed.filter((name) => batchName.test(name)).sort();
    const batches = await Promise.all(
      names.map((name) => {
        const read = () => readBatch(folder, id, Number.parseInt(name, 10));
        return remembered === undefined ? read() : remembered(join(folder, name), read);
      }),
    );
    if (batches.some((batch) => batch.length === 0)) return undefined;
    const gap = firstGap(names, batches);
    if (gap !== undefined && !isThere(folder)) return undefined;
    if (gap !== undefined) {
      const missing = join(folder, gap);
      throw new PluginError('storage.unreadable', `${missing} is missing although later events of ${id} are there`);
    }
    const events = batches.flat();
    // A listing may be old on a shared file system; asking for the next document by name is not.
    while (names.length > 0) {
      const next = await readIfThere(folder, id, events.length);
      if (next.length === 0) break;
      events.push(...next);
    }
    return { version: events.length, events };
  };

  let opened: Archive | undefined;
  const archive = async (): Promise<Archive> => {
    const { createArchive } = await import('./archive.ts');
    opened ??= createArchive(join(workDirectory, 'archive'), { isStreamId, readFolder, firstName: nameAt(0) });
    return opened;
  };

  /** Undefined where it moves while it is looked for. */
  const find = async (id: string): Promise<Stream | undefined> => {
    const folder = join(root, id);
    const stream = await readFolder(folder, id);
    if (stream === undefined || stream.version > 0) return stream;
    const archived = await (await archive()).load(id);
    // What has just been put back has more than an old pack.
    if (isThere(folder) && !isEmpty(folder)) return undefined;
    return archived ?? stream;
  };

  const write = async (id: string, version: number, events: readonly RecordedEvent[]): Promise<number> => {
    if (!isStreamId(id)) throw new PluginError('input.invalid', `"${id}" is not a request id`);
    if (events.length === 0) return version;
    // Set aside since it was loaded, or before: it goes on where it was, whole.
    if (version > 0 && !isThere(join(root, id))) await (await archive()).giveBack(id, join(root, id));
    const document = documentIn(join(root, id), id, version);
    document.data = { stream: id, events };
    try {
      await document.write();
    } catch (error) {
      // Of many that append at once each has its turn sooner when they do not all come back together.
      if (hasCode(error, 'storage.conflict'))
        await (await import('node:timers/promises')).setTimeout(Math.random() * longestPauseMs);
      throw error;
    }
    return version + events.length;
  };

  const load = async (id: string): Promise<Stream> => {
    if (!isStreamId(id)) return { version: 0, events: [] };
    for (let look = 1; look <= looks; look++) {
      const stream = await find(id);
      if (stream !== undefined) return stream;
    }
    throw new PluginError('storage.unreadable', `${join(root, id)} was moved each time it was read`);
  };

  /** The same text as long as nothing is appended or set aside; undefined at a moment when that cannot be told. */
  const quietSince = (): string | undefined => {
    const underWay = listDirectory(appending);
    const times = [timeOf(appending), timeOf(root)];
    const isQuiet = underWay.length === 0 && times.every((time) => Date.now() - time > grainOf(time));
    return isQuiet ? times.join(' ') : undefined;
  };

  const stamps = async (): Promise<ReadonlyMap<string, number>> => {
    if (sweeps) await sweepAbandoned(appending, listDirectory(appending));
    const found = new Map<string, number>();
    const { setImmediate: breathe } = await import('node:timers/promises');
    for (const [index, id] of listDirectory(root).filter(isStreamId).entries()) {
      // One system call each, four times quicker than by promises; a server gets its turn in between.
      const known = statSync(`${root}/${id}`, { throwIfNoEntry: false });
      if (known !== undefined) found.set(id, known.mtimeMs);
      if (index % statsAtATime === statsAtATime - 1) await breathe();
    }
    return found;
  };

  return {
    load,

    loadAll: loadingAll(load),

    append: (id, version, events, origin) => write(id, version, toStored(events, origin)),

    restore: write,

    changes: async ({ since } = {}) => {
      const position = quietSince();
      if (position !== undefined && position === since)
        return { position, isIncrement: true, changed: new Map(), setAside: [] };
      return { position, isIncrement: false, changed: await stamps(), setAside: [] };
    },

    archived: async () => (await archive()).ids(),

    archive: async (id) => (await archive()).take(join(root, id), id),

    packArchive: async (dropBefore) => (await archive()).pack(dropBefore),
  };
};
