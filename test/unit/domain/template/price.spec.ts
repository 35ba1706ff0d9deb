import { describe, expect, it } from 'vitest';
import { type Prices, priceInfoOf, unitPrice, withPrices } from '../../../../src/domain/template/price.ts';
import type { Template } from '../../../../src/domain/template/template.ts';
import { onDemandTemplate } from './template-fixture.ts';

const { vmType: _type, ...untyped } = onDemandTemplate;
const prices: Prices = {
  onDemand: { 'm5.large': 0.1, 'm5.xlarge': 0.16, 'c5.large': 0.09 },
  spot: {
    'm5.large': { 'us-east-1a': 0.04, 'us-east-1b': 0.02, 'us-east-1c': 0.12 },
    'm5.xlarge': { 'us-east-1a': 0.06 },
  },
  zones: { 'subnet-a': 'us-east-1a', 'subnet-b': 'us-east-1b' },
};
const here = { subnetIds: ['subnet-a'] };
const both = { subnetIds: ['subnet-a', 'subnet-b'] };
const fleet: Template = { ...untyped, ...here, providerApi: 'EC2Fleet', vmTypes: { 'm5.large': 1, 'm5.xlarge': 2 } };
const spot: Template = { ...fleet, priceType: 'spot' };

describe('the price of a unit', () => {
  it.each<[string, Template, number | undefined]>([
    ['on demand, of its type', { ...onDemandTemplate, vmType: 'm5.large' }, 0.1],
    ['by RunInstances, of the first type', { ...untyped, vmTypes: { 'm5.large': 1, 'c5.large': 1 } }, 0.1],
    ['by a fleet on demand, of the cheapest type by weight', fleet, 0.08],
    [
      'by priority, of the first of them',
      { ...fleet, allocationStrategyOnDemand: 'prioritized', vmTypesPriority: { 'm5.large': 1, 'm5.xlarge': 2 } },
      0.1,
    ],
    ['spot, the mean of its pools by weight', spot, (0.04 + 0.03) / 2],
    ['spot, of the zones of its subnets', { ...spot, ...both, vmTypes: { 'm5.large': 1 } }, 0.03],
    ['spot, of all zones where its own is not known', { ...spot, subnetIds: ['x'], vmTypes: { 'm5.large': 1 } }, 0.06],
    ['of both markets by their share', { ...spot, percentOnDemand: 25 }, (0.08 * 25 + 0.035 * 75) / 100],
    ['heterogeneous, of the market it begins with', { ...spot, priceType: 'heterogeneous' }, 0.035],
    ['not known of an unknown type', { ...onDemandTemplate, vmType: 'x9.large' }, undefined],
    ['not known of requirements', { ...untyped, priceType: 'spot', providerApi: 'EC2Fleet' }, undefined],
    ['not known of one market of two', { ...spot, percentOnDemand: 25, vmTypes: { 'x9.large': 1 } }, undefined],
    ['not for it to say in a group of the administrator’s', { ...fleet, autoScalingGroupName: 'grid' }, undefined],
    ['paid before of a block', { ...onDemandTemplate, marketType: 'capacity-block' }, undefined],
  ])('is, %s', (_, template, price) => {
    const found = unitPrice(template, prices);
    if (price === undefined) expect(found).toBeUndefined();
    else expect(found).toBeCloseTo(price, 10);
  });

  it('is told in IBM’s form', () =>
    expect(priceInfoOf(0.0350000001)).toBe(
      'price:0.035,billingTimeUnitType:prorated_hour,billingTimeUnitNumber:1,billingRoundoffType:unit',
    ));
});

describe('templates with prices', () => {
  const attributed = (template: Template, attributes: Template['attributes']): Template => ({
    ...template,
    attributes: { ...template.attributes, ...attributes },
  });
  const told = (templates: readonly Template[], rankBy?: 'price' | 'priceReversed') =>
    withPrices(templates, prices, rankBy).map(({ attributes }) => [
      attributes['rank']?.[1],
      attributes['priceInfo']?.[1],
    ]);
  const auto = { priceInfo: ['String', 'auto'] } as const;
  const dear = { ...onDemandTemplate, vmType: 'm5.large' };
  const unknown = { ...onDemandTemplate, vmType: 'x9.large' };

  it('tell the price where it is asked for, and nothing where it is not known', () =>
    expect(told([attributed(dear, auto), dear, attributed(unknown, auto)])).toEqual([
      [undefined, priceInfoOf(0.1)],
      [undefined, undefined],
      [undefined, undefined],
    ]));

  it('rank the cheapest highest, or lowest where that is asked for, and last what has no price', () => {
    const all = [dear, spot, unknown, dear];
    expect(told(all, 'price').map(([rank]) => rank)).toEqual(['1', '2', undefined, '1']);
    expect(told(all, 'priceReversed').map(([rank]) => rank)).toEqual(['2', '1', '3', '2']);
  });

  it('keep what is written', () => {
    const mine = { rank: ['Numeric', '7'], priceInfo: ['String', 'price:9'] } as const;
    expect(told([attributed(dear, mine)], 'price')).toEqual([['7', 'price:9']]);
  });
});
