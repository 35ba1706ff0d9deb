import { randomUUID } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { messageOf } from '../domain/errors.ts';

/** Files kept in memory, for all users of this host; in a container, of this one. */
const shared = '/dev/shm';
/** Its type in Linux's statfs(2). */
const tmpfs = 0x01021994;

interface PipePlace {
  readonly parent: string;
  /** What the names of a work folder's pipe folders begin with. */
  readonly prefix: string;
}

const isInMemory = (folder: string): boolean => {
  try {
    return statfsSync(folder).type === tmpfs;
  } catch {
    return false;
  }
};

/** The best first: each call makes and removes files there, which can take a file server milliseconds, and some file systems too. */
const placesOf = (workDir: string, memory: string): readonly PipePlace[] => {
  const { dev, ino } = statSync(workDir);
  const inMemory = { parent: memory, prefix: `hf-aws-${dev}-${ino}.` };
  const inWorkFolder = { parent: workDir, prefix: 'server.' };
  return isInMemory(memory) ? [inMemory, inWorkFolder] : [inWorkFolder];
};

/** Whether a server reads at the pipes in a folder. */
const isServed = (folder: string): boolean => {
  try {
    closeSync(openSync(`${folder}/calls`, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Removes what killed servers have left. */
const clear = ({ parent, prefix }: PipePlace): void => {
  const names = readdirSync(parent).filter((name) => name.startsWith(prefix) && uuid.test(name.slice(prefix.length)));
  for (const folder of names.map((name) => `${parent}/${name}`)) {
    if (isServed(folder)) continue;
    try {
      rmSync(folder, { recursive: true });
    } catch {
      // Another user's, or removed meanwhile.
    }
  }
};

/**
 * Makes a folder, for this user alone, for the pipes of a work folder's server: in memory where it can be, else in the work folder.
 * Of no other server that still starts: what nobody reads at is cleared away. Throws where there is no place.
 */
export const makePipeFolder = (workDir: string, memory = shared): string => {
  const faults: string[] = [];
  for (const place of placesOf(workDir, memory)) {
    const folder = `${place.parent}/${place.prefix}${randomUUID()}`;
    try {
      clear(place);
      mkdirSync(folder, { mode: 0o700 });
      return folder;
    } catch (error) {
      faults.push(messageOf(error));
    }
  }
  throw new Error(faults.join('; '));
};
