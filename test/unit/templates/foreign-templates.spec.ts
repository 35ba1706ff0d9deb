import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startWorld, templateDocument, type World } from '../provider-world.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** What validate says of one template, and whether the scripts offer it. */
const judged = async (world: World, fields: object) => {
  await world.writeTemplates(templateDocument(fields));
  const { errors, warnings } = await world.service.validateTemplate({});
  const told = (list: typeof errors) => list.map(({ field, rule, hint = '' }) => `${field} ${rule} ${hint}`.trim());
  const isServed = (await world.service.getTemplates()).templates.length === 1;
  return { errors: told(errors), warnings: told(warnings), isServed };
};

it('a strategy near one that is known is refused with what was probably meant', async () => {
  const world = await startWorld();
  const spot = { priceType: 'spot', vmTypes: { 'm5.large': 1 }, vmType: undefined };
  const { errors, isServed } = await judged(world, { ...spot, allocationStrategy: 'lowestPrise' });
  expect(isServed).toBe(false);
  expect(errors).toEqual([expect.stringMatching(/^allocationStrategy must be one of .* did you mean lowestPrice\?$/)]);
});

it.each([
  [
    'two architectures',
    { priceType: 'spot', vmType: undefined, vmTypes: { 't2.medium': 1, 'a1.xlarge': 1 } },
    /one image cannot serve both/,
  ],
  [
    'more CPUs than its type has',
    { vmType: 't2.micro', attributes: { type: 'X86_64', ncpus: 2, nram: 512 } },
    /promises 2 CPUs/,
  ],
  ['a rank that is no number', { attributes: { rank: 'first' } }, /attributes\.rank is not a number/],
  [
    'a price of another form',
    { attributes: { priceInfo: 'cheap' } },
    /attributes\.priceInfo must be auto or of the form price:/,
  ],
  [
    'a Spot Fleet without a role',
    { providerApi: 'SpotFleet', priceType: 'spot', vmType: undefined, vmTypes: { 'm5.large': 1 } },
    /fleetRole is left out: AWSServiceRoleForEC2SpotFleet serves/,
  ],
])('a sample with %s is served, with a warning', async (_what, fields, warning) => {
  const { errors, warnings, isServed } = await judged(await startWorld(), fields);
  expect([errors, isServed]).toEqual([[], true]);
  expect(warnings).toContainEqual(expect.stringMatching(warning));
});

it('a template that has its cores counted is offered with the exact numbers of its type, and told where they are of the smallest', async () => {
  const world = await startWorld();
  const attributes = { ncores: 'auto', ncpus: 1 };
  const fleet = { providerApi: 'EC2Fleet', vmType: undefined, attributes };
  expect(await judged(world, { vmType: 'm5.2xlarge', attributes })).toEqual({
    errors: [],
    warnings: [],
    isServed: true,
  });
  const [offered] = (await world.service.getTemplates()).templates;
  expect(offered?.attributes).toMatchObject({ ncores: ['Numeric', '4'], nram: ['Numeric', '32768'] });
  const { warnings } = await judged(world, { ...fleet, vmTypes: { 'm5.large': 1, 'm5.2xlarge': 1 } });
  expect(warnings).toEqual([
    expect.stringMatching(/^attributes\.nram is that of the smallest type: m5\.large 8192, m5\.2xlarge 32768/),
    expect.stringMatching(/^attributes\.ncores is that of the smallest type: m5\.large 1, m5\.2xlarge 4/),
  ]);
});

it('user data that reads metadata without a token is served with a warning that has both cures', async () => {
  const userDataScript = join(await temporaryFolder(), 'boot.sh');
  await writeFile(userDataScript, '#!/bin/sh\ncurl http://169.254.169.254/latest/meta-data/instance-id\n');
  const { warnings, isServed } = await judged(await startWorld(), { userDataScript });
  expect(isServed).toBe(true);
  expect(warnings).toEqual([
    expect.stringMatching(/without a token.*PUT \/latest\/api\/token.*"HttpTokens": "optional"/),
  ]);
});

it.each(['userData', 'user_data', 'userDataScript'])(
  'a script in %s, where none is read, is an error',
  async (field) => {
    const { errors, isServed } = await judged(await startWorld(), { [field]: '#!/bin/bash\necho' });
    expect(isServed).toBe(false);
    expect(errors).toContainEqual(expect.stringMatching(/is a script: write it to a file/));
  },
);

it('an object of templates is told by both ways in the same words, with the right form', async () => {
  const world = await startWorld();
  await writeFile(world.templatesFile, JSON.stringify({ templates: { a: templateDocument() } }));
  const { errors } = await world.service.validateTemplate({});
  expect(errors.map(({ rule }) => rule)).toEqual([expect.stringContaining('{"templates": [{"templateId"')]);
  await expect(world.service.getTemplates()).rejects.toThrow(errors[0]?.rule ?? 'nothing');
});
