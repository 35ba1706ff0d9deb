import { constants, existsSync, realpathSync, statSync } from 'node:fs';
import { copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf, PluginError } from '../domain/errors.ts';

export interface TextFile {
  readonly file: string;
  readonly text: string;
}

const nearestFolder = (path: string): string => (existsSync(path) ? path : nearestFolder(dirname(path)));

/** Files of root in Host Factory's folders would be closed to the user that runs it. */
export const refuseRoot = (directory: string): void => {
  const owner = statSync(nearestFolder(resolve(directory))).uid;
  if (process.getuid?.() !== 0 || owner === 0) return;
  throw new PluginError(
    'input.invalid',
    `run this as the user that runs Host Factory (user id ${owner} owns the folder), not as root`,
  );
};

/** A name for a copy that no earlier one has, also where two runs fall into one second. */
const freeName = (file: string, stamp: string, count = 1): string => {
  const name = `${file}.${stamp}${count === 1 ? '' : `-${count}`}.bak`;
  return existsSync(name) ? freeName(file, stamp, count + 1) : name;
};

/** Whole or not at all; a link stays one; what was there stays beside it. Answers with the copy's name. */
const replace = async (file: string, text: string, stamp: string): Promise<string | undefined> => {
  try {
    await mkdir(dirname(file), { recursive: true });
    const backup = existsSync(file) ? freeName(file, stamp) : undefined;
    const mode = existsSync(file) ? statSync(file).mode : 0o644;
    if (backup !== undefined) await copyFile(file, backup, constants.COPYFILE_EXCL);
    const target = backup === undefined ? file : realpathSync(file);
    await writeFile(`${target}.${stamp}.new`, text, { mode });
    await rename(`${target}.${stamp}.new`, target);
    return backup;
  } catch (cause) {
    throw new PluginError('storage.unwritable', `cannot write ${file}: ${messageOf(cause)}`, { cause });
  }
};

/** Throws `input.invalid` where files exist already, unless they may be replaced. */
export const refuseToReplace = (texts: readonly TextFile[], isForced: boolean): void => {
  const there = texts.filter(({ file }) => existsSync(file)).map(({ file }) => file);
  if (there.length === 0 || isForced) return;
  const list = there.map((each) => `\n  ${each}`).join('');
  throw new PluginError(
    'input.invalid',
    `nothing was written, since there are already:${list}\n--force replaces them and keeps copies`,
  );
};

/** Writes files one by one; answers with the copies of what they replaced. */
export const writeFiles = async (texts: readonly TextFile[]): Promise<readonly string[]> => {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const backups: string[] = [];
  for (const { file, text } of texts) {
    const backup = await replace(file, text, stamp);
    if (backup !== undefined) backups.push(backup);
  }
  return backups;
};
