// Synchronous in a script, see atomic-file.ts: it has nothing else to do meanwhile.
import { closeSync, fsync, fsyncSync, openSync } from 'node:fs';

type Flush = (descriptor: number) => Promise<void> | void;

let flush: Flush = (descriptor) => fsyncSync(descriptor);

/** Puts what was written through a descriptor on disk. */
export const syncFile: Flush = (descriptor) => flush(descriptor);

/** Of folders, in a process that serves many calls at once. */
let shared: ((path: string) => Promise<void>) | undefined;

interface Wait {
  readonly running: Promise<void>;
  next?: Promise<void>;
}

/** A wait that begins after one has asked is good enough for it. */
export const sharing = (wait: (path: string) => Promise<void>): ((path: string) => Promise<void>) => {
  const waits = new Map<string, Wait>();
  const begin = (path: string): Promise<void> => {
    const current: Wait = { running: wait(path) };
    waits.set(path, current);
    const done = (): void => {
      if (current.next === undefined) waits.delete(path);
    };
    current.running.then(done, done);
    return current.running;
  };
  return (path) => {
    const current = waits.get(path);
    if (current === undefined) return begin(path);
    const next = (): Promise<void> => begin(path);
    current.next ??= current.running.then(next, next);
    return current.next;
  };
};

/** For a process that serves many calls at once: one that waits for the disk holds up no other, and those that come together share waits. */
export const overlapWaits = (): void => {
  flush = (descriptor) =>
    new Promise((resolve, reject) => {
      fsync(descriptor, (error) => (error === null ? resolve() : reject(error)));
    });
  shared ??= sharing(syncOne);
};

const syncOne = async (path: string): Promise<void> => {
  const descriptor = openSync(path, 'r');
  try {
    await flush(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

/** Puts the names in a folder on disk. */
export const syncDirectory = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return; // a directory cannot be opened there
  await (shared === undefined ? syncOne(path) : shared(path));
};

export const syncDirectories = async (paths: readonly string[]): Promise<void> => {
  await Promise.all(paths.map(syncDirectory));
};
