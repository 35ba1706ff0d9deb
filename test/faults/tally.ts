import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setup as build } from '../build.ts';

/** What the tests did and found; the last three must be 0. */
const columns = [
  'calls of scripts',
  'answered by a server',
  'kills tried',
  'faults injected',
  'requests made',
  'instances launched',
  'lost',
  'leaked',
  'double',
] as const;
type Tally = Partial<Record<(typeof columns)[number], number>>;

const variable = 'HF_AWS_TEST_TALLY';
const seedVariable = 'HF_AWS_TEST_SEED';
const fileOf = (): string => process.env[variable] ?? '';

/** Adds to the table that is printed at the end. */
export const count = (tally: Tally): void => appendFileSync(fileOf(), `${JSON.stringify(tally)}\n`);

const sum = (lines: readonly string[]): Tally => {
  const total: Record<string, number> = {};
  for (const line of lines) {
    const tally: Record<string, number> = JSON.parse(line);
    for (const [name, value] of Object.entries(tally)) total[name] = (total[name] ?? 0) + value;
  }
  return total;
};

let folder = '';

/** Builds what is shipped before all tests, and has all of them start from one seed, which the table tells. */
export const setup = (): void => {
  process.env[seedVariable] ??= String(Date.now() % 1_000_000_000);
  build();
  folder = mkdtempSync(join(tmpdir(), 'hf-aws-tally-'));
  appendFileSync(join(folder, 'tally'), '');
  process.env[variable] = join(folder, 'tally');
};

/** Prints the table after them. Throws where tests that are to be about a server were not. */
export const teardown = (): void => {
  const total = sum(readFileSync(join(folder, 'tally'), 'utf8').split('\n').filter(Boolean));
  rmSync(folder, { recursive: true });
  const rows = columns.map((name) => `  ${name.padEnd(20)}${String(total[name] ?? 0).padStart(6)}`);
  process.stdout.write(`\n${rows.join('\n')}\n  ${seedVariable}=${process.env[seedVariable]}\n`);
  const { 'calls of scripts': calls = 0, 'answered by a server': answered = 0 } = total;
  if (answered < calls / 4) throw new Error('most calls were not answered by the server');
};
