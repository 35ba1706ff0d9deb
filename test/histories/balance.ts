import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, runs, seed } from '../random.ts';
import { history, play } from './history.ts';

/** What is put on disk there costs nothing. */
const fastest = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Plays so many histories, `part` of those of a seed. What fails is made small and told with its seed. */
export const balance = async (count: number, part: number): Promise<void> => {
  const folder = mkdtempSync(join(fastest, 'hf-aws-histories-'));
  try {
    await fc.assert(
      fc.asyncProperty(history, (each) => play(folder, each)),
      { numRuns: runs(count), seed: seed + part },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
};
