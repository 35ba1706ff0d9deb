import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PluginError } from '../domain/errors.ts';

/** State may hold user data and addresses: for the owner alone. */
const fileMode = 0o600;
const directoryMode = 0o700;

export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const unwritable = (path: string, cause: unknown): PluginError =>
  new PluginError('storage.unwritable', `cannot write ${path} (${errnoOf(cause) || String(cause)})`, { cause });

const syncDirectory = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return; // a directory cannot be opened there
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Makes a directory and its parents, private, and puts their names on disk. */
const makeDirectory = async (path: string): Promise<void> => {
  try {
    const first = await mkdir(path, { recursive: true, mode: directoryMode });
    if (first !== undefined) await syncDirectory(dirname(first));
    if (first !== undefined && first !== path) await syncDirectory(dirname(path));
  } catch (error) {
    throw unwritable(path, error);
  }
};

/** Writes beside the target under a name nobody else uses, on disk before it resolves. */
const writeAside = async (path: string, text: string): Promise<string> => {
  const aside = `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  const write = async (): Promise<void> => {
    const handle = await open(aside, 'wx', fileMode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  };
  try {
    await write();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await makeDirectory(dirname(path));
    await write();
  }
  return aside;
};

const discard = async (path: string): Promise<void> => {
  await unlink(path).catch(() => undefined);
};

/** A lost NFS answer makes a link that was made look refused; the count of names tells. */
const wasLinked = async (aside: string): Promise<boolean> => (await stat(aside)).nlink > 1;

/**
 * Creates a file that must not exist yet: whole or not at all, and by one process only, whatever is killed when. Answers false
 * if it exists. Throws `storage.unwritable`.
 */
export const createFile = async (path: string, text: string): Promise<boolean> => {
  let aside = '';
  try {
    aside = await writeAside(path, text);
    await link(aside, path);
    await syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return aside !== '' && (await wasLinked(aside));
    if (error instanceof PluginError) throw error;
    throw unwritable(path, error);
  } finally {
    if (aside !== '') await discard(aside);
  }
};

/** Replaces a file's content: readers see the old or the new, never a part. Throws `storage.unwritable`. */
export const replaceFile = async (path: string, text: string): Promise<void> => {
  let aside = '';
  try {
    aside = await writeAside(path, text);
    await rename(aside, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    if (aside !== '') await discard(aside);
    if (error instanceof PluginError) throw error;
    throw unwritable(path, error);
  }
};

/** The file's text; undefined where there is none. Throws `storage.unreadable` naming the file. */
export const readIfPresent = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new PluginError('storage.unreadable', `cannot read ${path} (${errnoOf(error)})`, { cause: error });
  }
};
