import { describe, expect, it } from 'vitest';
import type { ProviderApi, Template } from '../../../../../src/domain/template/template.ts';
import { closestName } from '../../../../../src/json/closest-name.ts';
import { rawFieldComplaints } from '../../../../../src/providers/aws/inspect/raw-field-check.ts';
import { onDemandTemplate } from '../../../domain/template/template-fixture.ts';

const apis: readonly ProviderApi[] = ['RunInstances', 'EC2Fleet', 'SpotFleet', 'ASG'];
const least = { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 4096 } };

const told = (providerApi: ProviderApi, fields: Partial<Template>): readonly string[] => {
  const found = rawFieldComplaints({ ...onDemandTemplate, providerApi, ...fields }, closestName);
  return found.map(({ field, hint = 'no hint' }) => `${field}: ${hint}`);
};

describe('fields in AWS’s own words', () => {
  it.each(apis)('are good as AWS has them: %s', (api) => {
    const launchTemplateSpec = {
      CpuOptions: { CoreCount: 2, ThreadsPerCore: 1 },
      BlockDeviceMappings: [{ DeviceName: '/dev/sdb', Ebs: { VolumeSize: 10, Encrypted: true } }],
      NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true, Groups: ['sg-1'] }],
      MetadataOptions: { HttpTokens: 'optional', InstanceMetadataTags: null },
    };
    expect(told(api, { launchTemplateSpec })).toEqual([]);
  });

  it.each<[ProviderApi, Partial<Template>, string]>([
    [
      'RunInstances',
      { launchTemplateSpec: { CpuOptions: { ThreadPerCore: 1 } } },
      'launchTemplateSpec.CpuOptions.ThreadPerCore: did you mean ThreadsPerCore?',
    ],
    [
      'ASG',
      { launchTemplateSpec: { BlockDeviceMappings: [{ DeviceName: '/dev/sdb', Ebs: { Encryptd: true } }] } },
      'launchTemplateSpec.BlockDeviceMappings.0.Ebs.Encryptd: did you mean Encrypted?',
    ],
    [
      'EC2Fleet',
      { providerApiSpec: { SpotOptions: { AllocationStategy: 'lowest-price' } } },
      'providerApiSpec.SpotOptions.AllocationStategy: did you mean AllocationStrategy?',
    ],
    ['EC2Fleet', { providerApiSpec: { SpotOptions: { Sauce: 'hot' } } }, 'providerApiSpec.SpotOptions.Sauce: no hint'],
    [
      'SpotFleet',
      { providerApiSpec: { SpotMaintenanceStrategies: { CapacityRebalance: { ReplacementStategy: 'launch' } } } },
      'providerApiSpec.SpotMaintenanceStrategies.CapacityRebalance.ReplacementStategy: did you mean ReplacementStrategy?',
    ],
    [
      'ASG',
      { providerApiSpec: { AvailabilityZoneDistribution: { CapacityDistributionStategy: 'x' } } },
      'providerApiSpec.AvailabilityZoneDistribution.CapacityDistributionStategy: did you mean CapacityDistributionStrategy?',
    ],
    ['RunInstances', { launchTemplateSpec: { CpuOptions: 2 } }, 'launchTemplateSpec.CpuOptions: no hint'],
    [
      'RunInstances',
      { launchTemplateSpec: { CpuOptions: { CoreCount: {} } } },
      'launchTemplateSpec.CpuOptions.CoreCount: no hint',
    ],
  ])('that AWS lacks are told: %s %j', (api, fields, complaint) => expect(told(api, fields)).toEqual([complaint]));

  it.each(['NetworkInterfaces', 'BlockDeviceMappings'])('that are nothing in a list are told: %s', (name) => {
    const [complaint] = rawFieldComplaints({ ...onDemandTemplate, launchTemplateSpec: { [name]: [null] } });
    expect(complaint).toMatchObject({ field: `launchTemplateSpec.${name}.0`, rule: 'must be an object' });
  });

  it.each(['EC2Fleet', 'SpotFleet', 'ASG'] as const)('that requirements lack are told: %s', (api) => {
    expect(told(api, { abisInstanceRequirements: { ...least, ExcludedInstanceType: ['t*'] } })).toEqual([
      'abisInstanceRequirements.ExcludedInstanceType: did you mean ExcludedInstanceTypes?',
    ]);
    expect(told(api, { abisInstanceRequirements: { ...least, ExcludedInstanceTypes: ['t*'] } })).toEqual([]);
  });

  it.each(apis)('are looked at under every name that templates may give raw: %s', (api) => {
    for (const field of ['launchTemplateSpec', 'providerApiSpec'] as const) {
      const template: Template = { ...onDemandTemplate, providerApi: api, [field]: { Nonsense: 1 } };
      const [refused] = rawFieldComplaints(template);
      const names = /; (.*) can$/.exec(refused?.rule ?? '')?.[1]?.split(', ') ?? [];
      expect(names.length).toBeGreaterThan(1);
      for (const name of names) {
        const [complaint] = told(api, { [field]: { [name]: { Nonsense: 1 } } });
        expect(complaint, `${field}.${name}`).toMatch(new RegExp(`^${field}\\.${name}(\\.Nonsense)?:`));
      }
    }
  });

  it.each([
    ['launchTemplateSpec', 'TagSpecifications'],
    ['launchTemplateSpec', 'DisableApiTermination'],
    ['launchTemplateSpec', 'InstanceMarketOptions'],
    ['launchTemplateSpec', '__proto__'],
    ['providerApiSpec', 'ClientToken'],
    ['providerApiSpec', 'TargetCapacitySpecification'],
    ['providerApiSpec', 'TerminateInstancesWithExpiration'],
  ])('that are not for templates to set are refused: %s.%s', (field, name) => {
    const spec = Object.fromEntries([[name, {}]]);
    expect(told('EC2Fleet', { [field]: spec })).toEqual([`${field}.${name}: no hint`]);
  });

  it('are those of the API that launches', () => {
    const providerApiSpec = { SpotOptions: {} };
    expect(told('EC2Fleet', { providerApiSpec })).toEqual([]);
    expect(told('ASG', { providerApiSpec })).toHaveLength(1);
  });

  it('that say what a field of the template says are refused beside it', () => {
    const launchTemplateSpec = { CapacityReservationSpecification: {} };
    const [complaint] = rawFieldComplaints({ ...onDemandTemplate, capacityReservation: 'cr-1', launchTemplateSpec });
    const rule = 'is said by launchTemplateSpec.CapacityReservationSpecification too: write one of them';
    expect(complaint).toEqual({ severity: 'error', field: 'capacityReservation', rule });
  });

  it('of network interfaces take the place of the template’s, which is told', () => {
    const efa = { interfaceType: 'efa', efaCount: 2, launchTemplateSpec: { NetworkInterfaces: [{}] } } as const;
    const rule = 'has no effect beside launchTemplateSpec.NetworkInterfaces';
    expect(rawFieldComplaints({ ...onDemandTemplate, ...efa })).toEqual([
      { severity: 'warning', field: 'interfaceType', rule },
      { severity: 'warning', field: 'efaCount', rule },
    ]);
  });
});
