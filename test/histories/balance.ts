import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { history, play } from './history.ts';
import type { Played } from './played.ts';

/** What is put on disk there costs nothing. */
const fastest = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Plays so many histories of a seed; tells what was played. What fails is made small and told with its seed. */
export const balance = async (count: number, seed: number): Promise<Played> => {
  const folder = mkdtempSync(join(fastest, 'hf-aws-histories-'));
  const played: Played = new Map();
  try {
    await fc.assert(
      fc.asyncProperty(history, (each) => play(folder, each, played)),
      { numRuns: count, seed },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
  return played;
};
