import { describe, expect, it } from 'vitest';
import { withRawFields } from '../../../../../src/providers/aws/launch/raw-fields.ts';

describe('raw fields', () => {
  it('go over ours field by field, lists as a whole', () => {
    const ours = { SpotOptions: { AllocationStrategy: 'diversified', Pools: [1, 2] }, Type: 'instant' };
    const raw = { SpotOptions: { Pools: [3], MaxTotalPrice: '1' }, Context: 'c' };
    expect(withRawFields(ours, raw)).toEqual({
      SpotOptions: { AllocationStrategy: 'diversified', Pools: [3], MaxTotalPrice: '1' },
      Type: 'instant',
      Context: 'c',
    });
  });
});
