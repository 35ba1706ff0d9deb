import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { readmeFile, withTables } from '../../src/build/readme-tables.ts';

it('documents every parameter and every template field in the words of the schemas (npm run docs)', async () => {
  const readme = await readFile(readmeFile, 'utf8');
  expect(readme.match(/<!-- table: /g)).toHaveLength(2);
  expect(readme).toBe(withTables(readme));
});
