import { describe, expect, it } from 'vitest';
import { createAwsClock } from '../../../../../src/providers/aws/wire/aws-clock.ts';

const local = Date.UTC(2026, 0, 1);
const dateAhead = (ms: number): string => new Date(local - ms).toUTCString();

const listen = (ahead: readonly number[], known?: number) => {
  const told: number[] = [];
  const clock = createAwsClock(
    () => local,
    (ms) => told.push(ms),
    () => known,
  );
  for (const ms of ahead) clock.observe(dateAhead(ms));
  return { clock, told };
};

describe('the clock of AWS', () => {
  it('is that of this host while AWS was not heard', () => {
    const { clock } = listen([]);
    expect(clock.now()).toBe(local);
    expect(clock.ahead()).toBeUndefined();
  });

  it.each([
    ['ahead', 200_000],
    ['behind', -5 * 3_600_000],
  ])('is told by its answers where this host is %s', (_, ms) => {
    const { clock, told } = listen([ms]);
    expect(clock.now()).toBe(local - ms);
    expect(clock.ahead()).toBe(ms);
    expect(told).toEqual([ms]);
  });

  it('does not differ by less than an answer and whole seconds may take', () => {
    const { clock, told } = listen([4000, -3000], 0);
    expect(clock.now()).toBe(local);
    expect(told).toEqual([]);
  });

  it('is known from an earlier call until AWS is heard', () => {
    const { clock } = listen([], 200_000);
    expect([clock.now(), clock.ahead()]).toEqual([local - 200_000, undefined]);
    clock.observe(dateAhead(0));
    expect(clock.now()).toBe(local);
  });

  it('is told once as no different where nothing was known', () => {
    expect(listen([4000, -3000]).told).toEqual([0]);
  });

  it('is not told again where it is as an earlier call has found it', () =>
    expect(listen([201_000], 200_000).told).toEqual([]));

  it('is dated by when an answer began to arrive, not by when all of it was there', () => {
    const { clock } = listen([]);
    clock.observe(dateAhead(60_000), local - 60_000);
    expect(clock.now()).toBe(local);
  });

  it('follows when the clock of this host is set right, and tells each change once', () => {
    const { clock, told } = listen([200_000, 201_000, 0, 300_000]);
    expect(clock.now()).toBe(local - 300_000);
    expect(told).toEqual([200_000, 0, 300_000]);
  });

  it.each([undefined, '', 'yesterday'])('is not moved by a date that is %j', (date) => {
    const { clock } = listen([200_000]);
    clock.observe(date);
    expect(clock.now()).toBe(local - 200_000);
  });
});
