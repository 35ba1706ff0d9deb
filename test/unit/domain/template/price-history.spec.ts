import { describe, expect, it } from 'vitest';
import {
  machinePrice,
  type PriceHistory,
  withoutOldest,
  withPrices,
} from '../../../../src/domain/template/price-history.ts';

const none: PriceHistory = { onDemand: {}, spot: {} };
const heard = (...times: readonly (readonly [at: number, usd: number])[]): PriceHistory =>
  times.reduce(
    (history, [at, usd]) => withPrices(history, { at, onDemand: { a: usd }, spot: { a: { z1: usd / 2 } } }),
    none,
  );

describe('the history of prices', () => {
  it('has a point where a price has changed, and none where it is what it was', () => {
    expect(heard([1, 10], [2, 10], [3, 12], [4, 10]).onDemand).toEqual({
      a: [
        [1, 10],
        [3, 12],
        [4, 10],
      ],
    });
  });

  it('keeps what was not asked for again', () => {
    const more = withPrices(heard([1, 10]), { at: 2, onDemand: {}, spot: { a: { z2: 3 }, b: { z1: 4 } } });
    expect(more).toEqual({
      onDemand: { a: [[1, 10]] },
      spot: { a: { z1: [[1, 5]], z2: [[2, 3]] }, b: { z1: [[2, 4]] } },
    });
  });

  it('takes back what a clock that was ahead has noted', () => {
    expect(heard([1, 10], [900, 99], [2, 11]).onDemand['a']).toEqual([
      [1, 10],
      [2, 11],
    ]);
  });

  it('loses its oldest points beyond its bound', () => {
    const long = heard([1, 1], [2, 2], [3, 3]);
    expect(withoutOldest(long, 6)).toEqual(long);
    expect(withoutOldest(long, 4)).toEqual({
      onDemand: {
        a: [
          [2, 2],
          [3, 3],
        ],
      },
      spot: {
        a: {
          z1: [
            [2, 1],
            [3, 1.5],
          ],
        },
      },
    });
  });
});

describe('the price of a machine', () => {
  const latest = { onDemand: { a: 99, b: 7 }, spot: { a: { z1: 98 } } };
  const history = heard([10, 4], [20, 6]);
  const priceOf = (launchedAt: number, machine: { instanceType?: string; priceType?: 'spot'; zone?: string } = {}) =>
    machinePrice({ instanceType: 'a', priceType: 'ondemand', ...machine }, launchedAt, { history, latest });

  it.each([
    [9, { usd: 99, isOfLaunch: false }],
    [10, { usd: 4, isOfLaunch: true }],
    [19, { usd: 4, isOfLaunch: true }],
    [20, { usd: 6, isOfLaunch: true }],
    [999, { usd: 6, isOfLaunch: true }],
  ])('launched at %i, where prices of 10 and 20 are known', (at, price) => expect(priceOf(at)).toEqual(price));

  it('on spot is that of its zone then, else the mean of the zones known then', () => {
    expect(priceOf(15, { priceType: 'spot', zone: 'z1' })).toEqual({ usd: 2, isOfLaunch: true });
    expect(priceOf(25, { priceType: 'spot', zone: 'z2' })).toEqual({ usd: 3, isOfLaunch: true });
    expect(priceOf(5, { priceType: 'spot', zone: 'z1' })).toEqual({ usd: 98, isOfLaunch: false });
  });

  it('of a type that was never asked for is the latest, or none', () => {
    expect(priceOf(15, { instanceType: 'b' })).toEqual({ usd: 7, isOfLaunch: false });
    expect(priceOf(15, { instanceType: 'c' })).toBeUndefined();
  });
});
