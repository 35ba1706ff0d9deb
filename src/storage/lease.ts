import { randomUUID } from 'node:crypto';
import { link, rename, rm, stat } from 'node:fs/promises';
import { createFile } from './atomic-file.ts';

interface LeaseTime {
  /** Milliseconds after which its holder is taken for dead. */
  readonly lifetime: number;
  readonly clock: () => number;
}

const isOld = async (path: string, { lifetime, clock }: LeaseTime): Promise<boolean> => {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && clock() - found.mtimeMs >= lifetime;
};

/** Removes the lease of somebody who is dead. Not one that another, who found the same, has taken meanwhile. */
const clear = async (path: string, time: LeaseTime): Promise<void> => {
  const aside = `${path}.${randomUUID()}`;
  const isMoved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!isMoved) return;
  if (!(await isOld(aside, time))) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
};

/** Does some work that one process at a time is to do; undefined where another is about it. Throws `storage.unwritable`. */
export const withLease = async <T>(path: string, time: LeaseTime, work: () => Promise<T>): Promise<T | undefined> => {
  if (await isOld(path, time)) await clear(path, time);
  if (!(await createFile(path, `${randomUUID()}\n`, { isDurable: false }))) return undefined;
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
};
