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

/** Makes a directory and its parents, private, and puts the name of each new one on disk. */
const makeDirectory = async (path: string): Promise<void> => {
  try {
    const first = await mkdir(path, { recursive: true, mode: directoryMode });
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
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

/** A lost NFS answer makes a link that was made look refused; what the file holds tells. */
const holds = async (path: string, text: string): Promise<boolean> => (await readFile(path, 'utf8')) === text;

/**
 * Creates a file that must not exist yet: whole or not at all, and by one process only, whatever is killed when. Answers false
 * if it exists with other content. Throws `storage.unwritable`.
 */
export const createFile = async (path: string, text: string): Promise<boolean> => {
  let aside = '';
  try {
    aside = await writeAside(path, text);
    const mine = await link(aside, path).then(
      () => true,
      async (error: unknown) => {
        if (errnoOf(error) === 'EEXIST') return holds(path, text);
        throw error;
      },
    );
    if (mine) await syncDirectory(dirname(path));
    return mine;
  } catch (error) {
    if (error instanceof PluginError) throw error;
    if (errnoOf(error) === 'EPERM') {
      throw new PluginError('storage.unwritable', `cannot write ${path}: its file system makes no hard links`, {
        cause: error,
      });
    }
    throw unwritable(path, error);
  } finally {
    if (aside !== '') await discard(aside);
  }
};

/** Creates an empty file unless it exists: its name is all there is to it. Throws `storage.unwritable`. */
export const createMark = async (path: string): Promise<void> => {
  const create = async (): Promise<void> => (await open(path, 'a', fileMode)).close();
  try {
    await create().catch(async (error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await makeDirectory(dirname(path));
      await create();
    });
    await syncDirectory(dirname(path));
  } catch (error) {
    if (error instanceof PluginError) throw error;
    throw unwritable(path, error);
  }
};

/** Files that a killed process left half-written are of no use to anybody after this time. */
const abandonedAfterMs = 10 * 60_000;
const asideName = /\.\d+-[0-9a-f]{12}\.tmp$/;

/** Removes what killed processes left in a folder; `names` is its listing. */
export const sweepAbandoned = async (directory: string, names: readonly string[]): Promise<void> => {
  for (const name of names.filter((each) => asideName.test(each))) {
    const path = `${directory}/${name}`;
    const known = await stat(path).catch(() => undefined);
    if (known !== undefined && Date.now() - known.mtimeMs > abandonedAfterMs) await discard(path);
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

/** Moves a folder whole. Succeeds when somebody else has moved it. Throws `storage.unwritable`. */
export const moveFolder = async (from: string, to: string): Promise<void> => {
  await makeDirectory(dirname(to));
  try {
    await rename(from, to);
    await syncDirectory(dirname(to));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw unwritable(to, error);
  }
};
