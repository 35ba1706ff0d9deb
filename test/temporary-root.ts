import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder that all tests make theirs in, and how many projects use it: each project runs this file by itself. */
const [root, users] = ['HF_AWS_TEST_ROOT', 'HF_AWS_TEST_ROOT_USERS'];
const count = (by: number): number => {
  const now = Number(process.env[users] ?? 0) + by;
  process.env[users] = String(now);
  return now;
};

/** Puts what tests and their processes write aside into one folder of its own. */
export const setup = (): void => {
  if (count(1) > 1) return;
  const folder = mkdtempSync(join(tmpdir(), 'hf-aws-tests-'));
  process.env[root] = folder;
  process.env['TMPDIR'] = folder;
};

/** What tools write there by themselves: the build's tsx and, on Node 22 and later, the compiler and npm. */
const ofTools = /^(?:tsx-|node-compile-cache$)/;

/** Removes it; fails when a test has left something behind. */
export const teardown = (): void => {
  if (count(-1) > 0) return;
  const folder = String(process.env[root]);
  const left = readdirSync(folder).filter((name) => !ofTools.test(name));
  rmSync(folder, { recursive: true });
  if (left.length === 0) return;
  process.exitCode = 1;
  throw new Error(`the tests left behind in TMPDIR: ${left.join(', ')}`);
};
