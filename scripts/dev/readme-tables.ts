import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { routes } from '../../src/api/routes.ts';
import { operations } from '../../src/application/operations.ts';
import { logLines } from '../../src/application/ports/log-lines.ts';
import { notifySchema } from '../../src/config/notify.schema.ts';
import { providerConfigSchema } from '../../src/config/provider-config.schema.ts';
import { editorSchemas, schemaFolder } from './editor-schemas.ts';
import { fieldReference } from './field-reference.ts';

/** The pages that have tables made from the program. */
export const pages: readonly string[] = ['config', 'src/cli', 'src/api'].map((folder) =>
  join(import.meta.dirname, '..', '..', folder, 'README.md'),
);

const defaultOf = (schema: object): string => {
  if (!('default' in schema)) return '-';
  return typeof schema.default === 'object' ? JSON.stringify(schema.default) : String(schema.default);
};

const parameterTable = (
  properties: Readonly<Record<string, { readonly description: string }>>,
): readonly (readonly string[])[] => [
  ['parameter', 'default', 'meaning'],
  ['---', '---', '---'],
  ...Object.entries(properties).map(([name, schema]) => [`\`${name}\``, defaultOf(schema), schema.description]),
];

const tables: Readonly<Record<string, () => readonly (readonly string[])[]>> = {
  'provider configuration': () => parameterTable(providerConfigSchema.properties),
  notify: () => parameterTable(notifySchema.properties),
  'template fields': fieldReference,
  operations: () => [
    ['operation', 'role', 'what it does', 'REST'],
    ['---', '---', '---', '---'],
    ...Object.values(operations).map(({ name, bus, role, title }) => [
      `${name} (${bus})`,
      `\`${role}\``,
      title,
      routes
        .filter(({ operation }) => operation === name)
        .map(({ method, path }) => `\`${method} ${path}\``)
        .join('<br>'),
    ]),
  ],
  'log lines': () => [
    ['code', 'level', 'meaning'],
    ['---', '---', '---'],
    ...Object.entries(logLines).map(([code, [level, meaning]]) => [`\`${code}\``, level.toUpperCase(), meaning]),
  ],
};

/** The text with its tables made anew. */
export const withTables = (page: string): string =>
  Object.entries(tables).reduce((text, [name, rows]) => {
    const lines = rows().map((cells) => `| ${cells.join(' | ')} |`);
    const pattern = new RegExp(`(<!-- table: ${name} -->\n)[^]*?(<!-- end of table -->)`);
    return text.replace(pattern, (_, begin: string, end: string) => `${begin}${lines.join('\n')}\n${end}`);
  }, page);

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await mkdir(schemaFolder, { recursive: true });
  for (const [name, text] of Object.entries(editorSchemas())) await writeFile(join(schemaFolder, name), text);
  for (const page of pages) await writeFile(page, withTables(await readFile(page, 'utf8')));
}
