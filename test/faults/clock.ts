import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const clockPreload = join(import.meta.dirname, 'preload', 'clock.cjs');

const fileIn = (directory: string): string => join(directory, 'clock');

/** Has scripts, and the server that answers them, go by a clock that tests move on. */
export const movedClock = (directory: string) => {
  setClock(directory, 0, 0);
  return { NODE_OPTIONS: `--require ${clockPreload}`, HF_AWS_TEST_CLOCK: fileIn(directory) };
};

/** Milliseconds that have passed everywhere, and that this host's clock is ahead of others. */
export const setClock = (directory: string, passed: number, ahead: number): void => {
  const file = fileIn(directory);
  writeFileSync(`${file}.new`, `${passed} ${ahead}`);
  renameSync(`${file}.new`, file);
};
