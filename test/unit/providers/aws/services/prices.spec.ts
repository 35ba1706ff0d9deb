import { describe, expect, it } from 'vitest';
import { emulatedAws } from '../emulated-aws.ts';

const settings = {
  onDemandPrices: { 'm5.large': 0.096 },
  spotPrices: {
    'm5.large:us-east-1a': 0.04,
    'm5.large:us-east-1b': 0.05,
    'c5.large:us-east-1a': 0.03,
    'r5.large:us-east-1a': 0.02,
  },
  subnets: { 'subnet-0000000a': { zone: 'us-east-1a', vpc: 'vpc-1' } },
};
const wanted = {
  onDemand: ['m5.large', 'x9.large'],
  spot: ['c5.large', 'm5.large'],
  subnetIds: ['subnet-0000000a'],
};

describe('prices', () => {
  it('are asked of the spot price history, for all types at once, and of the Price List', async () => {
    const { aws, emulator } = await emulatedAws({}, { ...settings, pageSize: 2 });
    expect(await aws.prices(wanted)).toEqual({
      onDemand: { 'm5.large': 0.096 },
      spot: { 'c5.large': { 'us-east-1a': 0.03 }, 'm5.large': { 'us-east-1a': 0.04, 'us-east-1b': 0.05 } },
      zones: { 'subnet-0000000a': 'us-east-1a' },
      warnings: [],
    });
    expect(emulator.countCalls()).toEqual({ DescribeSpotPriceHistory: 2, DescribeSubnets: 1, GetProducts: 2 });
    expect(emulator.calls('GetProducts')[0]?.parameters).toMatchObject({
      'Filters.1.Value': 'm5.large',
      'Filters.2.Field': 'regionCode',
      'Filters.2.Value': 'us-east-1',
    });
  });

  it('of nothing are not asked for', async () => {
    const { aws, emulator } = await emulatedAws({}, settings);
    const nothing = { onDemand: {}, spot: {}, zones: {}, warnings: [] };
    expect(await aws.prices({ onDemand: [], spot: [], subnetIds: [] })).toEqual(nothing);
    expect(emulator.countCalls()).toEqual({});
  });

  it.each([
    ['DescribeSpotPriceHistory', 'spot prices are not known', { spot: {} }],
    ['DescribeSubnets', 'the zones of subnets are not known', { zones: {} }],
    ['GetProducts', 'on-demand prices could not be asked for', { onDemand: {} }],
  ])('that %s denies are told, and the others found', async (action, told, lacking) => {
    const { aws } = await emulatedAws({}, { ...settings, deniedActions: [action] });
    const { warnings, ...found } = await aws.prices(wanted);
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^${told}.*: ${action} failed`))]);
    expect(found).toMatchObject({ ...lacking });
    expect([found.spot, found.zones, found.onDemand].filter((each) => Object.keys(each).length > 0)).toHaveLength(2);
  });

  it('of a Price List that is out of reach are told after one try', async () => {
    const { aws, emulator } = await emulatedAws({ endpoints: { pricing: 'http://127.0.0.1:1' } }, settings);
    const { warnings, onDemand } = await aws.prices(wanted);
    expect([warnings, onDemand]).toEqual([
      [expect.stringContaining('GetProducts failed. Error Code: ECONNREFUSED')],
      {},
    ]);
    expect(emulator.countCalls()['GetProducts']).toBeUndefined();
  });
});
