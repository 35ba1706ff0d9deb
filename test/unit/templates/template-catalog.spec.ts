import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fleetTypeOf, providerApiOf } from '../../../src/domain/template/template.ts';
import { createTemplateCatalog } from '../../../src/templates/template-catalog.ts';
import { catalogFacts } from '../catalog-facts.ts';
import { configurationFolder } from '../config/configuration-folder.ts';
import { templateDocument } from '../provider-world.ts';
import { createRecordingLog } from '../recording-log.ts';

const readText = async (text: string, name = 'awsinstprov_templates.json') => {
  const log = createRecordingLog();
  const { environment, confDir } = await configurationFolder({ [name]: text });
  return { ...(await createTemplateCatalog(environment, catalogFacts(environment.workDir), log).read()), log, confDir };
};
const read = (...templates: readonly unknown[]) => readText(JSON.stringify({ templates }));

/** The one template, which must be a good one. */
const good = async (fields: object) => {
  const { templates, rejected, log } = await read(templateDocument(fields));
  expect(rejected).toEqual([]);
  const [template] = templates;
  if (template === undefined) throw new Error('no template');
  return { template, warnings: log.lines.map(({ text }) => text) };
};
/** The fields found fault with in the one template, which must be a bad one. */
const faultsOf = async (template: unknown) => {
  const { templates, rejected } = await read(template);
  expect(templates).toEqual([]);
  return rejected.flatMap(({ problems }) => problems.map(({ field }) => field));
};

describe('a template', () => {
  it('comes in one form, with defaults filled in', async () => {
    const { template, warnings } = await good({});
    expect(template).toEqual({
      templateId: 'od-a',
      maxNumber: 10,
      priceType: 'ondemand',
      attributes: {
        type: ['String', 'X86_64'],
        ncpus: ['Numeric', '2'],
        nram: ['Numeric', '4096'],
        ncores: ['Numeric', '1'],
      },
      imageId: 'ami-12345678',
      subnetIds: ['subnet-a', 'subnet-b'],
      vmType: 'm5.large',
      instanceTags: [['team', 'quant']],
      securityGroupIds: [],
      allOrNothing: false,
    });
    expect(warnings).toEqual([]);
  });

  it.each([
    [
      'as pairs',
      { type: ['String', 'X86_64'], ncpus: ['Numeric', '2'], nram: ['Numeric', 4096], ncores: ['Numeric', 1] },
    ],
    ['as strings', { type: 'X86_64', ncpus: '2', nram: '4096', ncores: '1' }],
    ['as numbers', { type: 'X86_64', ncpus: 2, nram: 4096, ncores: 1 }],
  ])('may spell its attributes %s', async (_, attributes) =>
    expect((await good({ attributes })).template.attributes).toEqual({
      type: ['String', 'X86_64'],
      ncpus: ['Numeric', '2'],
      nram: ['Numeric', '4096'],
      ncores: ['Numeric', '1'],
    }),
  );

  it('may list its types in vmType, as LSF’s plug-in takes them', async () => {
    const { template } = await good({ vmType: 'm5.large, m6i.large', priceType: 'spot' });
    expect(template).toMatchObject({ vmTypes: { 'm5.large': 1, 'm6i.large': 1 } });
  });

  it('may leave out attributes that its instance type tells', async () =>
    expect((await good({ attributes: { rank: 2, nram: 1000 } })).template.attributes).toEqual({
      type: ['String', 'X86_64'],
      ncpus: ['Numeric', '2'],
      ncores: ['Numeric', '1'],
      nram: ['Numeric', '1000'],
      rank: ['Numeric', '2'],
    }));

  it('may have attributes of its own', async () => {
    const attributes = { type: 'NTX64', ncpus: 1, nram: 1, rank: '10', price: 0.5, gpu: true, os: 'linux' };
    expect((await good({ attributes })).template.attributes).toMatchObject({
      rank: ['Numeric', '10'],
      price: ['Numeric', '0.5'],
      gpu: ['Boolean', 'true'],
      os: ['String', 'linux'],
    });
  });

  it.each([
    ['subnet-a', ['subnet-a']],
    ['subnet-a, subnet-b', ['subnet-a', 'subnet-b']],
    [
      ['subnet-b', 'subnet-a'],
      ['subnet-b', 'subnet-a'],
    ],
  ])('may name its subnets as %j', async (subnetId, subnetIds) =>
    expect((await good({ subnetId })).template.subnetIds).toEqual(subnetIds),
  );

  it('may write numbers and booleans as strings', async () =>
    expect((await good({ maxNumber: '-1', ebsOptimized: 'true', rootDeviceVolumeSize: '50' })).template).toMatchObject({
      maxNumber: -1,
      ebsOptimized: true,
      rootDeviceVolumeSize: 50,
    }));

  it('may leave fields empty, as IBM’s samples do', async () => {
    const empty = { keyName: '', instanceProfile: '', userDataScript: '', securityGroupIds: [''], pgrpName: null };
    const { template, warnings } = await good(empty);
    expect(template).not.toHaveProperty('keyName');
    expect([template.securityGroupIds, warnings]).toEqual([[], []]);
  });

  it('may hold fields nobody knows, with a warning', async () => {
    const { template, warnings } = await good({ colour: 'red' });
    expect(template).not.toHaveProperty('colour');
    expect(warnings).toEqual([expect.stringContaining('colour is unknown and ignored')]);
  });

  it('takes a price as a number or a string', async () => {
    const spot = { priceType: 'spot', vmTypes: { 'm5.large': 1 } };
    expect((await good({ ...spot, maxSpotPrice: 0.25 })).template.maxSpotPrice).toBe('0.25');
    expect((await good({ ...spot, maxSpotPrice: '0.25' })).template.maxSpotPrice).toBe('0.25');
  });

  it.each([-1, 0, 10_000])('may allow %i hosts', async (maxNumber) =>
    expect((await good({ maxNumber })).template.maxNumber).toBe(maxNumber),
  );
});

describe('tags', () => {
  it.each([
    [
      'team=quant;env=prod',
      [
        ['team', 'quant'],
        ['env', 'prod'],
      ],
    ],
    [
      ' team = quant ; env=prod; ',
      [
        ['team', 'quant'],
        ['env', 'prod'],
      ],
    ],
    ['list=a,b,c', [['list', 'a,b,c']]],
    ['formula=a=b', [['formula', 'a=b']]],
    ['empty=', [['empty', '']]],
    ['twice=1;twice=2', [['twice', '2']]],
    ['', []],
  ])('%j are %j', async (instanceTags, tags) =>
    expect((await good({ instanceTags })).template.instanceTags).toEqual(tags),
  );

  it('of AWS’s own are left out with a warning', async () => {
    const { template, warnings } = await good({ instanceTags: 'aws:name=x;AWS:other=y;team=quant' });
    expect([template.instanceTags, warnings.length]).toEqual([[['team', 'quant']], 2]);
  });

  it.each([
    ['without a value', 'team'],
    ['without a key', '=quant'],
    ['with too long a key', `${'k'.repeat(129)}=v`],
    ['with too long a value', `k=${'v'.repeat(257)}`],
    ['of the plug-in’s own', 'hf-aws:owner=me'],
    ['of too great a number', Array.from({ length: 44 }, (_, n) => `k${n}=v`).join(';')],
  ])('%s are refused', async (_, instanceTags) =>
    expect(await faultsOf(templateDocument({ instanceTags }))).toEqual(['instanceTags']),
  );
});

describe('a bad template', () => {
  it.each<[string, object, string]>([
    ['no templateId', { templateId: undefined }, 'templateId'],
    ['a templateId with blanks', { templateId: 'od a' }, 'templateId'],
    ['a templateId of 65 characters', { templateId: 'x'.repeat(65) }, 'templateId'],
    ['no maxNumber', { maxNumber: undefined }, 'maxNumber'],
    ['maxNumber -2', { maxNumber: -2 }, 'maxNumber'],
    ['maxNumber 10001', { maxNumber: 10_001 }, 'maxNumber'],
    ['maxNumber 1.5', { maxNumber: 1.5 }, 'maxNumber'],
    ['another priceType', { priceType: 'cheap' }, 'priceType'],
    ['no type for ARM', { attributes: { ncpus: 1, nram: 1 }, vmType: 'm6g.large' }, 'attributes.type'],
    [
      'no ncpus and an unknown vmType',
      { attributes: { type: 'X86_64', nram: 1 }, vmType: 'x9.large' },
      'attributes.ncpus',
    ],
    ['ncpus 0', { attributes: { type: 'X86_64', ncpus: 0, nram: 1 } }, 'attributes.ncpus'],
    ['nram 1.5', { attributes: { type: 'X86_64', ncpus: 1, nram: '1.5' } }, 'attributes.nram'],
    ['ncores -1', { attributes: { type: 'X86_64', ncpus: 1, nram: 1, ncores: -1 } }, 'attributes.ncores'],
    ['an image of another form', { imageId: 'centos' }, 'imageId'],
    ['no subnet', { subnetId: undefined }, 'subnetId'],
    ['an empty subnet', { subnetId: '' }, 'subnetId'],
    ['no subnet in the list', { subnetId: [] }, 'subnetId'],
    ['nothing but commas for subnets', { subnetId: ' , ' }, 'subnetId'],
    ['a vmType of another form', { vmType: 'large' }, 'vmType'],
    ['no vmType', { vmType: undefined }, 'vmType'],
    ['fractions for weights', { vmTypes: { 'm5.large': 0.5 } }, 'vmTypes.m5.large'],
    ['no types at all', { vmType: undefined, vmTypes: {} }, 'vmType'],
    ['a root volume of 0 GiB', { rootDeviceVolumeSize: 0 }, 'rootDeviceVolumeSize'],
    ['a root volume of 16385 GiB', { rootDeviceVolumeSize: 16_385 }, 'rootDeviceVolumeSize'],
    ['another volume type', { volumeType: 'floppy' }, 'volumeType'],
    ['iops 99', { volumeType: 'io1', iops: 99 }, 'iops'],
    ['iops without io1', { volumeType: 'gp2', iops: 500 }, 'iops'],
    ['a security group of another form', { securityGroupIds: ['default'] }, 'securityGroupIds.0'],
    ['a relative script', { userDataScript: 'boot.sh' }, 'userDataScript'],
    ['percentOnDemand 101', { percentOnDemand: 101 }, 'percentOnDemand'],
    ['another strategy', { allocationStrategy: 'cheapest' }, 'allocationStrategy'],
    ['another tenancy', { tenancy: 'shared' }, 'tenancy'],
    ['another interface', { interfaceType: 'wifi' }, 'interfaceType'],
  ])('with %s is refused for that field', async (_, fields, field) =>
    expect(await faultsOf(templateDocument(fields))).toContain(field),
  );

  it.each(['text', 3, null, []])('that is %j is refused by its place', async (entry) => {
    const { rejected } = await read(entry);
    expect(rejected).toEqual([{ templateId: 'templates[0]', problems: [{ field: '', rule: 'must be an object' }] }]);
  });

  it('does not take the good ones with it', async () => {
    const { templates, rejected } = await read(
      templateDocument({ templateId: 'bad', vmType: 'x' }),
      templateDocument(),
    );
    expect([templates.map(({ templateId }) => templateId), rejected.map(({ templateId }) => templateId)]).toEqual([
      ['od-a'],
      ['bad'],
    ]);
  });

  it('that stands twice is served as it stood first', async () => {
    const { templates, rejected } = await read(templateDocument(), templateDocument({ vmType: 'c5.large' }));
    expect(templates).toMatchObject([{ vmType: 'm5.large' }]);
    expect(rejected).toEqual([{ templateId: 'od-a', problems: [{ field: 'templateId', rule: 'is used twice' }] }]);
  });
});

describe('the file', () => {
  it('that is shipped as an example has templates of every kind, all good', async () => {
    const shipped = join(import.meta.dirname, '..', '..', '..', 'config', 'awsprov_templates.json');
    const { templates, rejected } = await readText(await readFile(shipped, 'utf8'));
    expect(rejected).toEqual([]);
    expect(new Set(templates.map(providerApiOf))).toEqual(new Set(['RunInstances', 'EC2Fleet', 'SpotFleet', 'ASG']));
    const fleets = templates.filter((template) => providerApiOf(template) === 'EC2Fleet').map(fleetTypeOf);
    expect(new Set(fleets)).toEqual(new Set(['instant', 'request', 'maintain']));
  });

  it.each([
    'awsinstprov_templates.json',
    'awsprov_templates.json',
    'conf/awsinstprov_templates.json',
    'conf/awsprov_templates.json',
  ])('may be %s, and its place is told', async (name) => {
    const { file, confDir } = await readText(JSON.stringify({ templates: [] }), name);
    expect(file).toBe(join(confDir, name));
  });

  it('that is nowhere is told with all the places looked at', async () => {
    const { environment, confDir } = await configurationFolder();
    await expect(
      createTemplateCatalog(environment, catalogFacts(environment.workDir), createRecordingLog()).read(),
    ).rejects.toMatchObject({
      code: 'configuration.missing',
      message: expect.stringContaining(join(confDir, 'conf', 'awsprov_templates.json')),
    });
  });

  it('that was named, and is not there, is told by its own name', async () => {
    const { environment } = await configurationFolder();
    const facts = catalogFacts(environment.workDir);
    const named = createTemplateCatalog(environment, facts, createRecordingLog(), async () => undefined, [
      '/mine.json',
    ]);
    await expect(named.read()).rejects.toThrow(/looked for \/mine\.json$/);
  });

  it.each(['[]', '{}', '{"templates":{}}', '"text"'])('that holds %s has no list to serve', async (text) =>
    expect(readText(text)).rejects.toMatchObject({ code: 'configuration.invalid' }),
  );

  it('that is not JSON is told with line and column', async () =>
    expect(readText('{"templates": [\n{,}]}')).rejects.toThrow(
      /awsinstprov_templates\.json is not JSON: line 2, column 2/,
    ));

  it('may begin with a byte order mark', async () =>
    expect((await readText('\uFEFF{"templates":[]}')).templates).toEqual([]));
});
