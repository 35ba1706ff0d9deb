import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { changesBetween, effectOf } from '../../../../src/domain/template/template-change.ts';
import { startWorld, templateDocument } from '../../provider-world.ts';

const written = async (folder: string, ...templates: readonly object[]): Promise<string> => {
  const file = join(folder, 'candidate.json');
  await writeFile(file, JSON.stringify({ templates }));
  return file;
};

it('a file that says the same as what is in effect and what requests keep differs in nothing', async () => {
  const world = await startWorld();
  await world.service.createRequest({ templateId: 'od-a', maxNumber: 2 });
  expect(await world.service.diffTemplates()).toEqual({
    file: world.templatesFile,
    templates: [],
    rejected: [],
    warnings: [],
  });
});

it('a template that was edited is told with what running requests keep of it', async () => {
  const world = await startWorld();
  const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 2 });
  await world.writeTemplates(templateDocument({ vmType: 'c5.xlarge' }));
  expect(await world.service.diffTemplates()).toMatchObject({
    templates: [
      {
        templateId: 'od-a',
        change: 'changed',
        fields: [],
        running: [
          {
            requests: [requestId],
            machines: 2,
            fields: [
              { field: 'vmType', before: 'm5.large', now: 'c5.xlarge', effect: expect.stringContaining('keep') },
            ],
          },
        ],
      },
    ],
  });
});

it('a candidate file is compared with the one in effect: added, removed, changed, and what has faults', async () => {
  const world = await startWorld();
  await world.writeTemplates(...['od-a', 'od-b', 'od-c'].map((templateId) => templateDocument({ templateId })));
  await world.service.createRequest({ templateId: 'od-b', maxNumber: 3 });
  const attributes = { type: 'X86_64', ncpus: 4, nram: 4096 };
  const file = await written(
    world.workDir,
    templateDocument({ templateId: 'od-a', attributes, maxNumber: 5, allocationStrategy: 'lowestPrice' }),
    templateDocument({ templateId: 'od-c', subnetId: undefined, subnetIds: 7 }),
    templateDocument({ templateId: 'od-d' }),
  );
  const diff = await world.service.diffTemplates({ file });
  expect(diff).toMatchObject({ file, against: world.templatesFile });
  const [changed, removed, faulty, added, ...others] = diff.templates;
  expect(changed).toMatchObject({ templateId: 'od-a', change: 'changed', effect: 'nothing runs of it' });
  expect(changed?.fields.map(({ field, before, now, effect }) => [field, before, now, effect.split(' ')[0]])).toEqual([
    ['maxNumber', 10, 5, 'is'],
    ['attributes.ncpus', ['Numeric', '2'], ['Numeric', '4'], 'is'],
    ['allocationStrategy', undefined, 'lowestPrice', 'has'],
  ]);
  expect(removed).toMatchObject({
    templateId: 'od-b',
    change: 'removed',
    effect: 'is no longer offered; its 1 running request with 3 machines goes on unchanged, and returns work',
  });
  expect(faulty).toMatchObject({ templateId: 'od-c', change: 'faulty' });
  expect(added).toMatchObject({ templateId: 'od-d', change: 'added' });
  expect([others, diff.rejected.map(({ templateId }) => templateId)]).toEqual([[], ['od-c']]);
});

it('a limit below what is in use ends nothing', () => {
  expect(effectOf({ field: 'maxNumber', before: 10, now: 5 }, 8)).toContain('nothing is ended');
  expect(effectOf({ field: 'maxNumber', before: 10, now: -1 }, 8)).toContain('limit of new requests');
});

it('an image that an alias stands for is no change', async () => {
  const world = await startWorld();
  const [template] = (await world.service.getTemplates()).templates;
  if (template === undefined) throw new Error('there is a template');
  const kept = { ...template, imageId: 'ami-0123456789abcdef0', imageAlias: 'resolve:ssm:/x' };
  expect(changesBetween(kept, { ...template, imageId: 'resolve:ssm:/x' })).toEqual([]);
});
