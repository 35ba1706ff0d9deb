import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fieldEntries } from '../../../src/templates/fields/template-fields.ts';
import { fc, runs } from '../../random.ts';
import { startWorld, templateDocument } from '../provider-world.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const requirements = { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 4096 } };

/** Values that a form alone does not suggest: such as break a rule between fields, or are AWS's to have. */
const telling: Readonly<Record<string, readonly unknown[]>> = {
  templateId: ['a b', 7],
  attributes: [{}, { ncpus: 0 }, { nram: 'much' }, { type: 'X86_64' }, { rank: 'first' }, { tpye: 'X86_64' }],
  imageId: ['ami-12345678', 'centos', '/aws/service/x'],
  subnetId: [' , ', [], 'subnet-a', ['subnet-a', 'subnet-b']],
  vmType: ['m6g.large', 'x9.large', 'm5.large, c5.large', 'large'],
  vmTypes: [{ 'm5.large': 1 }, { 'm5.large': 0.5 }, ['m5.large'], { 'x9.large': 1 }, { 'm5.large': 1, 'm6g.large': 2 }],
  vmTypesOnDemand: [{ 'm5.large': 2 }],
  vmTypesPriority: [{ 'm5.large': 1 }, { 'm5.large': -1 }, ['m5.large']],
  abisInstanceRequirements: [requirements, { ...requirements, ExcludedInstanceType: ['t*'] }, { VCpuCount: 2 }],
  launchTemplateSpec: [{ CpuOptions: { CoreCount: 2 } }, { CpuOptions: { Cores: 2 } }, { ImageId: 'x' }],
  providerApiSpec: [{ Context: 'x' }, { SpotOptions: { Sauce: 'hot' } }, { DryRun: true }, 3],
  instanceTags: ['a', 'a=b', 'hf-aws:x=y', { a: 1 }, { a: {} }],
  securityGroupIds: [['sg-1'], ['default'], 'sg-1'],
  launchTemplateId: ['lt-0a', 'mine'],
  launchTemplateVersion: ['1', 'newest'],
  autoScalingGroupName: ['grid'],
};

const ofForm = (form: object): readonly unknown[] => {
  if ('enum' in form && Array.isArray(form.enum))
    return [...form.enum.map((each) => String(each).toUpperCase()), 'odd'];
  if (!('type' in form)) return [];
  if (form.type === 'boolean') return [true, 'false', 'perhaps'];
  return form.type === 'integer' ? [-1, 0, 1, 100, '5', 'many', 99_999] : ['text', 0.1];
};

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const misspelt = (name: string): string => name.slice(0, -2) + name.slice(-1);

it('what validate calls an error is not served, and what is served is no error', async () => {
  const world = await startWorld();
  const folder = await temporaryFolder();
  const scripts = ['#!/bin/sh\n', '%EXPORT_USER_DATA%\n'].map((text, index) => ({
    text,
    path: join(folder, `${index}`),
  }));
  for (const { path, text } of scripts) await writeFile(path, text);
  const valuesOf = (name: string, form: object): readonly unknown[] =>
    name === 'userDataScript'
      ? [...scripts.map(({ path }) => path), '/nowhere', 'boot.sh', '#!/bin/sh']
      : [...ofForm(form), ...(telling[name] ?? []), null, ''];
  const field = fc.oneof(
    ...fieldEntries.map(([name, { form, names = [] }]) =>
      fc.tuple(
        fc.constantFrom(name, name, name, ...names, snake(name), misspelt(name)),
        fc.constantFrom(...valuesOf(name, form)),
      ),
    ),
    fc.constantFrom(['colour', 'red'] as const, ['spotPrice', 0.1] as const, ['isActive', 'false'] as const),
  );
  const template = fc
    .tuple(
      fc.constantFrom<string[][]>([], ['vmType'], ['attributes'], ['imageId', 'vmType']),
      fc.array(field, { maxLength: 4 }),
    )
    .map(([left, fields]) => {
      const entries = [...Object.entries(templateDocument()).filter(([name]) => !left.includes(name)), ...fields];
      return Object.fromEntries(entries);
    });
  const seen = { served: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(template, { minLength: 20, maxLength: 30 }), async (written) => {
      const ids = written.map((each, index) => ({ ...each, templateId: each['templateId'] === 7 ? 7 : `t${index}` }));
      await world.writeTemplates(...ids);
      const { templates } = await world.service.getTemplates();
      const { errors, templates: all } = await world.service.validateTemplate({});
      const faulty = new Set(errors.map(({ templateId }) => templateId));
      expect(templates.map(({ templateId }) => templateId)).toEqual(all.filter((id) => !faulty.has(id)));
      seen.served += templates.length;
      seen.refused += faulty.size;
    }),
    { numRuns: runs(15) },
  );
  expect(Math.min(seen.served, seen.refused)).toBeGreaterThan(50);
});

it('of two templates of one name the second is not served, whatever the first is', async () => {
  const world = await startWorld();
  await world.writeTemplates(templateDocument({ maxNumber: 'many' }), templateDocument());
  expect((await world.service.getTemplates()).templates).toEqual([]);
  expect((await world.service.validateTemplate({})).errors.map(({ rule }) => rule)).toEqual([
    'must be integer',
    'is used twice in the file',
  ]);
});

it("does not read the script of a template whose group is the administrator's", async () => {
  const world = await startWorld();
  await world.writeTemplates(
    templateDocument({ providerApi: 'ASG', autoScalingGroupName: 'grid', userDataScript: '/nowhere' }),
  );
  expect((await world.service.validateTemplate({})).errors).toEqual([]);
  expect((await world.service.getTemplates()).templates).toHaveLength(1);
});
