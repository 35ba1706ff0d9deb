import { fc, runs, seed } from '../random.ts';
import { history, play } from './history.ts';

/** Plays so many histories, `part` of those of a seed. What fails is made small and told with its seed. */
export const balance = (count: number, part: number): Promise<void> =>
  fc.assert(fc.asyncProperty(history, play), { numRuns: runs(count), seed: seed + part });
