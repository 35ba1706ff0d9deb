import { fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { missing, type Played, tableOf } from './played.ts';

// Plays very many histories, in two processes and without vitest, whose form of the modules runs slower:
// npm run histories -- <how many>. What fails is printed with the seed; HF_AWS_TEST_SEED plays it again.

const root = join(import.meta.dirname, '..', '..');
const shares = 2;
const count = Number(process.argv[2] ?? 10_000);
const seed = Number(process.env['HF_AWS_TEST_SEED'] ?? Date.now() % 1_000_000_000);
if (!(Number.isSafeInteger(count) && count >= shares && Number.isSafeInteger(seed)))
  throw new Error('the number of histories and HF_AWS_TEST_SEED must be whole numbers');

// As deep in the project as what it is made of: that finds the project from where it lies.
const bundle = join(root, 'node_modules', '.cache', `histories-${process.pid}.mjs`);
await build({
  entryPoints: [join(import.meta.dirname, 'share.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
});

const began = Date.now();
const played: Played = new Map();
const isPair = (pair: unknown): pair is [string, number] =>
  Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'number';
const ends = Array.from({ length: shares }, (_, part) => {
  // Nearly all that a history makes is garbage at its end.
  const share = fork(bundle, [String(Math.ceil(count / shares)), String(seed + part)], {
    execArgv: ['--max-semi-space-size=64'],
  });
  share.on('message', (pairs) => {
    for (const [cell, times] of Array.isArray(pairs) ? pairs.filter(isPair) : [])
      played.set(cell, (played.get(cell) ?? 0) + times);
  });
  return new Promise<number | null>((resolve) => share.on('close', resolve));
});
const codes = await Promise.all(ends);
rmSync(bundle);

const seconds = (Date.now() - began) / 1000;
const left = missing(played, count);
process.stdout.write(`${tableOf(played)}\n${count} histories in ${seconds.toFixed(0)} s, HF_AWS_TEST_SEED=${seed}\n`);
if (codes.some((code) => code !== 0)) process.exitCode = 1;
else if (left.length > 0) {
  process.exitCode = 1;
  process.stdout.write(`never played: ${left.join(', ')}\n`);
}
