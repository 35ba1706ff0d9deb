import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { outlasting, timeForAws, timeForRecords, withinTime } from '../../../src/boot/call-time.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what is done at AWS is recorded in a table when AWS has no more time', () => {
  it.each([4000, 192_000])('and before the call of %i ms ends', (budget) => {
    const forAws = withinTime(timeForAws(budget), undefined);
    const forRecords = outlasting(forAws, timeForRecords);
    vi.advanceTimersByTime(timeForAws(budget));
    expect([forAws.aborted, forRecords.aborted]).toEqual([true, false]);
    vi.advanceTimersByTime(budget - timeForAws(budget) - 1);
    expect(forRecords.aborted).toBe(true);
    expect(forRecords.reason).toBe(forAws.reason);
  });

  it.each(['before', 'after'])('also where the call was told to end %s the table is asked first', (when) => {
    const told = new AbortController();
    if (when === 'before') told.abort('SIGTERM');
    const forRecords = outlasting(told.signal, timeForRecords);
    told.abort('SIGTERM');
    vi.advanceTimersByTime(timeForRecords - 1);
    expect(forRecords.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect([forRecords.aborted, forRecords.reason]).toEqual([true, 'SIGTERM']);
  });
});
