import { existsSync } from 'node:fs';
import { link, mkdir, open, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Diagnosis } from '../domain/finding.ts';
import { errnoOf } from './atomic-file.ts';

/** statfs(2): the magic number of NFS. */
const nfs = 0x6969;

const isExclusive = async (from: string, to: string): Promise<boolean> => {
  await link(from, to);
  return link(from, to).then(
    () => false,
    (error: unknown) => errnoOf(error) === 'EEXIST',
  );
};

/** Does on a file of its own what the store does: exclusive link, rename over, fsync of file and folder. */
const tryOut = async (folder: string): Promise<string | undefined> => {
  const trial = join(folder, `.doctor-${process.pid}`);
  await mkdir(trial, { mode: 0o700 });
  try {
    const [first, second] = [join(trial, 'first'), join(trial, 'second')];
    await writeFile(first, 'x', { mode: 0o600 });
    const file = await open(first);
    await file.sync();
    await file.close();
    if (!(await isExclusive(first, second))) return 'a link over an existing file was not refused';
    await rename(first, second);
    const directory = await open(trial);
    await directory.sync();
    await directory.close();
    return undefined;
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
};

const subject = 'work folder';
const purpose = 'a request is kept there before AWS hears of it; without it nothing is launched';

const privacy = async (folder: string): Promise<Diagnosis | undefined> => {
  const { mode } = await stat(folder);
  if ((mode & 0o022) === 0) return undefined;
  const who = (mode & 0o002) === 0 ? 'its group' : 'everybody';
  return {
    subject,
    status: 'warning',
    what: `${folder} may be written to by ${who} (mode ${(mode & 0o777).toString(8)})`,
    why: 'whoever can put records there decides what is launched and terminated; so hf-aws serve refuses it, no compiled code is kept in it, and every call is slow',
    mend: `chmod go-w ${folder}`,
    cure: { does: 'chmod', path: folder, mode: (mode & 0o755).toString(8) },
  };
};

/** The folder, or the nearest above it that is there. */
const nearestFolder = (path: string): string =>
  existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));

/** Whether the work folder does what the store needs of it. Leaves nothing behind. */
export const diagnoseWorkFolder = async (
  folder: string,
  stranger: string | undefined,
): Promise<readonly Diagnosis[]> => {
  if (stranger !== undefined) {
    const warned = 'files of another user could not be read by the user that runs Host Factory, so nothing was tried';
    return [{ subject, status: 'error', what: stranger, why: warned }];
  }
  try {
    // A look makes no folder: where there is none it is tried in the one that the first call would make it in.
    const nearest = nearestFolder(folder);
    const fault = await tryOut(nearest);
    const mend = 'use a file system with hard links, e.g. ext4, XFS or NFS';
    if (fault !== undefined) return [{ subject, status: 'error', what: `${folder}: ${fault}`, why: purpose, mend }];
    const open = nearest === folder ? await privacy(folder) : undefined;
    if (open !== undefined) return [open];
    const isShared = (await statfs(nearest)).type === nfs;
    const where = isShared ? 'on NFS; mount it hard, on every host that runs Host Factory' : 'local';
    const told = nearest === folder ? folder : `${folder}, which the first call makes`;
    return [{ subject, status: 'ok', what: `${told}: links are exclusive, rename and fsync work (${where})` }];
  } catch (error) {
    const mend = `make ${folder} writable for the user that runs Host Factory, on a file system with hard links`;
    return [{ subject, status: 'error', what: `${folder} cannot be used (${errnoOf(error)})`, why: purpose, mend }];
  }
};
