import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/cli/run.ts';
import { duration, eventPlace, pairs, sortField, whole } from '../../../src/cli/usage.ts';

const refusal = (work: () => unknown): string => {
  try {
    return `answered ${String(work())}`;
  } catch (error) {
    return error instanceof UsageError ? error.message : `threw ${String(error)}`;
  }
};

describe('wrong usage names the option and what is allowed', () => {
  it.each([Number.NaN, 0, -1, 2.5, 11, [1, 2]])('of a count: %j', (given) => {
    expect(refusal(() => whole('COUNT', 1, 10).coerce(given))).toBe('COUNT must be a whole number from 1 to 10');
  });
  it.each(['', 'abc', '5x', '-1s', '2m'])('of a length of time: %j', (given) => {
    expect(refusal(() => duration('--wait', 60_000)(given))).toMatch(
      /^--wait must be a length of time such as 200ms, .* at most 60s$/,
    );
  });
  it.each(['yesterday', '', '2026-13-01', '1h', '28.11.2026', '5-req-x'])(
    'of a place among the events: %j',
    (given) => {
      expect(refusal(() => eventPlace(given))).toMatch(/^--from must be a position .* a time such as/);
    },
  );
  it('of a field to sort by', () => {
    expect(refusal(() => sortField(['createdAt', 'wanted'])('foo'))).toBe(
      '--sort-by must be one of created_at, wanted',
    );
  });
  it('of a filter', () => {
    const filter = pairs('--filter', ['priceType']);
    expect(refusal(() => filter('priceType'))).toBe('--filter must have the form field=value, not "priceType"');
    expect(refusal(() => filter(['priceType=spot', 'foo=bar']))).toBe(
      '--filter knows no field "foo"; there are priceType',
    );
  });
});

describe('right usage', () => {
  it.each([
    ['200ms', 200],
    ['5', 5000],
    ['1.5s', 1500],
    ['3m', 180_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
  ])('takes the time %s', (text, ms) => expect(duration('--since')(text)).toBe(ms));
  it.each([
    ['1795828190000', '1795828190000'],
    ['5-req-00000000-0000-4000-8000-000000000000-3', '5-req-00000000-0000-4000-8000-000000000000-3'],
    ['2026-11-28T01:30:00Z', String(Date.UTC(2026, 10, 28, 1, 30))],
    ['2026-11-28T10:30+09:00', String(Date.UTC(2026, 10, 28, 1, 30))],
    ['2026-11-28T10:30', String(new Date(2026, 10, 28, 10, 30).getTime())],
    ['2026-11-28', String(new Date(2026, 10, 28).getTime())],
  ])('takes the place %s', (text, place) => expect(eventPlace(text)).toBe(place));
  it('takes a field in either spelling, and what stands after the first equals sign', () => {
    expect([sortField(['createdAt'])('created_at'), sortField(['createdAt'])('createdAt')]).toEqual([
      'created_at',
      'createdAt',
    ]);
    expect(pairs('--metadata')(['by=ops', 'why=a=b'])).toEqual({ by: 'ops', why: 'a=b' });
  });
});
