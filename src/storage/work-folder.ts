import { existsSync } from 'node:fs';
import { link, mkdir, open, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Diagnosis, Trouble } from '../domain/finding.ts';
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

const privacy = async (folder: string): Promise<Trouble | undefined> => {
  const { mode } = await stat(folder);
  if ((mode & 0o022) === 0) return undefined;
  const who = (mode & 0o002) === 0 ? 'its group' : 'everybody';
  return {
    subject,
    status: 'warning',
    code: 'storage.open',
    what: `${folder} may be written to by ${who} (mode ${(mode & 0o777).toString(8)})`,
    why: 'whoever can put records there decides what is launched and terminated; so hf-aws serve refuses it, no compiled code is kept in it, and every call is slow',
    cure: `chmod go-w ${folder}`,
    fix: { does: 'chmod', paths: [folder], mode: (mode & 0o755).toString(8) },
  };
};

/** The folder, or the nearest above it that is there. */
const nearestFolder = (path: string): string =>
  existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));

const step = (folder: string, errno: string): string => {
  const steps: Readonly<Record<string, string>> = {
    ENOSPC: `free space where ${folder} is: df -h ${folder}; df -i ${folder}`,
    EDQUOT: `free space, or raise the disk quota of the user that runs Host Factory: quota -s; du -sh ${folder}`,
    EROFS: `mount the file system of ${folder} writable: findmnt -T ${folder} tells which it is`,
    ENOTDIR: `take away the file that is where a folder of ${folder} has to be`,
    EIO: `look after the disk or the NFS server of ${folder}: findmnt -T ${folder} tells which it is`,
    ESTALE: `mount the file system of ${folder} again: findmnt -T ${folder} tells which it is`,
  };
  return (
    steps[errno] ?? `make ${folder} writable for the user that runs Host Factory, on a file system with hard links`
  );
};

/** What a work folder that cannot be written to comes to. */
const unwritable = (folder: string, errno: string): Trouble => ({
  subject,
  status: 'error',
  code: 'storage.unwritable',
  what: `${folder} cannot be used (${errno})`,
  why: purpose,
  cure: step(folder, errno),
});

/** Bytes: below it a disk is as good as full. */
const least = 100 * 1024 * 1024;

/** What a disk with so few bytes left comes to. */
export const lowOnSpace = (folder: string, free: number): Trouble => ({
  subject,
  status: 'warning',
  code: 'storage.low',
  what: `${Math.floor(free / 1024 / 1024)} MB are left on the disk of ${folder}`,
  why: `on a full disk nothing is launched: ${purpose}`,
  cure: step(folder, 'ENOSPC'),
});

/** Whether the work folder does what the store needs of it. Leaves nothing behind. */
export const diagnoseWorkFolder = async (
  folder: string,
  stranger: string | undefined,
): Promise<readonly Diagnosis[]> => {
  if (stranger !== undefined) {
    const why = 'files of another user could not be read by the user that runs Host Factory, so nothing was tried';
    const cure = `run hf-aws as the user that ${folder} belongs to`;
    return [{ subject, status: 'error', code: 'storage.foreign', what: stranger, why, cure }];
  }
  try {
    // A look makes no folder: where there is none it is tried in the one that the first call would make it in.
    const nearest = nearestFolder(folder);
    const fault = await tryOut(nearest);
    const cure = 'use a file system with hard links, e.g. ext4, XFS or NFS';
    if (fault !== undefined)
      return [{ subject, status: 'error', code: 'storage.unfit', what: `${folder}: ${fault}`, why: purpose, cure }];
    const { type, bavail, bsize } = await statfs(nearest);
    const open = nearest === folder ? await privacy(folder) : undefined;
    const free = bavail * bsize;
    const found = [...(open === undefined ? [] : [open]), ...(free < least ? [lowOnSpace(nearest, free)] : [])];
    if (found.length > 0) return found;
    const where = type === nfs ? 'on NFS; mount it hard, on every host that runs Host Factory' : 'local';
    const told = nearest === folder ? folder : `${folder}, which the first call makes`;
    return [{ subject, status: 'ok', what: `${told}: links are exclusive, rename and fsync work (${where})` }];
  } catch (error) {
    return [unwritable(folder, errnoOf(error) ?? 'unknown')];
  }
};
