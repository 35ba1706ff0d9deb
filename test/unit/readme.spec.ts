import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { providerConfigSchema } from '../../src/config/provider-config.schema.ts';
import { templateSchema } from '../../src/config/template.schema.ts';

const tableOf = async (name: string): Promise<readonly (readonly string[])[]> => {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
  const table = text.split(`<!-- table: ${name} -->`)[1]?.split('<!-- end of table -->')[0] ?? '';
  const rows = table.trim().split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
};

const plain = (text: string): string => text.replaceAll('`', '');

it('documents every parameter of the provider configuration, with its default and meaning', async () => {
  const parameters = Object.entries(providerConfigSchema.properties).map(([name, schema]) => [
    name,
    'default' in schema ? String(schema.default) : '-',
    plain(schema.description),
  ]);
  expect(await tableOf('provider configuration')).toEqual(parameters);
});

it('documents every field of a template, in the words of its schema', async () => {
  const fields = Object.entries(templateSchema.properties).map(([name, { description }]) => [name, plain(description)]);
  expect(await tableOf('template fields')).toEqual(fields);
});
