import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { RecordedEvent, Stream } from '../application/ports/streams.ts';
import { messageOf, PluginError } from '../domain/errors.ts';
import { attempt, createFile, errnoOf, moveFolder, replaceFile } from './atomic-file.ts';
import { isBatchOf, lifted } from './stored-events.ts';

/** Where a stream lies in a pack: offset and length of its compressed line, and its number of events. */
type Place = readonly [offset: number, length: number, version: number];
type Index = Readonly<Record<string, Place>>;

/** What the archive needs to know of streams as folders. */
export interface FolderForm {
  readonly isStreamId: (name: string) => boolean;
  /** Undefined where the folder has moved away. */
  readonly readFolder: (folder: string, id: string) => Promise<Stream | undefined>;
  /** The name of the document of a stream's first events. */
  readonly firstName: string;
}

/** Streams that are finished, of which nobody expects more. */
export interface Archive {
  /** Takes a stream's folder, whole. */
  take(folder: string, id: string): Promise<void>;
  /** Undefined where it is not here. */
  load(id: string): Promise<Stream | undefined>;
  /** Puts a stream back as a folder, where it is here and there is no such folder yet. */
  giveBack(id: string, folder: string): Promise<void>;
  ids(): readonly string[];
  /** Puts the folders taken so far into packs, and drops the packs of the eldest day when it lies before `dropBefore`. */
  pack(dropBefore: number): Promise<void>;
}

const batchForm = /^batch-/;
const indexForm = /^(\d{4}-\d\d-\d\d)-[0-9a-f]{16}\.index\.json$/;
const packForm = /^(\d{4}-\d\d-\d\d)-[0-9a-f]{16}\./;
/** So many streams are in memory at once. */
const mostInPack = 500;
const streamsAtATime = 20;
const dayMs = 86_400_000;

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
/** Loaded only to read or write a pack: new requests are looked for in the archive too. */
const zlib = (): typeof import('node:zlib') => process.getBuiltinModule('node:zlib');
const breathe = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
const token = (): string => process.getBuiltinModule('node:crypto').randomBytes(8).toString('hex');

const isPlace = (value: unknown): value is Place =>
  Array.isArray(value) && value.length === 3 && value.every((each) => Number.isSafeInteger(each) && each >= 0);
const isIndex = (value: unknown): value is Index =>
  typeof value === 'object' && value !== null && Object.values(value).every(isPlace);

const unreadable = (path: string, cause: unknown): PluginError =>
  new PluginError('storage.unreadable', `cannot read ${path} (${errnoOf(cause) || messageOf(cause)})`, { cause });

const readSlice = (path: string, [offset, length]: Place): Buffer => {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
  } finally {
    closeSync(descriptor);
  }
};

/**
 * A stream comes as a folder, `archive/batch-<token>/<id>`, and is put into a pack with others: `<day>-<token>.jsonl.gz`, one line
 * per stream, each compressed by itself, and `<day>-<token>.index.json`, which tells where each lies. A folder of a batch is
 * never written to, and goes when its pack and index are on disk; until then, and after whatever kill, both tell the same.
 * `archive/<id>` are folders that an earlier version took.
 */
export const createArchive = (root: string, { isStreamId, readFolder, firstName }: FolderForm): Archive => {
  // Of this process alone, and with each stream once: what is being packed does not change.
  let batch = join(root, `batch-${token()}`);
  const taken = new Set<string>();
  const indexes = new Map<string, Index>();

  const names = (): readonly string[] => {
    try {
      return readdirSync(root);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw unreadable(root, error);
    }
  };
  const batchesIn = (listed: readonly string[]): readonly string[] => [
    ...listed.filter((name) => batchForm.test(name)).map((name) => join(root, name)),
    root,
  ];
  const foldersIn = (listed: readonly string[]): readonly (readonly [folder: string, id: string])[] =>
    batchesIn(listed).flatMap((folder) =>
      attempt(() => readdirSync(folder), [])
        .filter(isStreamId)
        .map((id) => [join(folder, id), id] as const),
    );

  /** A pack is never changed, so its index is read once. */
  const indexOf = (name: string): Index => {
    const known = indexes.get(name);
    if (known !== undefined) return known;
    const path = join(root, name);
    try {
      const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
      if (!isIndex(value)) throw new Error('it is no index');
      indexes.set(name, value);
      return value;
    } catch (error) {
      // Dropped meanwhile.
      if (errnoOf(error) === 'ENOENT') return {};
      throw unreadable(path, error);
    }
  };
  const packsIn = (listed: readonly string[]) =>
    listed.filter((name) => indexForm.test(name)).map((name) => [name, indexOf(name)] as const);

  /** Of a stream that was put back and taken again, the later pack has more. */
  const packed = (listed: readonly string[], id: string): Stream | undefined => {
    const found = packsIn(listed).flatMap(([name, index]) => {
      const place = Object.hasOwn(index, id) ? index[id] : undefined;
      return place === undefined ? [] : [{ name, place }];
    });
    const [latest] = found.sort((one, other) => other.place[2] - one.place[2]);
    if (latest === undefined) return undefined;
    const path = join(root, latest.name.replace('.index.json', '.jsonl.gz'));
    try {
      const value: unknown = JSON.parse(zlib().gunzipSync(readSlice(path, latest.place)).toString('utf8'));
      if (!isBatchOf(id)(value)) throw new Error(`it does not hold ${id}`);
      const events = lifted(value.events);
      return { version: events.length, events };
    } catch (error) {
      throw unreadable(path, error);
    }
  };

  const load: Archive['load'] = async (id) => {
    const listed = names();
    for (const folder of batchesIn(listed)) {
      const stream = await readFolder(join(folder, id), id);
      if (stream !== undefined && stream.version > 0) return stream;
    }
    // Folders go into packs, so those are looked at after them.
    return packed(names(), id);
  };

  /** A folder that cannot be read stays where it is, for somebody to mend. */
  const linesOf = async (folders: readonly (readonly [folder: string, id: string])[]) => {
    const lines: Buffer[] = [];
    const index: Record<string, Place> = {};
    const done: string[] = [];
    let offset = 0;
    for (const [number, [folder, id]] of folders.entries()) {
      const stream = await readFolder(folder, id).catch(() => undefined);
      if (stream !== undefined && stream.version > 0 && index[id] === undefined) {
        const line = zlib().gzipSync(`${JSON.stringify({ stream: id, events: stream.events })}\n`);
        index[id] = [offset, line.length, stream.version];
        offset += line.length;
        lines.push(line);
        done.push(folder);
      }
      if (number % streamsAtATime === streamsAtATime - 1) await breathe();
    }
    return { bytes: Buffer.concat(lines), index, done };
  };

  /** Moved first: what is half removed is nowhere that anybody would read it or put it back. */
  const removeFolders = (folders: readonly string[]): void => {
    const trash = join(root, `trash-${token()}`);
    mkdirSync(trash, { mode: 0o700 });
    for (const [number, folder] of folders.entries()) {
      attempt(() => renameSync(folder, join(trash, String(number))), undefined);
    }
    rmSync(trash, { recursive: true, force: true });
  };

  const packSome = async (folders: readonly (readonly [folder: string, id: string])[], day: string): Promise<void> => {
    const { bytes, index, done } = await linesOf(folders);
    if (done.length === 0) return;
    const name = `${day}-${token()}`;
    await replaceFile(join(root, `${name}.jsonl.gz`), bytes);
    await replaceFile(join(root, `${name}.index.json`), `${JSON.stringify(index)}\n`);
    removeFolders(done);
  };

  /** One day at a time: a clock that is wrong for once does not empty the archive. */
  const dropEldest = (before: number): void => {
    const listed = names().filter((name) => packForm.test(name));
    const [eldest] = listed.map((name) => name.slice(0, 'YYYY-MM-DD'.length)).sort();
    if (eldest === undefined || Date.parse(eldest) + dayMs > before) return;
    // The index goes first: a pack without one is as good as gone.
    const files = listed.filter((name) => name.startsWith(eldest)).sort();
    for (const name of files) rmSync(join(root, name), { force: true });
  };

  return {
    take: (folder, id) => {
      if (taken.has(id)) {
        batch = join(root, `batch-${token()}`);
        taken.clear();
      }
      taken.add(id);
      return moveFolder(folder, join(batch, id));
    },
    load,

    giveBack: async (id, folder) => {
      for (const each of batchesIn(names())) {
        await moveFolder(join(each, id), folder);
        if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
      }
      const stream = packed(names(), id);
      if (stream === undefined) return;
      const events: readonly RecordedEvent[] = stream.events;
      const aside = join(root, `restored-${token()}`);
      await createFile(join(aside, firstName), `${JSON.stringify({ stream: id, events })}\n`);
      try {
        await moveFolder(aside, folder);
      } finally {
        // Somebody else was first.
        rmSync(aside, { recursive: true, force: true });
      }
    },

    ids: () => {
      const listed = names();
      const inFolders = foldersIn(listed).map(([, id]) => id);
      return [...new Set([...inFolders, ...packsIn(names()).flatMap(([, index]) => Object.keys(index))])];
    },

    pack: async (dropBefore) => {
      const listed = names();
      const folders = foldersIn(listed);
      const day = dayOf(Date.now());
      for (let from = 0; from < folders.length; from += mostInPack)
        await packSome(folders.slice(from, from + mostInPack), day);
      for (const name of listed) {
        if (name.startsWith('trash-')) rmSync(join(root, name), { recursive: true, force: true });
        // Only where it is empty.
        if (batchForm.test(name)) attempt(() => rmdirSync(join(root, name)), undefined);
      }
      dropEldest(dropBefore);
    },
  };
};
