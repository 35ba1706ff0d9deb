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
} as const satisfies Readonly<Record<string, readonly string[]>>;

type Raw = Readonly<Record<string, unknown>>;

export interface RawFields {
  readonly launchTemplateSpec?: Raw;
  readonly providerApiSpec?: Raw;
}

interface RawFieldProblem {
  readonly field: string;
  readonly rule: string;
}

const refused = (
  field: keyof RawFields,
  spec: Raw | undefined,
  allowed: readonly string[],
): readonly RawFieldProblem[] =>
  Object.keys(spec ?? {})
    .filter((name) => !allowed.includes(name))
    .map((name) => ({ field: `${field}.${name}`, rule: `cannot be given raw; ${allowed.join(', ')} can` }));

/** Raw fields that are not for templates to set. */
export const rawFieldProblems = (
  { launchTemplateSpec, providerApiSpec }: RawFields,
  api: keyof typeof providerApiFields,
): readonly RawFieldProblem[] => [
  ...refused('launchTemplateSpec', launchTemplateSpec, launchTemplateFields),
  ...refused('providerApiSpec', providerApiSpec, providerApiFields[api]),
];

const isPlain = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Raw fields over ours: objects field by field, lists and plain values as a whole. */
export const withRawFields = <T extends object>(ours: T, raw: Raw | undefined): T => {
  const merged = Object.entries(raw ?? {}).map(([name, value]) => {
    const own = new Map<string, unknown>(Object.entries(ours)).get(name);
    return [name, isPlain(own) && isPlain(value) ? withRawFields(own, value) : value] as const;
  });
  return { ...ours, ...Object.fromEntries(merged) };
};
