import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readmeFile, withTables } from '../../scripts/dev/readme-tables.ts';

it('documents every parameter and every template field in the words of the schemas (npm run docs)', async () => {
  const readme = await readFile(readmeFile, 'utf8');
  expect(readme.match(/<!-- table: /g)).toHaveLength(2);
  expect(readme).toBe(withTables(readme));
});

it('explains every error code', async () => {
  const codesIn = async (file: string, type: string): Promise<readonly string[]> => {
    const source = await readFile(join(import.meta.dirname, '..', '..', 'src', file), 'utf8');
    const [, union = ''] = new RegExp(`export type ${type} =([^;]*);`).exec(source) ?? [];
    const found = [...union.matchAll(/'([^']+)'/g)].map(([, code = '']) => code);
    expect(found.length, file).toBeGreaterThan(3);
    return found;
  };
  const codes = [
    ...(await codesIn('domain/errors.ts', 'ErrorCode')),
    ...(await codesIn('api/problems.ts', 'DoorCode')),
  ];
  const readme = await readFile(readmeFile, 'utf8');
  expect(codes.length).toBeGreaterThan(15);
  expect(codes.filter((code) => !readme.includes(`\n| \`${code}\` | `))).toEqual([]);
});
