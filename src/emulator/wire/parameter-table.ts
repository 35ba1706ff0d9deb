import { invalidValue, ServiceError } from './service-error.ts';

const words = (text: string): readonly string[] => text.split(/\s+/).filter(Boolean);

// The last part of a parameter's name gives its kind away, in whatever action; all others are text.
const kinds = [
  {
    expected: 'integer',
    accepts: (value: string) => /^-?\d{1,15}$/.test(value),
    names: words(`
      BlockDurationMinutes CoreCount Count DefaultCooldown DesiredCapacity DeviceIndex DurationSeconds EbsCardIndex EnaQueueCount
      HealthCheckGracePeriod HttpPutResponseHopLimit InstancePoolsToUseCount Iops Ipv4PrefixCount Ipv6AddressCount
      Ipv6PrefixCount MaxCount MaxRecords MaxResults MaxSize MinCount MinSize MinTargetCapacity NetworkCardIndex
      OnDemandBaseCapacity OnDemandPercentageAboveBaseCapacity OnDemandTargetCapacity PartitionNumber
      PrivateIpAddressCount RequestedCapacity SecondaryPrivateIpAddressCount SpotInstancePools SpotTargetCapacity
      TargetCapacity TcpEstablishedTimeout TerminationDelay ThreadsPerCore Throughput TotalTargetCapacity
      UdpStreamTimeout UdpTimeout VolumeInitializationRate VolumeSize`),
  },
  {
    expected: 'number',
    accepts: (value: string) => /^\d+(\.\d+)?$/.test(value),
    names: words('Max Min Priority WeightedCapacity'),
  },
  {
    expected: 'flag',
    accepts: (value: string) => value === 'true' || value === 'false',
    names: words(`
      AssociateCarrierIpAddress AssociatePublicIpAddress CapacityRebalance Configured DeleteOnTermination DisableApiStop
      DisableApiTermination DryRun EbsOptimized EnablePrimaryIpv6 EnableResourceNameDnsAAAARecord
      EnableResourceNameDnsARecord Enabled Encrypted Force ForceDelete Hibernate IncludeAllInstances IncludeDeprecated
      IncludeDisabled IncludeManagedResources IncludePublicKey IsPrimaryIpv6 NewInstancesProtectedFromScaleIn Primary
      PrimaryIpv6 PropagateAtLaunch ProtectedFromScaleIn ReplaceUnhealthyInstances ShouldDecrementDesiredCapacity
      SingleAvailabilityZone SingleInstanceType SkipOsShutdown TerminateInstances TerminateInstancesWithExpiration`),
  },
  {
    expected: 'time',
    accepts: (value: string) => !Number.isNaN(Date.parse(value)),
    names: words('StartTime ValidFrom ValidUntil'),
  },
] as const;

const kindOf = new Map(kinds.flatMap((kind) => kind.names.map((name) => [name, kind] as const)));

/** The parameters an action knows, members of lists written as in the API reference: `Filter.N.Value.N`. */
export type ParameterTable = ReadonlySet<string>;

/**
 * A table from names, those below a name in braces: `Filter.N{Name Value.N}`; `*` stands for any.
 * `DryRun` and what names the call itself are always in it.
 */
export const parameterTable = (names: string): ParameterTable => {
  const table = new Set(['Action', 'Version', 'DryRun']);
  const above: string[] = [];
  let last = '';
  for (const token of names.match(/[{}]|[^\s{}]+/g) ?? []) {
    if (token === '{') above.push(last);
    else if (token === '}') above.pop();
    else {
      last = token;
      table.add([...above, token].join('.'));
    }
  }
  return table;
};

/** The parameters of a launch template's place in a call. */
export const templateReference = '{LaunchTemplateId LaunchTemplateName Version}';

const isKnown = (table: ParameterTable, name: string): boolean => {
  const parts = name.split('.').map((part) => (/^\d+$/.test(part) ? 'N' : part));
  return table.has(parts.join('.')) || parts.some((_, length) => table.has([...parts.slice(0, length), '*'].join('.')));
};

/** Fails with `UnknownParameter` or `InvalidParameterValue` on the first parameter that is not as the table says. */
export const checkParameters = (table: ParameterTable, form: ReadonlyMap<string, string>): void => {
  for (const [name, value] of form) {
    if (!isKnown(table, name)) throw new ServiceError('UnknownParameter', `The parameter ${name} is not recognized`);
    const kind = kindOf.get(name.slice(name.lastIndexOf('.') + 1));
    if (kind?.accepts(value) === false)
      throw invalidValue(`Invalid value '${value}' for ${name}. Expecting: ${kind.expected}`);
  }
};
