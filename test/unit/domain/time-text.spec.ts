import { afterEach, describe, expect, it, vi } from 'vitest';
import { age, localTime } from '../../../src/domain/time-text.ts';

afterEach(() => void vi.unstubAllEnvs());

describe('a time for people', () => {
  it.each([
    ['Asia/Tokyo', '2026-11-28 10:30:00.684 +09:00'],
    ['UTC', '2026-11-28 01:30:00.684 +00:00'],
    ['America/St_Johns', '2026-11-27 22:00:00.684 -03:30'],
  ])('is local in %s, and says so', (zone, text) => {
    vi.stubEnv('TZ', zone);
    const ms = Date.UTC(2026, 10, 28, 1, 30, 0, 684);
    expect(localTime(ms, { fraction: true })).toBe(text);
    expect(localTime(ms)).toBe(text.replace('.684', ''));
  });
});

it.each([
  [0, '0s'],
  [-5000, '0s'],
  [119_000, '119s'],
  [120_000, '2m'],
  [7_199_000, '119m'],
  [7_200_000, '2h'],
  [172_800_000, '2d'],
])('an age of %d ms is %s', (ms, text) => expect(age(ms)).toBe(text));
