// Synchronous throughout: a call waits for each step anyway, and loading Node's promises and threads for files costs more than
// all of a call's reads and writes.
import {
  closeSync,
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
import { syncDirectories, syncDirectory, syncFile } from './disk-waits.ts';

/** State may hold user data and addresses: for the owner alone. */
const fileMode = 0o600;
const directoryMode = 0o700;

export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const unwritable = (path: string, cause: unknown): PluginError =>
  new PluginError('storage.unwritable', `cannot write ${path} (${errnoOf(cause) || String(cause)})`, { cause });

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
 * Makes a folder and its parents, private. Answers with the folders in which there are new ones, whose names are not on disk yet. Node's
 * own way of making parents never ends where a file system takes no folders, as /proc does.
 */
export const makeFolder = (path: string): readonly string[] => {
  const make = (): readonly string[] => (makeOne(path) ? [dirname(path)] : []);
  try {
    return make();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return [...makeFolder(dirname(path)), ...make()];
  }
};

const makeDirectory = (path: string): readonly string[] => {
  try {
    return makeFolder(path);
  } catch (error) {
    throw unwritable(path, error);
  }
};

/** Loaded when something is written: reading does without. */
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');

interface AsideOptions {
  readonly mode?: number;
  /** Whether it is on disk when this resolves. Default true. */
  readonly isDurable?: boolean;
}

/** Writes under a name nobody else uses, made from `path`. */
const writeAside = async (
  path: string,
  text: string | Uint8Array,
  { mode = fileMode, isDurable = true }: AsideOptions = {},
): Promise<string> => {
  const aside = `${path}.${process.pid}-${crypto().randomBytes(6).toString('hex')}.tmp`;
  const open = (): number => openSync(aside, 'wx', mode);
  let descriptor: number;
  try {
    descriptor = open();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await syncDirectories(makeDirectory(dirname(path)));
    descriptor = open();
  }
  try {
    writeFileSync(descriptor, text);
    if (isDurable) await syncFile(descriptor);
  } finally {
    closeSync(descriptor);
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

/** Answers with the folders in which new ones were made. */
const linkInto = (aside: string, path: string, makesFolder: boolean): readonly string[] => {
  try {
    linkSync(aside, path);
    return [];
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    if (!makesFolder) throw new PluginError('storage.conflict', `${dirname(path)} has just been moved`);
    const changed = makeDirectory(dirname(path));
    linkSync(aside, path);
    return changed;
  }
};

/** Undefined where it is taken, else the folders whose names are to be put on disk. */
const linkUnlessTaken = (
  aside: string,
  path: string,
  text: string,
  makesFolder: boolean,
): readonly string[] | undefined => {
  try {
    return [...linkInto(aside, path, makesFolder), dirname(path)];
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return holds(path, text) ? [dirname(path)] : undefined;
    throw error;
  }
};

export interface CreateOptions {
  /** A folder of the same file system in which the file is written first. Default: its own. */
  readonly asideIn?: string | undefined;
  /** Default true. */
  readonly makesFolder?: boolean;
  /** False where it can be made again, should the host lose power. Default true. */
  readonly isDurable?: boolean;
}

/**
 * Creates a file that must not exist yet: whole or not at all, and by one process only, whatever is killed when. On disk when it resolves.
 * Answers false if it exists with other content. Throws `storage.unwritable`; `storage.conflict` where its folder is not there and is
 * not to be made.
 */
export const createFile = async (
  path: string,
  text: string,
  { asideIn = dirname(path), makesFolder = true, isDurable = true }: CreateOptions = {},
): Promise<boolean> => {
  let aside = '';
  try {
    aside = await writeAside(join(asideIn, basename(path)), text, { isDurable });
    const changed = linkUnlessTaken(aside, path, text, makesFolder);
    if (changed !== undefined && isDurable) await syncDirectories(changed);
    return changed !== undefined;
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
export const createEmptyFile = async (path: string): Promise<void> => {
  const create = (): void => closeSync(openSync(path, 'a', fileMode));
  try {
    try {
      create();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await syncDirectories(makeDirectory(dirname(path)));
      create();
    }
    await syncDirectory(dirname(path));
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
const fileTimeIn = async (directory: string): Promise<number | undefined> => {
  try {
    const probe = await writeAside(join(directory, 'time'), '', { isDurable: false });
    try {
      return statSync(probe).mtimeMs;
    } finally {
      discard(probe);
    }
  } catch {
    return undefined;
  }
};

/** Removes what killed processes left in a folder; `names` is its listing. */
export const sweepAbandoned = async (directory: string, names: readonly string[]): Promise<void> => {
  const paths = names.filter((each) => asideName.test(each)).map((name) => `${directory}/${name}`);
  const now = paths.length === 0 ? undefined : await fileTimeIn(directory);
  if (now === undefined) return;
  for (const path of paths) if (now - (writtenAt(path) ?? now) > abandonedAfterMs) discard(path);
};

/** Replaces a file's content: readers see the old or the new, never a part. Private unless told. Throws `storage.unwritable`. */
export const replaceFile = async (path: string, text: string | Uint8Array, mode = fileMode): Promise<void> => {
  let aside = '';
  try {
    aside = await writeAside(path, text, { mode });
    renameSync(aside, path);
    await syncDirectory(dirname(path));
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
  await syncDirectories(makeDirectory(dirname(to)));
  try {
    renameSync(from, to);
    await syncDirectory(dirname(to));
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(error))) throw unwritable(to, error);
  }
};
