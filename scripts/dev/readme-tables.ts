import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { providerConfigSchema } from '../../src/config/provider-config.schema.ts';
import { editorSchemas, schemaFolder } from './editor-schemas.ts';
import { fieldReference } from './field-reference.ts';

/** The reference for those who write configuration and templates. */
export const referenceFile = join(import.meta.dirname, '..', '..', 'config', 'README.md');

const defaultOf = (schema: object): string => {
  if (!('default' in schema)) return '-';
  return typeof schema.default === 'object' ? JSON.stringify(schema.default) : String(schema.default);
};

const tables: Readonly<Record<string, () => readonly (readonly string[])[]>> = {
  'provider configuration': () => [
    ['parameter', 'default', 'meaning'],
    ['---', '---', '---'],
    ...Object.entries(providerConfigSchema.properties).map(([name, schema]) => [
      `\`${name}\``,
      defaultOf(schema),
      schema.description,
    ]),
  ],
  'template fields': fieldReference,
};

/** The text with its reference tables made anew from the schemas. */
export const withTables = (reference: string): string =>
  Object.entries(tables).reduce((text, [name, rows]) => {
    const lines = rows().map((cells) => `| ${cells.join(' | ')} |`);
    const pattern = new RegExp(`(<!-- table: ${name} -->\n)[^]*?(<!-- end of table -->)`);
    return text.replace(pattern, (_, begin: string, end: string) => `${begin}${lines.join('\n')}\n${end}`);
  }, reference);

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await mkdir(schemaFolder, { recursive: true });
  for (const [name, text] of Object.entries(editorSchemas())) await writeFile(join(schemaFolder, name), text);
  await writeFile(referenceFile, withTables(await readFile(referenceFile, 'utf8')));
}
