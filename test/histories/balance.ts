import fc from 'fast-check';
import { history, play } from './history.ts';

/** Plays so many random histories. What fails is made small and told with its seed; `HISTORY_SEED` plays those of a seed again. */
export const balance = async (numRuns: number): Promise<void> => {
  const seed = process.env['HISTORY_SEED'];
  await fc.assert(fc.asyncProperty(history, play), { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) });
};
