import { statSync } from 'node:fs';
import { grainOf } from '../application/ports/streams.ts';

/** Bytes of all documents in mind: their values take several times as much. */
const most = 4_194_304;

interface Kept<T> {
  readonly fingerprint: string;
  readonly size: number;
  readonly value: T;
}

/** Reads documents that are written once only where they are new or no longer as they were, for a process that lives on. */
export const createDocumentMemory = <T>() => {
  const kept = new Map<string, Kept<T>>();
  let size = 0;
  const forget = (path: string): void => {
    size -= kept.get(path)?.size ?? 0;
    kept.delete(path);
  };
  const keep = (path: string, document: Kept<T>): void => {
    forget(path);
    kept.set(path, document);
    size += document.size;
    for (const oldest of kept.keys()) {
      if (size <= most) return;
      forget(oldest);
    }
  };
  return async (path: string, read: () => Promise<T>): Promise<T> => {
    // Before it is read: what changes meanwhile is read anew the next time.
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return read();
    const fingerprint = `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
    const known = kept.get(path);
    const document =
      known?.fingerprint === fingerprint ? known : { fingerprint, size: stats.size, value: await read() };
    keep(path, document);
    return document.value;
  };
};

/** Folders in mind. */
const mostFolders = 10_000;

/** Lists folders whose files are never rewritten only where something has come or gone, for a process that lives on. */
export const createListingMemory = (list: (folder: string) => readonly string[]) => {
  const kept = new Map<string, { readonly fingerprint: string; readonly names: readonly string[] }>();
  return (folder: string): readonly string[] => {
    const stats = statSync(folder, { throwIfNoEntry: false });
    const fingerprint = stats === undefined ? '' : `${stats.ino} ${stats.mtimeMs} ${stats.ctimeMs}`;
    const known = kept.get(folder);
    kept.delete(folder);
    const names = known?.fingerprint === fingerprint ? known.names : list(folder);
    // What comes within the same tick of the file system's clock leaves the same time.
    const isQuiet = stats !== undefined && Date.now() - stats.mtimeMs > grainOf(stats.mtimeMs);
    if (isQuiet) kept.set(folder, { fingerprint, names });
    const [oldest] = kept.size > mostFolders ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    return names;
  };
};
