import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { editorSchemas, schemaFolder } from '../../../scripts/dev/editor-schemas.ts';

const validatorOf = (name: string) =>
  new Ajv({ allErrors: true, allowUnionTypes: true, strictSchema: false }).compile(
    JSON.parse(editorSchemas()[name] ?? ''),
  );

const sample = async (name: string): Promise<object> =>
  JSON.parse(await readFile(join(schemaFolder, '..', name), 'utf8'));

describe('the schemas for editors', () => {
  it.each(Object.entries(editorSchemas()))('%s is as npm run docs makes it', async (name, text) =>
    expect(await readFile(join(schemaFolder, name), 'utf8')).toBe(text),
  );

  it.each(['awsprov_config', 'awsprov_templates'])(
    'find nothing wrong with the shipped %s.json, which names its schema',
    async (name) => {
      const document = await sample(`${name}.json`);
      const validate = validatorOf(`${name}.schema.json`);
      expect([validate(document), validate.errors]).toEqual([true, null]);
      expect(document).toHaveProperty('$schema', `./schema/${name}.schema.json`);
    },
  );

  it('underline a misspelt field and a value out of range', async () => {
    const validate = validatorOf('awsprov_templates.schema.json');
    expect(validate({ templates: [{ templateId: 'a', maxNumber: -2, subnetId: 's', vmtype: 'm5.large' }] })).toBe(
      false,
    );
    expect(validate.errors?.map(({ keyword }) => keyword).sort()).toEqual(['additionalProperties', 'minimum']);
  });
});
