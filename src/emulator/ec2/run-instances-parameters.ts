import { parameterTable, templateReference } from '../wire/parameter-table.ts';

/** Names as the EC2 client of the AWS SDK for JavaScript 3.1169.0 knows and writes them. */
export const runInstancesParameters = parameterTable(`
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
