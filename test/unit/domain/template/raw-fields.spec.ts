import { describe, expect, it } from 'vitest';
import { rawFieldProblems, withRawFields } from '../../../../src/domain/template/raw-fields.ts';

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

  it.each([
    ['launchTemplateSpec', 'TagSpecifications'],
    ['launchTemplateSpec', 'DisableApiTermination'],
    ['launchTemplateSpec', 'InstanceMarketOptions'],
    ['launchTemplateSpec', '__proto__'],
    ['providerApiSpec', 'ClientToken'],
    ['providerApiSpec', 'TargetCapacitySpecification'],
    ['providerApiSpec', 'TerminateInstancesWithExpiration'],
  ])('%s.%s is not for templates to set', (field, name) => {
    const spec = Object.fromEntries([[name, {}]]);
    expect(rawFieldProblems({ [field]: spec }, 'EC2Fleet')).toMatchObject([{ field: `${field}.${name}` }]);
  });

  it('are those of the API that launches', () => {
    const providerApiSpec = { SpotOptions: {} };
    expect(rawFieldProblems({ providerApiSpec }, 'EC2Fleet')).toEqual([]);
    expect(rawFieldProblems({ providerApiSpec }, 'ASG')).toHaveLength(1);
  });
});
