import fc from 'fast-check';
import { history, play } from './history.ts';

/** Plays so many histories, those of a seed or of `HISTORY_SEED`. What fails is made small and told with its seed. */
export const balance = async (numRuns: number, usual: number): Promise<void> => {
  const seed = process.env['HISTORY_SEED'] ?? usual;
  await fc.assert(fc.asyncProperty(history, play), { numRuns, seed: Number(seed) });
};
