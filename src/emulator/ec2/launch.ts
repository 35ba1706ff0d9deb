import { once } from '../client-tokens.ts';
import type { Membership } from '../fleets/record.ts';
import { parameterTable, templateReference } from '../wire/parameter-table.ts';
import { type Parameters, readParameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { InstanceRecord, LaunchSpec, Reservation, World } from '../world.ts';
import { type Action, required } from './action.ts';
import { grant } from './capacity.ts';
import { resourceId } from './ids.ts';
import { viewOf } from './instance-view.ts';
import { reservationXml } from './instance-xml.ts';
import { readLaunchSpec, taggable } from './launch-spec.ts';
import { withTemplate } from './launch-templates.ts';
import { phaseInto } from './life-cycle.ts';
import { checkTagSpecifications } from './tags.ts';

interface Launch {
  readonly spec: LaunchSpec;
  readonly count: number;
  readonly clientToken?: string | undefined;
  /** The fleet it is for. */
  readonly member?: Membership;
}

/** Puts `count` new instances of one launch into the world; the caller has seen to capacity and client token. */
export const launch = (world: World, { count, member, ...rest }: Launch): Reservation => {
  const now = world.now();
  world.lastNumber += 1;
  const id = resourceId(world, 'r', world.lastNumber);
  const instances = Array.from({ length: count }, (_, launchIndex): InstanceRecord => {
    world.lastNumber += 1;
    return {
      id: resourceId(world, 'i', world.lastNumber),
      number: world.lastNumber,
      reservationId: id,
      launchIndex,
      launchedAt: now,
      phase: phaseInto('pending', now),
      isProtected: rest.spec.isProtected,
      member,
      visibleFrom: world.describeCalls + world.settings.invisibleForCalls + 1,
    };
  });

  const reservation: Reservation = {
    id,
    launchedAt: now,
    ...rest,
    instanceIds: instances.map((instance) => instance.id),
  };
  world.reservations.set(id, reservation);
  for (const instance of instances) world.instances.set(instance.id, instance);
  return reservation;
};

/** Names as the EC2 client of the AWS SDK for JavaScript 3.1169.0 knows and writes them. */
const runInstancesParameters = parameterTable(`
  AdditionalInfo ClientToken DisableApiStop DisableApiTermination EbsOptimized EnablePrimaryIpv6 ImageId
  InstanceInitiatedShutdownBehavior InstanceType Ipv6AddressCount KernelId KeyName MaxCount MinCount PrivateIpAddress
  RamdiskId SecurityGroup.N SecurityGroupId.N SubnetId UserData
  BlockDeviceMapping.N{DeviceName NoDevice VirtualName Ebs{AvailabilityZone AvailabilityZoneId DeleteOnTermination
    EbsCardIndex Encrypted Iops KmsKeyId OutpostArn SnapshotId Throughput VolumeInitializationRate VolumeSize VolumeType}}
  CapacityReservationSpecification{CapacityReservationPreference
    CapacityReservationTarget{CapacityReservationId CapacityReservationResourceGroupArn}}
  CpuOptions{AmdSevSnp CoreCount NestedVirtualization ThreadsPerCore} CreditSpecification{CpuCredits}
  ElasticGpuSpecification.N{Type} ElasticInferenceAccelerator.N{Count Type} EnclaveOptions{Enabled}
  HibernationOptions{Configured} IamInstanceProfile{Arn Name}
  InstanceMarketOptions{MarketType
    SpotOptions{BlockDurationMinutes InstanceInterruptionBehavior MaxPrice SpotInstanceType ValidUntil}}
  Ipv6Address.N{IsPrimaryIpv6 Ipv6Address} LaunchTemplate${templateReference}
  LicenseSpecification.N{LicenseConfigurationArn} MaintenanceOptions{AutoRecovery}
  MetadataOptions{HttpEndpoint HttpProtocolIpv6 HttpPutResponseHopLimit HttpTokens InstanceMetadataTags}
  Monitoring{Enabled MetricCategoryId.N}
  NetworkInterface.N{AssociateCarrierIpAddress AssociatePublicIpAddress DeleteOnTermination Description DeviceIndex
    EnaQueueCount InterfaceType Ipv4PrefixCount Ipv6AddressCount Ipv6PrefixCount NetworkCardIndex NetworkInterfaceId
    PrimaryIpv6 PrivateIpAddress SecondaryPrivateIpAddressCount SecurityGroupId.N SubnetId
    ConnectionTrackingSpecification{TcpEstablishedTimeout UdpStreamTimeout UdpTimeout}
    EnaSrdSpecification{EnaSrdEnabled EnaSrdUdpSpecification{EnaSrdUdpEnabled}}
    Ipv4Prefix.N{Ipv4Prefix} Ipv6Addresses.N{IsPrimaryIpv6 Ipv6Address} Ipv6Prefix.N{Ipv6Prefix}
    PrivateIpAddresses.N{Primary PrivateIpAddress}}
  NetworkPerformanceOptions{BandwidthWeighting} Operator{Principal}
  Placement{Affinity AvailabilityZone AvailabilityZoneId GroupId GroupName HostId HostResourceGroupArn PartitionNumber
    SpreadDomain Tenancy}
  PrivateDnsNameOptions{EnableResourceNameDnsAAAARecord EnableResourceNameDnsARecord HostnameType}
  SecondaryInterface.N{DeleteOnTermination DeviceIndex InterfaceType NetworkCardIndex PrivateIpAddressCount
    PrivateIpAddress.N{PrivateIpAddress} SecondarySubnetId}
  TagSpecification.N{ResourceType Tag.N{Key Value}}`);

// EC2 developer guide, "Ensuring idempotency".
const longestToken = 64;

const counts = (params: Parameters): readonly [min: number, max: number] => {
  const max = required(params.number('MaxCount'), 'MaxCount');
  const min = required(params.number('MinCount'), 'MinCount');
  if (min < 1) throw invalidValue(`Value (${min}) for parameter minCount is invalid. Minimum value is 1`);
  if (max < min)
    throw invalidValue(`Value (${max}) for parameter maxCount is invalid. It is less than minCount (${min})`);
  if (max > 1 && params.has('PrivateIpAddress'))
    throw invalidCombination('A private address can be given to one instance only');
  return [min, max];
};

const launchNew = (world: World, params: Parameters): string => {
  const [min, max] = counts(params);
  checkTagSpecifications(params, taggable);
  const spec = readLaunchSpec(world, readParameters(withTemplate(world, params.form())));
  const count = grant(world, spec, min, max);
  return launch(world, { spec, count, clientToken: params.text('ClientToken') }).id;
};

export const runInstances: Action = {
  parameters: runInstancesParameters,
  answer: (world, params) => {
    const isKnown = (id: string): boolean => world.reservations.has(id);
    const id = once(world, params, longestToken, () => launchNew(world, params), isKnown);
    const reservation = required(world.reservations.get(id), 'reservation');
    const instances = reservation.instanceIds.flatMap((one) => world.instances.get(one) ?? []);
    const views = instances.map((instance) => viewOf(world, instance));
    if (views.length > 0 && views.every(({ state }) => state === 'terminated'))
      throw new ServiceError(
        'IdempotentInstanceTerminated',
        'The client token you have provided is associated with an instance that has been terminated.',
      );
    return reservationXml(world, views, reservation);
  },
};
