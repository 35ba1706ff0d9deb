import { expect, it } from 'vitest';
import { basis } from '../../../src/cli/machine-hours.ts';

const total = { key: 'total', machines: 1, hours: 9, spotHours: 0, interruptions: 0, unpricedHours: 0 };
const wordsOf = (cost: object, pricesOf = '2026-11-01T00:00:00.000Z') =>
  basis({ from: pricesOf, until: pricesOf, pricesOf, items: [], total: { ...total, ...cost }, warnings: [] });

it.each([
  [
    'no launch',
    { cost: 4, launchPricedCost: 0 },
    /cost by the latest prices known \(AWS was last asked at 2026.+\), not those of the launches\.$/,
  ],
  [
    'a part',
    { cost: 4, launchPricedCost: 3 },
    /by the prices known at launch for 75 % of it, for the rest by the latest prices known/,
  ],
  ['every launch', { cost: 4, launchPricedCost: 4 }, /cost by the prices known at launch\.$/],
  [
    'a cost too small to tell',
    { cost: 0, launchPricedCost: 0 },
    /cost by the latest prices known \(AWS was last asked at 2026[^,]+$/,
  ],
  ['a part of the hours', { unpricedHours: 2 }, /\.\nIt leaves out 2\.0 hours without a known price\.$/],
])('usage says what its cost goes by where prices are known of %s', (_what, cost, words) =>
  expect(wordsOf(cost)).toMatch(words),
);
