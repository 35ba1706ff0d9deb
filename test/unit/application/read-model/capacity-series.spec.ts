import { describe, expect, it } from 'vitest';
import type { CapacityRow, CapacitySpan } from '../../../../src/application/projections/capacity.ts';
import { capacityCost, capacitySeries } from '../../../../src/application/read-model/capacity-series.ts';

const hour = 3_600_000;
const span = (machines: number, from: number, until?: number, fields: Partial<CapacitySpan> = {}): CapacitySpan => ({
  instanceType: 'm5.large',
  priceType: 'ondemand',
  machines,
  from: from * hour,
  ...(until === undefined ? {} : { until: until * hour }),
  ...fields,
});
const row = (templateId: string, ...spans: readonly CapacitySpan[]): CapacityRow => ({
  requestId: `req-${templateId}`,
  templateId,
  spans,
  refusals: [],
});
const fourHours = { from: 0, to: 4 * hour };

describe('machines over time', () => {
  it('counts at the end of each part those that are there', () => {
    const rows = [row('a', span(2, 0.5, 2.5), span(1, 1.5)), row('a', span(4, 3.2))];
    expect(capacitySeries(rows, fourHours, 4)).toEqual([{ templateId: 'a', machines: [2, 3, 1, 5] }]);
  });

  it('counts those from before the window, and leaves out what ended before it or is yet to come', () => {
    const rows = [row('a', span(1, -9, 1.5), span(8, -9, -1)), row('b', span(3, 5))];
    expect(capacitySeries(rows, fourHours, 4)).toEqual([{ templateId: 'a', machines: [1, 0, 0, 0] }]);
  });

  it('tells the template with the most machines first', () =>
    expect(
      capacitySeries([row('a', span(1, 0)), row('b', span(5, 0, 3))], fourHours, 2).map(({ templateId }) => templateId),
    ).toEqual(['b', 'a']));
});

describe('the cost of machines', () => {
  const latest = { onDemand: { 'm5.large': 0.1 }, spot: { 'm5.large': { a: 0.02, b: 0.04 } }, zones: {} };
  const prices = { latest, history: { onDemand: {}, spot: {} } };

  it('is their hours within the window at the price of their type and market, and what spot saved', () => {
    const rows = [row('a', span(2, -1, 1), span(1, 3), span(10, 0, 1, { priceType: 'spot' }))];
    expect(capacityCost(rows, fourHours, prices)).toEqual([
      {
        templateId: 'a',
        priceType: 'spot',
        hours: 10,
        usd: expect.closeTo(0.3),
        launchPricedUsd: 0,
        savings: expect.closeTo(0.7),
      },
      { templateId: 'a', priceType: 'ondemand', hours: 3, usd: expect.closeTo(0.3), launchPricedUsd: 0 },
    ]);
  });

  it('is not told where the price of one of its types is not known', () =>
    expect(
      capacityCost([row('a', span(1, 0, 1), span(1, 0, 1, { instanceType: 'x9.huge' }))], fourHours, prices),
    ).toEqual([{ templateId: 'a', priceType: 'ondemand', hours: 2 }]));
});
