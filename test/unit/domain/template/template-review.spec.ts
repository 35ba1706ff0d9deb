import { describe, expect, it } from 'vitest';
import type { Template } from '../../../../src/domain/template/template.ts';
import { reviewTemplate } from '../../../../src/domain/template/template-review.ts';
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
    ['warning attributes.type is X86_64, but m6g.large is arm64', { vmType: 'm6g.large' }],
    [
      'warning attributes.nram promises 9000 MB; m5.large has 8192',
      { attributes: { ...onDemandTemplate.attributes, nram: ['Numeric', '9000'] } },
    ],
    [
      'error vmType nothing is known of m9.large, so attributes.type, attributes.ncpus, attributes.nram must be written; hf-aws instance-types refresh asks EC2',
      { vmType: 'm9.large', attributes: {} },
    ],
  ])('tells: %s', (told, fields) => expect(review(fields)).toEqual([told]));

  const { vmType: _type, ...ofTypes } = { ...onDemandTemplate, ...spot({ 'm5.large': 1 }) };
  const { vmTypes: _types, ...ofOne } = { ...ofTypes, providerApi: 'RunInstances', vmType: 'm5.large' } as const;
  const here = (priceType: string, api: string): string =>
    `has no effect here (priceType ${priceType}, served by ${api})`;
  const role = { fleetRole: 'arn' };
  const ranked = { vmTypesPriority: { 'm5.large': 1 } };
  const unranked =
    'has no effect without allocationStrategy capacityOptimizedPrioritized or, on demand, allocationStrategyOnDemand prioritized';
  const diversified =
    'diversified is not for Auto Scaling groups; this one chooses by price and capacity (price-capacity-optimized)';

  const bases = { types: ofTypes, one: ofOne };

  it.each<[keyof typeof bases, Partial<Template>, ...string[]]>([
    ['types', { allocationStrategy: 'diversified' }],
    ['types', { allocationStrategy: 'diversified', providerApi: 'ASG' }, `allocationStrategy ${diversified}`],
    [
      'types',
      { allocationStrategy: 'diversified', priceType: 'ondemand' },
      `allocationStrategy ${here('ondemand', 'EC2Fleet')}`,
    ],
    ['types', { percentOnDemand: 20 }],
    [
      'types',
      { percentOnDemand: 20, priceType: 'heterogeneous' },
      `percentOnDemand ${here('heterogeneous', 'EC2Fleet')}`,
    ],
    ['one', { percentOnDemand: 20 }, `percentOnDemand ${here('spot', 'RunInstances')}`],
    ['types', { ...ranked, allocationStrategy: 'capacityOptimizedPrioritized' }],
    ['types', { ...ranked, allocationStrategyOnDemand: 'prioritized', priceType: 'ondemand' }],
    ['types', { ...ranked, allocationStrategyOnDemand: 'prioritized', percentOnDemand: 1 }],
    ['types', ranked, `vmTypesPriority ${unranked}`],
    ['one', { ...ranked }, `vmTypesPriority ${here('spot', 'RunInstances')}`],
    ['types', { allocationStrategyOnDemand: 'lowestPrice', priceType: 'heterogeneous' }],
    [
      'types',
      { allocationStrategyOnDemand: 'lowestPrice' },
      'allocationStrategyOnDemand has no effect where nothing is bought on demand',
    ],
    ['types', { poolsCount: 2, allocationStrategy: 'lowestPrice', providerApi: 'SpotFleet', ...role }],
    ['types', { poolsCount: 2 }, 'poolsCount has no effect without allocationStrategy lowestPrice'],
    ['one', { poolsCount: 2 }, `poolsCount ${here('spot', 'RunInstances')}`],
    ['one', { maxSpotPrice: '1' }],
    ['types', { ...role }, `fleetRole ${here('spot', 'EC2Fleet')}`],
    ['types', { spotFleetRequestExpiry: 5 }, `spotFleetRequestExpiry ${here('spot', 'EC2Fleet')}`],
    ['types', { spotFleetRequestExpiry: 5, providerApi: 'ASG' }],
  ])('tells what has no effect: %s %j %s', (base, fields, ...told) => {
    const found = reviewTemplate({ ...bases[base], ...fields }, table, rules);
    expect(found.map(({ severity, field, rule }) => `${severity} ${field} ${rule}`)).toEqual(
      told.map((each) => `warning ${each}`),
    );
  });

  it('tells what has no effect in a group of the administrator’s', () => {
    const ignored: Partial<Template> = {
      keyName: 'k',
      securityGroupIds: ['sg-1'],
      userDataScript: '/boot.sh',
      launchTemplateSpec: { CpuOptions: { ThreadsPerCore: 1 } },
      providerApiSpec: { HealthCheckGracePeriod: 3 },
      percentOnDemand: 50,
      maxSpotPrice: '1',
      allocationStrategy: 'diversified',
      tenancy: 'dedicated',
    };
    const { imageId: _image, ...ofGroup } = ofTypes;
    const group = { ...ofGroup, providerApi: 'ASG', autoScalingGroupName: 'grid' } as const;
    expect(reviewTemplate({ ...group, spotFleetRequestExpiry: 5 }, table, rules)).toEqual([]);
    const found = reviewTemplate({ ...group, ...ignored, imageId: 'ami-12345678' }, table, rules);
    expect(found.map(({ field }) => field).sort()).toEqual([...Object.keys(ignored), 'imageId'].sort());
    for (const { severity, rule } of found)
      expect([severity, rule]).toEqual([
        'warning',
        'has no effect in your own Auto Scaling group, whose settings decide',
      ]);
  });

  it('weighs attributes and maxNumber by units', () => {
    const { vmType: _type, ...without } = onDemandTemplate;
    const { vmTypes, ...fields } = spot(
      { 'm5.large': 4, 'm5.xlarge': 16 },
      {
        vmTypesPriority: { 'c5.large': 1 },
        allocationStrategy: 'capacityOptimizedPrioritized',
      },
    );
    const told = reviewTemplate({ ...without, ...fields, ...(vmTypes && { vmTypes }) }, table, rules);
    expect(told.map(({ field, rule }) => `${field} ${rule}`)).toEqual([
      'vmTypesPriority.c5.large is not among the instance types of this template',
      'vmTypes.m5.xlarge weighs 16, more than the 10 units of maxNumber',
      'attributes.nram promises 4096 MB; m5.large has 2048 for each of its 4 units',
    ]);
  });

  it('finds two architectures for one image', () =>
    expect(review(spot({ 'm5.large': 1, 'm6g.large': 1 }))).toContain(
      'warning vmTypes.m6g.large m6g.large is arm64, m5.large x86_64: one image cannot serve both',
    ));
});
