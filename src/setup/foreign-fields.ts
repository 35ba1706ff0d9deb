import type { ForeignField } from '../application/ports/setup.ts';
import { providerConfigSchema } from '../config/provider-config.schema.ts';
import { readAs } from '../templates/fields/read-as.ts';
import { fieldOf } from '../templates/fields/template-fields.ts';
import { attributeNames, isObject, nameOf } from '../templates/template-entry.ts';

type Judgement = Pick<ForeignField, 'use' | 'why'>;

const descriptionOf = (properties: object, field: string): string | undefined => {
  const schema: unknown = Object.entries(properties).find(([name]) => name === field)?.[1];
  return isObject(schema) ? String(schema['description']) : undefined;
};

/** How the descriptions of parameters that change nothing begin. */
const accepted = 'Accepted without effect: ';

const emptyText = 'empty, as if it were not there';

/** How a parameter of the provider configuration is taken. */
export const judgeParameter = (name: string, value: unknown): Judgement => {
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

/** How each field of a template is taken. */
export const fieldsOf = (file: string, entry: unknown, index: number): readonly ForeignField[] =>
  Object.entries(isObject(entry) ? entry : {}).flatMap(([field, value]) => {
    const of = { file, templateId: nameOf(entry, index) };
    if (field !== 'attributes' || !isObject(value)) return [{ ...of, field, ...judgeField(field, value) }];
    return Object.keys(value).map((name) => ({ ...of, field: `attributes.${name}`, ...judgeAttribute(name) }));
  });
