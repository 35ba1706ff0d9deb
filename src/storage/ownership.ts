import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  statfsSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { attempt } from './atomic-file.ts';

/** statfs(2): ext, XFS, Btrfs, tmpfs, overlay and ZFS tell files by the user that made them; others may give them all to one. */
const localFileSystems: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1,
]);

const ownerOf = (path: string): number | undefined => attempt(() => statSync(path).uid, undefined);

/** Whose a new file in the folder is. */
const ownerOfNew = (folder: string): number | undefined => {
  const path = join(folder, `.owner-${process.pid}`);
  return attempt(() => {
    const descriptor = openSync(path, 'wx', 0o600);
    try {
      return fstatSync(descriptor).uid;
    } finally {
      closeSync(descriptor);
      unlinkSync(path);
    }
  }, undefined);
};

const nearestOwner = (path: string): number | undefined =>
  ownerOf(path) ?? (dirname(path) === path ? undefined : nearestOwner(dirname(path)));

const nameOf = (uid: number): string | undefined =>
  attempt(() => readFileSync('/etc/passwd', 'utf8'), '')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([, , id]) => id === String(uid))?.[0];

const mayUse = (path: string): boolean =>
  attempt(() => {
    const [read, write] = [constants.R_OK, constants.W_OK];
    accessSync(path, statSync(path).isDirectory() ? read | write | constants.X_OK : read);
    return true;
  }, false);

/** What calls make first: these files belong to the user who runs the scripts. */
const ownFiles = ['store-id', 'requests', 'cache'];

/** To whom another user's files are closed, or the folder where there are none yet. */
const ownerOverUser = (workDirectory: string, me: number): number | undefined => {
  const folder = ownerOf(workDirectory);
  if (folder === undefined || folder === me) return undefined;
  const found = ownFiles.map((name) => join(workDirectory, name)).filter((path) => ownerOf(path) !== undefined);
  if (found.length === 0) return mayUse(workDirectory) ? undefined : folder;
  const closed = found.find((path) => ownerOf(path) !== me && !mayUse(path));
  return closed === undefined ? undefined : ownerOf(closed);
};

/** Nothing is closed to root, but what it makes is to all others. */
const ownerOverRoot = (workDirectory: string): number | undefined => {
  const owners = ownFiles.map((name) => ownerOf(join(workDirectory, name))).filter((owner) => owner !== undefined);
  return owners.length === 0 ? nearestOwner(workDirectory) : owners.find((owner) => owner !== 0);
};

/**
 * Why this process must not write to a work folder: its files are another user's. Undefined where it may. The folder itself may
 * be anybody's who lets this user write. Root makes no folder in another user's either.
 */
export const strangerTo = (workDirectory: string): string | undefined => {
  const me = process.geteuid?.();
  if (me === undefined) return undefined;
  const owner = me === 0 ? ownerOverRoot(workDirectory) : ownerOverUser(workDirectory, me);
  if (owner === undefined || owner === me) return undefined;
  // A shared file system may make one user of all.
  const isLocal = attempt(() => localFileSystems.has(statfsSync(workDirectory).type), true);
  if (!isLocal && ownerOfNew(workDirectory) === owner) return undefined;
  const name = nameOf(owner);
  const who = name === undefined ? `user id ${owner}` : name;
  return `the work folder ${workDirectory} is that of ${who}: run this as ${who}, e.g. sudo -u ${name ?? `'#${owner}'`} ...`;
};
