// Synchronous throughout: a call waits for each step anyway, and loading Node's promises and threads for files costs more than
// all of a call's reads and writes.
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isPluginError, PluginError } from '../domain/errors.ts';

/** State may hold user data and addresses: for the owner alone. */
const fileMode = 0o600;
const directoryMode = 0o700;

export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const unwritable = (path: string, cause: unknown): PluginError =>
  new PluginError('storage.unwritable', `cannot write ${path} (${errnoOf(cause) || String(cause)})`, { cause });

const withFile = <T>(path: string, flags: string, work: (descriptor: number) => T, mode = fileMode): T => {
  const descriptor = openSync(path, flags, mode);
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

const syncDirectory = (path: string): void => {
  if (process.platform === 'win32') return; // a directory cannot be opened there
  withFile(path, 'r', fsyncSync);
};

/** Of two that make it at once one finds it there. */
const makeOne = (path: string): boolean => {
  try {
    mkdirSync(path, { mode: directoryMode });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' && statSync(path).isDirectory()) return false;
    throw error;
  }
};

/**
 * Makes a folder and its parents, private, and puts the name of each new one on disk. Node's own way of making parents never ends where a
 * file system takes no folders, as /proc does.
 */
export const makeFolder = (path: string): void => {
  const make = (): void => {
    if (makeOne(path)) syncDirectory(dirname(path));
  };
  try {
    make();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    make();
  }
};

const makeDirectory = (path: string): void => {
  try {
    makeFolder(path);
  } catch (error) {
    throw unwritable(path, error);
  }
};

/** Loaded when something is written: reading does without. */
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');

/** Writes under a name nobody else uses, made from `path`, on disk before it resolves. */
const writeAside = (path: string, text: string | Uint8Array, mode = fileMode): string => {
  const aside = `${path}.${process.pid}-${crypto().randomBytes(6).toString('hex')}.tmp`;
  const write = (): void =>
    withFile(
      aside,
      'wx',
      (descriptor) => {
        writeFileSync(descriptor, text);
        fsyncSync(descriptor);
      },
      mode,
    );
  try {
    write();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    makeDirectory(dirname(path));
    write();
  }
  return aside;
};

/** For what may as well not be there: whatever fails gives `otherwise`. */
export const attempt = <T>(work: () => T, otherwise: T): T => {
  try {
    return work();
  } catch {
    return otherwise;
  }
};

/** Removes a file nobody needs; one that stays does no harm. */
export const discard = (path: string): void => attempt(() => unlinkSync(path), undefined);

/** A lost NFS answer makes a link that was made look refused; what the file holds tells. */
const holds = (path: string, text: string): boolean => readFileSync(path, 'utf8') === text;

const linkInto = (aside: string, path: string, makesFolder: boolean): void => {
  try {
    linkSync(aside, path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    if (!makesFolder) throw new PluginError('storage.conflict', `${dirname(path)} has just been moved`);
    makeDirectory(dirname(path));
    linkSync(aside, path);
  }
};

const linkUnlessTaken = (aside: string, path: string, text: string, makesFolder: boolean): boolean => {
  try {
    linkInto(aside, path, makesFolder);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return holds(path, text);
    throw error;
  }
};

/**
 * Creates a file that must not exist yet: whole or not at all, and by one process only, whatever is killed when. Answers false
 * if it exists with other content. It is first written in the folder `asideIn` of the same file system, else beside its place.
 * Throws `storage.unwritable`; `storage.conflict` where its folder is not there and is not to be made.
 */
export const createFile = async (
  path: string,
  text: string,
  asideIn = dirname(path),
  makesFolder = true,
): Promise<boolean> => {
  let aside = '';
  try {
    aside = writeAside(join(asideIn, basename(path)), text);
    const mine = linkUnlessTaken(aside, path, text, makesFolder);
    if (mine) syncDirectory(dirname(path));
    return mine;
  } catch (error) {
    if (isPluginError(error)) throw error;
    if (errnoOf(error) === 'EPERM') {
      throw new PluginError('storage.unwritable', `cannot write ${path}: its file system makes no hard links`, {
        cause: error,
      });
    }
    throw unwritable(path, error);
  } finally {
    if (aside !== '') discard(aside);
  }
};

/** Creates an empty file unless it exists: its name is all there is to it. Throws `storage.unwritable`. */
export const createMark = async (path: string): Promise<void> => {
  const create = (): void => closeSync(openSync(path, 'a', fileMode));
  try {
    try {
      create();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      makeDirectory(dirname(path));
      create();
    }
    syncDirectory(dirname(path));
  } catch (error) {
    if (isPluginError(error)) throw error;
    throw unwritable(path, error);
  }
};

/** Files that a killed process left half-written are of no use to anybody after this time. */
const abandonedAfterMs = 10 * 60_000;
const asideName = /\.\d+-[0-9a-f]{12}\.tmp$/;

const writtenAt = (path: string): number | undefined => attempt(() => statSync(path).mtimeMs, undefined);

/**
 * The time by the clock that dates the files in a folder, ms: it is a file server's perhaps, and this host's may differ. Undefined
 * where nothing can be written.
 */
const fileTimeIn = (directory: string): number | undefined =>
  attempt(() => {
    const probe = writeAside(join(directory, 'time'), '');
    try {
      return statSync(probe).mtimeMs;
    } finally {
      discard(probe);
    }
  }, undefined);

/** Removes what killed processes left in a folder; `names` is its listing. */
export const sweepAbandoned = async (directory: string, names: readonly string[]): Promise<void> => {
  const paths = names.filter((each) => asideName.test(each)).map((name) => `${directory}/${name}`);
  const now = paths.length === 0 ? undefined : fileTimeIn(directory);
  if (now === undefined) return;
  for (const path of paths) if (now - (writtenAt(path) ?? now) > abandonedAfterMs) discard(path);
};

/** Replaces a file's content: readers see the old or the new, never a part. Private unless told. Throws `storage.unwritable`. */
export const replaceFile = async (path: string, text: string | Uint8Array, mode = fileMode): Promise<void> => {
  let aside = '';
  try {
    aside = writeAside(path, text, mode);
    renameSync(aside, path);
    syncDirectory(dirname(path));
  } catch (error) {
    if (aside !== '') discard(aside);
    if (isPluginError(error)) throw error;
    throw unwritable(path, error);
  }
};

/** The file's text; undefined where there is none. Throws `storage.unreadable` naming the file. */
export const readIfPresent = async (path: string): Promise<string | undefined> => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new PluginError('storage.unreadable', `cannot read ${path} (${errnoOf(error)})`, { cause: error });
  }
};

/** Moves a folder whole. Succeeds when somebody else has moved it, or has put another there. Throws `storage.unwritable`. */
export const moveFolder = async (from: string, to: string): Promise<void> => {
  makeDirectory(dirname(to));
  try {
    renameSync(from, to);
    syncDirectory(dirname(to));
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(error))) throw unwritable(to, error);
  }
};
