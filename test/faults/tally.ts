import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { setup as build } from '../build.ts';

/** What the fault tests did and found; the last three must be 0. */
const columns = [
  'kills tried',
  'faults injected',
  'requests made',
  'instances launched',
  'lost',
  'leaked',
  'double',
] as const;
type Tally = Partial<Record<(typeof columns)[number], number>>;

declare module 'vitest' {
  interface ProvidedContext {
    tally: string;
  }
}

/** Adds to the table that is printed at the end. */
export const count = (tally: Tally): void => appendFileSync(inject('tally'), `${JSON.stringify(tally)}\n`);

const sum = (lines: readonly string[]): Tally => {
  const total: Record<string, number> = {};
  for (const line of lines) {
    const tally: Record<string, number> = JSON.parse(line);
    for (const [name, value] of Object.entries(tally)) total[name] = (total[name] ?? 0) + value;
  }
  return total;
};

let folder = '';

/** Builds what is shipped before all tests. */
export const setup = (project: TestProject): void => {
  build();
  folder = mkdtempSync(join(tmpdir(), 'hf-aws-tally-'));
  appendFileSync(join(folder, 'tally'), '');
  project.provide('tally', join(folder, 'tally'));
};

/** Prints the table after them. */
export const teardown = (): void => {
  const total = sum(readFileSync(join(folder, 'tally'), 'utf8').split('\n').filter(Boolean));
  rmSync(folder, { recursive: true });
  const rows = columns.map((name) => `  ${name.padEnd(20)}${String(total[name] ?? 0).padStart(6)}`);
  process.stdout.write(`\n${rows.join('\n')}\n`);
};
