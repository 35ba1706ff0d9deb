import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { comparedVariables } from '../../../src/boot/parts/serving.ts';

it('the launcher tells the server of the same variables as the server compares, in the same order', async () => {
  const launcher = await readFile(join(import.meta.dirname, '../../../scripts/launcher.sh'), 'utf8');
  expect([...launcher.matchAll(/\$\{(\w+)\+\1=\$\1\|\}/g)].map(([, name]) => name)).toEqual([...comparedVariables]);
});
