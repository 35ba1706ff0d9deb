import { describe, expect, it } from 'vitest';
import type { Template } from '../../../src/domain/template.ts';
import { reviewTemplate } from '../../../src/domain/template-review.ts';
import { onDemandTemplate } from './template-fixture.ts';

const table = new Map([
  ['m5.large', { architecture: 'x86_64', vcpus: 2, cores: 1, memoryMiB: 8192 }],
  ['m5.xlarge', { architecture: 'x86_64', vcpus: 4, cores: 2, memoryMiB: 16_384 }],
  ['m6g.large', { architecture: 'arm64', vcpus: 2, cores: 2, memoryMiB: 8192 }],
]);
const rules = { ncpusAreCores: false, machineTypes: { x86_64: 'X86_64' } };

const review = (fields: Partial<Template>) =>
  reviewTemplate({ ...onDemandTemplate, ...fields }, table, rules).map(
    ({ severity, field, rule }) => `${severity} ${field} ${rule}`,
  );

const spot = (vmTypes: Record<string, number>, fields: Partial<Template> = {}): Partial<Template> => {
  const attributes = { ...onDemandTemplate.attributes, ncpus: ['Numeric', '1'] } as const;
  return { priceType: 'spot', providerApi: 'EC2Fleet', vmTypes, attributes, ...fields };
};

describe('a review of a template', () => {
  it('has nothing to say of a good one', () => expect(review({})).toEqual([]));

  it.each<[string, Partial<Template>]>([
    ['warning maxSpotPrice has no effect here (priceType ondemand, served by RunInstances)', { maxSpotPrice: '1' }],
    ['warning vmTypes has no effect here (priceType ondemand, served by RunInstances)', { vmTypes: { 'm5.large': 1 } }],
    ['warning fleetRole has no effect here (priceType ondemand, served by RunInstances)', { fleetRole: 'arn' }],
    ['warning vmType has no effect here (priceType spot, served by EC2Fleet)', spot({ 'm5.large': 1 })],
    ['error iops is allowed only with volumeType io1, io2 or gp3', { iops: 3000, volumeType: 'gp2' }],
    ['warning vmType nothing is known of m9.large; hf-aws instance-types refresh asks EC2', { vmType: 'm9.large' }],
    ['error attributes.type is X86_64, but m6g.large is arm64', { vmType: 'm6g.large' }],
    [
      'error attributes.nram promises 9000 MB; m5.large has 8192',
      { attributes: { ...onDemandTemplate.attributes, nram: ['Numeric', '9000'] } },
    ],
    [
      'error vmType nothing is known of m9.large, so attributes.type, attributes.ncpus, attributes.nram must be written; hf-aws instance-types refresh asks EC2',
      { vmType: 'm9.large', attributes: {} },
    ],
  ])('tells: %s', (told, fields) => expect(review(fields)).toEqual([told]));

  it('weighs attributes and maxNumber by units', () => {
    const { vmType: _type, ...without } = onDemandTemplate;
    const { vmTypes, ...fields } = spot({ 'm5.large': 4, 'm5.xlarge': 16 }, { vmTypesPriority: { 'c5.large': 1 } });
    const told = reviewTemplate({ ...without, ...fields, ...(vmTypes && { vmTypes }) }, table, rules);
    expect(told.map(({ field, rule }) => `${field} ${rule}`)).toEqual([
      'vmTypesPriority.c5.large is not among the instance types of this template',
      'vmTypes.m5.xlarge weighs 16, more than the 10 units of maxNumber',
      'attributes.nram promises 4096 MB; m5.large has 2048 for each of its 4 units',
    ]);
  });

  it('finds two architectures for one image', () =>
    expect(review(spot({ 'm5.large': 1, 'm6g.large': 1 }))).toContain(
      'error vmTypes.m6g.large m6g.large is arm64, m5.large x86_64: one image cannot serve both',
    ));
});
