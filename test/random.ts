import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import fc, { type RunDetails } from 'fast-check';
import { expect } from 'vitest';
import { times } from './times.ts';

const given = process.env['HF_AWS_TEST_SEED'];

/** What random tests start from: one number for all of a run, its own where none is given. */
export const seed = given === undefined ? Date.now() % 1_000_000_000 : Number(given);
if (!Number.isSafeInteger(seed)) throw new Error('HF_AWS_TEST_SEED must be a whole number');

/** So many, or `HF_AWS_TEST_TIMES` as many. */
export const runs = (usual: number): number => usual * times;

/** A number below `size` that goes by the seed and by what it is for: a share of the cases, where all would take too long. */
export const drawn = (size: number, purpose: string): number =>
  createHash('sha256').update(`${seed} ${purpose}`).digest().readUInt32BE() % size;

/** Every third of the cases, from one on that goes by the seed; all of them where `HF_AWS_TEST_TIMES` is above 1. */
export const thirdOf = <T>(cases: readonly T[], purpose: string): readonly T[] => {
  const first = drawn(3, purpose);
  return times > 1 ? cases : cases.filter((_, n) => n % 3 === first);
};

/** The line that plays a failed test again, with `seed` as it is here. */
export const howToRepeat = (): string => {
  const { testPath = '', currentTestName = '' } = expect.getState();
  const setting = times === 1 ? '' : ` HF_AWS_TEST_TIMES=${times}`;
  const name = currentTestName.replaceAll(' > ', ' ').replaceAll(/[.*+?^${}()|[\]\\']/g, '.');
  return `to repeat: HF_AWS_TEST_SEED=${seed}${setting} npx vitest run ${relative('.', testPath)} -t '${name}'`;
};

const tell = <T>(details: RunDetails<T>): void => {
  if (!details.failed) return;
  throw new Error(`${fc.defaultReportMessage(details)}\n${howToRepeat()}`, { cause: details.errorInstance });
};

// Everything that plays random cases takes fast-check from here.
fc.configureGlobal({ seed, numRuns: runs(100), reporter: tell });

export { fc };
