import { join } from 'node:path';
import { notifySchema } from '../../src/config/notify.schema.ts';
import { providerConfigSchema } from '../../src/config/provider-config.schema.ts';
import { fieldEntries } from '../../src/templates/fields/template-fields.ts';
import { templateSchema } from '../../src/templates/template.schema.ts';

export const schemaFolder = join(import.meta.dirname, '..', '..', 'config', 'schema');

type Schema = Readonly<Record<string, unknown>>;

/** Numbers and booleans may be written as strings, and an empty string is as good as nothing. */
const asWritten = (schema: Schema): Schema => {
  const { type, pattern, enum: values } = schema;
  if (type === 'integer' || type === 'number' || type === 'boolean') return { ...schema, type: [type, 'string'] };
  if (typeof pattern === 'string') return { ...schema, pattern: `^$|${pattern}` };
  return Array.isArray(values) ? { ...schema, enum: [...values, ''] } : schema;
};

/** Fields that IBM's tools and editors write and nobody means. */
const unmeant = { $schema: { type: 'string' }, $comment: {}, pgrpName: {}, onDemandCapacity: {} };

/** The schema of one object as editors want it: every field explained, every other field underlined. */
const forEditors = ({ properties, required }: { properties: object; required?: readonly string[] }): Schema => ({
  type: 'object',
  ...(required === undefined ? {} : { required }),
  properties: {
    ...Object.fromEntries(
      Object.entries(properties).map(([name, schema]: [string, Schema]) => [name, asWritten(schema)]),
    ),
    ...unmeant,
  },
  additionalProperties: false,
});

/** The schema of a template with what its fields mean. */
const explained = {
  ...templateSchema,
  properties: Object.fromEntries(
    fieldEntries.map(([name, { form, meaning }]) => [name, { ...form, description: meaning }]),
  ),
};

const { $id: _id, ...notifyForm } = notifySchema;
/** The parameter `notify` with what its fields mean. */
const forEditorsOfNotify = { ...notifyForm, description: providerConfigSchema.properties.notify.description };

const draft = { $schema: 'http://json-schema.org/draft-07/schema#' };

const schemas: Readonly<Record<string, Schema>> = {
  'awsprov_config.schema.json': {
    ...draft,
    title: 'Provider configuration of hostfactory-aws',
    ...forEditors({ properties: { ...providerConfigSchema.properties, notify: forEditorsOfNotify } }),
  },
  'awsprov_templates.schema.json': {
    ...draft,
    title: 'Host templates of hostfactory-aws',
    type: 'object',
    required: ['templates'],
    properties: { $schema: { type: 'string' }, templates: { type: 'array', items: forEditors(explained) } },
  },
};

/** Text by file name, made from the schemas the program itself checks by. */
export const editorSchemas = (): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, `${JSON.stringify(schema, null, 2)}\n`]));
