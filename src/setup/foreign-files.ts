import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { ForeignField, ForeignReport } from '../application/ports/setup.ts';
import { providerConfigSchema } from '../config/provider-config.schema.ts';
import { messageOf, PluginError } from '../domain/errors.ts';
import { parseJson } from '../json/parse-json.ts';
import { readAs } from '../templates/fields/read-as.ts';
import { fieldOf } from '../templates/fields/template-fields.ts';
import { attributeNames, isObject, nameOf, templatesForm } from '../templates/template-entry.ts';

type Document = Readonly<Record<string, unknown>>;
type Judgement = Pick<ForeignField, 'use' | 'why'>;

const descriptionOf = (properties: object, field: string): string | undefined => {
  const schema: unknown = Object.entries(properties).find(([name]) => name === field)?.[1];
  return isObject(schema) ? String(schema['description']) : undefined;
};

const accepted = 'Accepted: ';

const emptyText = 'empty, as if it were not there';

const judgeParameter = (name: string, value: unknown): Judgement => {
  const description = descriptionOf(providerConfigSchema.properties, name);
  if (name.startsWith('$')) return { use: 'ignored', why: 'for editors' };
  if (description === undefined) return { use: 'unknown', why: 'no parameter of this plug-in' };
  if (value === '' || value === null) return { use: 'ignored', why: emptyText };
  if (description.startsWith(accepted)) return { use: 'ignored', why: description.slice(accepted.length) };
  return { use: 'used', why: description };
};

const judgeField = (name: string, value: unknown): Judgement => {
  const meaning = readAs(name);
  if (meaning === undefined) return { use: 'unknown', why: 'no field of this plug-in' };
  if ('isIgnored' in meaning) return { use: 'ignored', why: 'written by tools, means nothing' };
  if ('instead' in meaning) return { use: 'ignored', why: meaning.instead };
  if ('as' in meaning) return { use: 'used', why: meaning.as };
  const description = fieldOf(meaning.field)?.meaning ?? '';
  if (value === '' || value === null) return { use: 'ignored', why: emptyText };
  if (name === 'vmType' && String(value).includes(',')) return { use: 'used', why: 'as vmTypes, each of weight 1' };
  return { use: 'used', why: meaning.field === name ? description : `as ${meaning.field}: ${description}` };
};

const judgeAttribute = (name: string): Judgement => ({
  use: 'used',
  why: attributeNames.includes(name) ? 'what Host Factory selects by' : 'an attribute of your own, told as it is',
});

const fieldsOf = (file: string, entry: unknown, index: number): readonly ForeignField[] =>
  Object.entries(isObject(entry) ? entry : {}).flatMap(([field, value]) => {
    const of = { file, templateId: nameOf(entry, index) };
    if (field !== 'attributes' || !isObject(value)) return [{ ...of, field, ...judgeField(field, value) }];
    return Object.keys(value).map((name) => ({ ...of, field: `attributes.${name}`, ...judgeAttribute(name) }));
  });

const read = async (file: string): Promise<Document> => {
  const value = await parseJson(readFileSync(file, 'utf8'));
  if (isObject(value)) return value;
  throw new Error('it must hold one JSON object');
};

const suffixes = { config: 'prov_config.json', templates: 'prov_templates.json' } as const;

/** The first file of a folder, or of its `conf`, with such a name: `<instance>prov_...json`, or IBM's `awsprov_...json`. */
const search = async (directory: string, suffix: string): Promise<string | undefined> => {
  for (const folder of [directory, join(directory, 'conf')]) {
    const names = existsSync(folder) ? await readdir(folder) : [];
    const found = names.filter((name) => name.endsWith(suffix)).sort();
    const [other] = found.filter((name) => name !== `aws${suffix}`);
    if (found.length > 0) return join(folder, other ?? `aws${suffix}`);
  }
  return undefined;
};

/** How every field of another plug-in's provider folder is taken here. Throws `configuration.missing` where it has no such files. */
export const foreignReport = async (named: string): Promise<ForeignReport> => {
  const directory = resolve(named);
  const config = await search(directory, suffixes.config);
  const templates = await search(directory, suffixes.templates);
  if (config === undefined && templates === undefined) {
    const names = Object.values(suffixes).map((suffix) => `*${suffix}`);
    throw new PluginError('configuration.missing', `${directory} and its conf have no ${names.join(' and no ')}`);
  }
  const fields: ForeignField[] = [];
  const faults: string[] = [];
  const attempt = async (file: string | undefined, work: (document: Document, file: string) => void): Promise<void> => {
    if (file === undefined) return;
    try {
      work(await read(file), file);
    } catch (error) {
      faults.push(`${file} cannot be read: ${messageOf(error)}`);
    }
  };
  await attempt(config, (document, file) => {
    fields.push(
      ...Object.entries(document).map(([field, value]) => ({ file, field, ...judgeParameter(field, value) })),
    );
  });
  await attempt(templates, (document, file) => {
    const list = document['templates'];
    if (!Array.isArray(list)) throw new Error(`it ${templatesForm}`);
    fields.push(...list.flatMap((entry: unknown, index) => fieldsOf(file, entry, index)));
  });
  if (templates === undefined) faults.push('there is no templates file');
  const [suffix, file] = config === undefined ? [suffixes.templates, templates] : [suffixes.config, config];
  const instance = basename(file ?? '').slice(0, -suffix.length);
  return { instance, fields, faults, ...(templates === undefined ? {} : { templatesFile: templates }) };
};
