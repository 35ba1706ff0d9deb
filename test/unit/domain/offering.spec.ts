import { describe, expect, it } from 'vitest';
import { isRefused, promising, refusedOffering } from '../../../src/domain/offering.ts';

const asked = { market: 'spot', instanceType: 'm5.large', subnetId: 'subnet-1' } as const;
const now = 1_000_000;

describe('a refused offering', () => {
  it.each([
    ['pool', { instanceType: 'm5.large', subnetId: 'subnet-1' }, 3],
    ['subnet', { subnetId: 'subnet-1' }, 3],
    ['market', {}, 10],
    ['quota', { instanceType: 'm5.large' }, 10],
  ] as const)('of the scope %s is about %j, for %d minutes', (scope, about, minutes) =>
    expect(refusedOffering(asked, { code: 'TheCode', scope }, now)).toEqual({
      market: 'spot',
      ...about,
      code: 'TheCode',
      seenAt: now,
      expiresAt: now + minutes * 60_000,
    }),
  );

  it.each(['pool', 'subnet', 'quota'] as const)('of the scope %s without a name is nothing to remember', (scope) =>
    expect(refusedOffering({ market: 'spot' }, { code: 'TheCode', scope }, now)).toBeUndefined(),
  );

  it('covers what is more special, of the same market', () => {
    const whole = [{ market: 'spot' as const, subnetId: 'subnet-1' }];
    expect(isRefused(whole, asked)).toBe(true);
    expect(isRefused(whole, { ...asked, subnetId: 'subnet-2' })).toBe(false);
    expect(isRefused(whole, { ...asked, market: 'ondemand' })).toBe(false);
    expect(isRefused([asked], { market: 'spot', subnetId: 'subnet-1' })).toBe(false);
  });

  it('is left out as long as something else is left', () => {
    const offeringOf = (subnetId: string) => ({ ...asked, subnetId });
    expect(promising(['subnet-1', 'subnet-2'], [asked], offeringOf)).toEqual(['subnet-2']);
    expect(promising(['subnet-1'], [asked], offeringOf)).toEqual(['subnet-1']);
  });
});
