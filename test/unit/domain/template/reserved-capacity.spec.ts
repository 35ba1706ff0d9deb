import { describe, expect, it } from 'vitest';
import type { Template } from '../../../../src/domain/template/template.ts';
import { reviewTemplate } from '../../../../src/domain/template/template-review.ts';
import { templateProblems } from '../../../../src/domain/template/template-rules.ts';
import { onDemandTemplate } from './template-fixture.ts';

const [id, group] = ['cr-0123456789abcdef0', 'arn:aws:resource-groups:us-east-1:123456789012:group/grid'];
const block: Partial<Template> = { marketType: 'capacity-block', capacityReservation: id };
const { vmType: _type, ...untyped } = onDemandTemplate;
const requirements = { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 4096 } };

const told = (template: Template): readonly string[] =>
  templateProblems(template).map(({ field, rule }) => `${field} ${rule}`);

describe('reserved capacity', () => {
  it.each<[string, Partial<Template>]>([
    ...(['open', 'none', id, group] as const).flatMap((capacityReservation) =>
      (['RunInstances', 'EC2Fleet', 'ASG'] as const).map((providerApi): [string, Partial<Template>] => [
        `${capacityReservation} by ${providerApi}`,
        { capacityReservation, providerApi },
      ]),
    ),
    ['a block by RunInstances', block],
    ['a block by EC2 Fleet', { ...block, providerApi: 'EC2Fleet' }],
    ['none by spot', { capacityReservation: 'none', priceType: 'spot', providerApi: 'RunInstances' }],
  ])('may be %s', (_, fields) => expect(told({ ...onDemandTemplate, ...fields })).toEqual([]));

  it.each<[string, Template]>([
    [
      'capacityReservation is for priceType ondemand: spot uses no reserved capacity',
      { ...onDemandTemplate, priceType: 'spot', providerApi: 'RunInstances', capacityReservation: id },
    ],
    [
      'capacityReservation is for priceType ondemand: heterogeneous uses no reserved capacity',
      { ...onDemandTemplate, priceType: 'heterogeneous', capacityReservation: 'open' },
    ],
    [
      'capacityReservation is not for SpotFleet; EC2Fleet takes it',
      { ...onDemandTemplate, providerApi: 'SpotFleet', capacityReservation: 'open' },
    ],
    [
      'marketType capacity-block is for RunInstances and for EC2Fleet of type instant',
      { ...onDemandTemplate, ...block, providerApi: 'ASG' },
    ],
    [
      'marketType capacity-block is for RunInstances and for EC2Fleet of type instant',
      { ...onDemandTemplate, ...block, providerApi: 'EC2Fleet', fleetType: 'request' },
    ],
    [
      'capacityReservation must be the id of the block (cr-…) with marketType capacity-block',
      { ...onDemandTemplate, marketType: 'capacity-block' },
    ],
    [
      'capacityReservation must be the id of the block (cr-…) with marketType capacity-block',
      { ...onDemandTemplate, ...block, capacityReservation: group },
    ],
    [
      'vmTypes must be the one type of the block with marketType capacity-block',
      { ...untyped, ...block, providerApi: 'EC2Fleet', vmTypes: { 'p5.48xlarge': 1, 'p4d.24xlarge': 1 } },
    ],
    [
      'vmTypes must be the one type of the block with marketType capacity-block',
      { ...untyped, ...block, providerApi: 'EC2Fleet', abisInstanceRequirements: requirements },
    ],
    [
      'allOrNothing is not for EC2Fleet with marketType capacity-block; RunInstances takes it',
      { ...onDemandTemplate, ...block, providerApi: 'EC2Fleet', allOrNothing: true, maxNumber: 4 },
    ],
  ])('is refused: %s', (rule, template) => expect(told(template)).toEqual([rule]));

  it('of `none` is told to have no effect on spot, and any in a group of the administrator’s', () => {
    const review = (fields: Partial<Template>) =>
      reviewTemplate({ ...onDemandTemplate, ...fields }, new Map(), { ncpusAreCores: false, machineTypes: {} })
        .filter(({ field }) => field === 'capacityReservation')
        .map(({ rule }) => rule);
    expect(review({ priceType: 'spot', providerApi: 'RunInstances', capacityReservation: 'none' })).toEqual([
      'has no effect where nothing is bought on demand',
    ]);
    expect(review({ providerApi: 'ASG', autoScalingGroupName: 'grid', capacityReservation: id })).toEqual([
      'has no effect in your own Auto Scaling group, whose settings decide',
    ]);
  });
});
