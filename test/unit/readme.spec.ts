import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readmeFile, withTables } from '../../src/build/readme-tables.ts';

it('documents every parameter and every template field in the words of the schemas (npm run docs)', async () => {
  const readme = await readFile(readmeFile, 'utf8');
  expect(readme.match(/<!-- table: /g)).toHaveLength(2);
  expect(readme).toBe(withTables(readme));
});

it('explains every error code', async () => {
  const source = await readFile(join(import.meta.dirname, '..', '..', 'src', 'domain', 'errors.ts'), 'utf8');
  const [, union = ''] = /export type ErrorCode =([^;]*);/.exec(source) ?? [];
  const codes = [...union.matchAll(/'([^']+)'/g)].map(([, code]) => code);
  const readme = await readFile(readmeFile, 'utf8');
  expect(codes.length).toBeGreaterThan(15);
  expect(codes.filter((code) => !readme.includes(`\n| \`${code}\` | `))).toEqual([]);
});
