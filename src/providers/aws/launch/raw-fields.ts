import type { ProviderApi } from '../../../domain/template/template.ts';

/**
 * AWS's own fields that an administrator may give raw, where the vocabulary of templates has none for them. Left out is what
 * this program lives by: tokens, counts, tags, markets, expiry, and whatever keeps a returned host from ending.
 */
export const launchTemplateFields: readonly string[] = [
  'BlockDeviceMappings',
  'CapacityReservationSpecification',
  'CpuOptions',
  'CreditSpecification',
  'EnclaveOptions',
  'HibernationOptions',
  'LicenseSpecifications',
  'MaintenanceOptions',
  'MetadataOptions',
  'Monitoring',
  'NetworkInterfaces',
  'NetworkPerformanceOptions',
  'Placement',
  'PrivateDnsNameOptions',
];

/** The same of the call that launches. */
export const providerApiFields = {
  RunInstances: ['EnablePrimaryIpv6', 'Ipv6AddressCount'],
  EC2Fleet: ['Context', 'OnDemandOptions', 'SpotOptions'],
  SpotFleet: ['Context', 'OnDemandMaxTotalPrice', 'SpotMaintenanceStrategies', 'SpotMaxTotalPrice'],
  ASG: [
    'AvailabilityZoneDistribution',
    'CapacityReservationSpecification',
    'HealthCheckGracePeriod',
    'PlacementGroup',
    'ServiceLinkedRoleARN',
  ],
} as const satisfies Readonly<Record<ProviderApi, readonly string[]>>;

type Raw = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Raw fields over ours: objects field by field, lists and plain values as a whole. */
export const withRawFields = <T extends object>(ours: T, raw: Raw | undefined): T => {
  const merged = Object.entries(raw ?? {}).map(([name, value]) => {
    const own = new Map<string, unknown>(Object.entries(ours)).get(name);
    return [name, isPlain(own) && isPlain(value) ? withRawFields(own, value) : value] as const;
  });
  return { ...ours, ...Object.fromEntries(merged) };
};
