import { fieldEntries } from './fields/template-fields.ts';

/** One template of awsprov_templates.json, once its names and spellings are ours. */
export const templateSchema = {
  $id: 'awsprov_template',
  type: 'object',
  required: ['templateId', 'maxNumber', 'subnetId'],
  properties: Object.fromEntries(fieldEntries.map(([name, { form }]) => [name, form])),
};
