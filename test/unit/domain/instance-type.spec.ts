import { describe, expect, it } from 'vitest';
import { completeAttributes, type InstanceTypeTable } from '../../../src/domain/instance-type.ts';
import type { Template } from '../../../src/domain/template/template.ts';

const table: InstanceTypeTable = new Map([
  ['m5.large', { architecture: 'x86_64', vcpus: 2, cores: 1, memoryMiB: 8192 }],
  ['m5.2xlarge', { architecture: 'x86_64', vcpus: 8, cores: 4, memoryMiB: 32_768 }],
  ['c5.xlarge', { architecture: 'x86_64', vcpus: 4, cores: 2, memoryMiB: 8192 }],
  ['m6g.large', { architecture: 'arm64', vcpus: 2, cores: 2, memoryMiB: 8192 }],
]);
const rules = { ncpusAreCores: false, machineTypes: { x86_64: 'X86_64', arm64: 'LINUX_ARM' } };

const template = (fields: Partial<Template>): Template => ({
  templateId: 't',
  maxNumber: 1,
  priceType: 'ondemand',
  attributes: {},
  subnetIds: ['subnet-1'],
  instanceTags: [],
  securityGroupIds: [],
  allOrNothing: false,
  ...fields,
});

const complete = (fields: Partial<Template>, changes = {}) =>
  completeAttributes(template(fields), table, { ...rules, ...changes });

/** ncpus, nram and type as they were derived. */
const derived = (fields: Partial<Template>, changes = {}) => {
  const { attributes, problems } = complete(fields, changes);
  expect(problems).toEqual([]);
  return ['type', 'ncpus', 'nram'].map((name) => attributes[name]?.[1]);
};

describe('attributes left out', () => {
  it('are those of the instance type', () => expect(derived({ vmType: 'm5.large' })).toEqual(['X86_64', '2', '8192']));

  it('count cores where the configuration says so', () =>
    expect(derived({ vmType: 'm5.large' }, { ncpusAreCores: true })).toEqual(['X86_64', '1', '8192']));

  it('are the least of several types', () =>
    expect(derived({ vmTypes: { 'm5.2xlarge': 1, 'c5.xlarge': 1 } })).toEqual(['X86_64', '4', '8192']));

  it('are those of a unit where types have weights', () =>
    expect(derived({ vmTypes: { 'm5.large': 1, 'm5.2xlarge': 4 } })).toEqual(['X86_64', '2', '8192']));

  it('are the least that requirements allow', () => {
    const abisInstanceRequirements = { VCpuCount: { Min: 4 }, MemoryMiB: { Min: 2048 }, CpuManufacturers: ['amd'] };
    expect(derived({ abisInstanceRequirements })).toEqual(['X86_64', '4', '2048']);
  });

  it('name the machine type of the architecture', () =>
    expect(derived({ vmType: 'm6g.large' })).toEqual(['LINUX_ARM', '2', '8192']));

  it('never change what is written', () =>
    expect(derived({ vmType: 'm5.large', attributes: { ncpus: ['Numeric', '1'], type: ['String', 'MINE'] } })).toEqual([
      'MINE',
      '1',
      '8192',
    ]));

  it('count the cores of a unit where ncores is auto', () => {
    const attributes = { ncores: ['Numeric', 'auto'] } as const;
    const cores = (fields: Partial<Template>) => complete({ attributes, ...fields }).attributes['ncores'];
    expect(cores({ vmType: 'm5.2xlarge' })).toEqual(['Numeric', '4']);
    expect(cores({ vmTypes: { 'm5.2xlarge': 2, 'c5.xlarge': 1 } })).toEqual(['Numeric', '2']);
    expect(cores({ vmTypes: { 'm5.2xlarge': 1, 'c5.xlarge': 1 } })).toEqual(['Numeric', '2']);
    const abisInstanceRequirements = { VCpuCount: { Min: 4 }, MemoryMiB: { Min: 2048 } };
    expect(complete({ attributes, abisInstanceRequirements }).problems).toEqual([
      {
        field: 'attributes.ncores',
        rule: 'must be a number: it is not known for instance types chosen by requirements',
      },
    ]);
  });

  it.each([
    ['types of two architectures', { vmTypes: { 'm5.large': 1, 'm6g.large': 1 } }, ['attributes.type']],
    ['a type nobody knows', { vmType: 'x9.huge' }, ['attributes.type', 'attributes.ncpus', 'attributes.nram']],
    ['no type at all', { launchTemplateId: 'lt-1' }, ['attributes.type', 'attributes.ncpus', 'attributes.nram']],
  ])('are missed with %s', (_, fields, missed) =>
    expect(complete(fields).problems.map(({ field }) => field)).toEqual(missed),
  );

  it('are those of the usual architecture where requirements name no manufacturer', () => {
    const abisInstanceRequirements = { VCpuCount: { Min: 1 }, MemoryMiB: { Min: 1 } };
    expect(complete({ abisInstanceRequirements }).attributes['type']).toEqual(['String', 'X86_64']);
  });
});
