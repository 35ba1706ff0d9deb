import { parameterTable } from '../wire/parameter-table.ts';

/** Names and kinds as the EC2 client of the AWS SDK for JavaScript 3.1168.0 knows and writes them. */
export const runInstancesParameters = parameterTable({
  text: `
    AdditionalInfo ClientToken ImageId InstanceInitiatedShutdownBehavior InstanceType KernelId KeyName PrivateIpAddress
    RamdiskId SecurityGroup.N SecurityGroupId.N SubnetId UserData
    BlockDeviceMapping.N.DeviceName BlockDeviceMapping.N.NoDevice BlockDeviceMapping.N.VirtualName
    BlockDeviceMapping.N.Ebs.AvailabilityZone BlockDeviceMapping.N.Ebs.AvailabilityZoneId
    BlockDeviceMapping.N.Ebs.KmsKeyId BlockDeviceMapping.N.Ebs.OutpostArn BlockDeviceMapping.N.Ebs.SnapshotId
    BlockDeviceMapping.N.Ebs.VolumeType
    CapacityReservationSpecification.CapacityReservationPreference
    CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId
    CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationResourceGroupArn
    CpuOptions.AmdSevSnp CpuOptions.NestedVirtualization CreditSpecification.CpuCredits
    ElasticGpuSpecification.N.Type ElasticInferenceAccelerator.N.Type
    IamInstanceProfile.Arn IamInstanceProfile.Name
    InstanceMarketOptions.MarketType InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior
    InstanceMarketOptions.SpotOptions.MaxPrice InstanceMarketOptions.SpotOptions.SpotInstanceType
    Ipv6Address.N.Ipv6Address
    LaunchTemplate.LaunchTemplateId LaunchTemplate.LaunchTemplateName LaunchTemplate.Version
    LicenseSpecification.N.LicenseConfigurationArn MaintenanceOptions.AutoRecovery
    MetadataOptions.HttpEndpoint MetadataOptions.HttpProtocolIpv6 MetadataOptions.HttpTokens
    MetadataOptions.InstanceMetadataTags Monitoring.MetricCategoryId.N
    NetworkInterface.N.Description NetworkInterface.N.InterfaceType NetworkInterface.N.Ipv4Prefix.N.Ipv4Prefix
    NetworkInterface.N.Ipv6Addresses.N.Ipv6Address NetworkInterface.N.Ipv6Prefix.N.Ipv6Prefix
    NetworkInterface.N.NetworkInterfaceId NetworkInterface.N.PrivateIpAddress
    NetworkInterface.N.PrivateIpAddresses.N.PrivateIpAddress NetworkInterface.N.SecurityGroupId.N
    NetworkInterface.N.SubnetId NetworkPerformanceOptions.BandwidthWeighting Operator.Principal
    Placement.Affinity Placement.AvailabilityZone Placement.AvailabilityZoneId Placement.GroupId Placement.GroupName
    Placement.HostId Placement.HostResourceGroupArn Placement.SpreadDomain Placement.Tenancy
    PrivateDnsNameOptions.HostnameType SecondaryInterface.N.InterfaceType
    SecondaryInterface.N.PrivateIpAddress.N.PrivateIpAddress SecondaryInterface.N.SecondarySubnetId
    TagSpecification.N.ResourceType TagSpecification.N.Tag.N.Key TagSpecification.N.Tag.N.Value`,
  integer: `
    MaxCount MinCount Ipv6AddressCount BlockDeviceMapping.N.Ebs.EbsCardIndex BlockDeviceMapping.N.Ebs.Iops
    BlockDeviceMapping.N.Ebs.Throughput BlockDeviceMapping.N.Ebs.VolumeInitializationRate
    BlockDeviceMapping.N.Ebs.VolumeSize CpuOptions.CoreCount CpuOptions.ThreadsPerCore
    ElasticInferenceAccelerator.N.Count InstanceMarketOptions.SpotOptions.BlockDurationMinutes
    MetadataOptions.HttpPutResponseHopLimit NetworkInterface.N.ConnectionTrackingSpecification.TcpEstablishedTimeout
    NetworkInterface.N.ConnectionTrackingSpecification.UdpStreamTimeout
    NetworkInterface.N.ConnectionTrackingSpecification.UdpTimeout NetworkInterface.N.DeviceIndex
    NetworkInterface.N.EnaQueueCount NetworkInterface.N.Ipv4PrefixCount NetworkInterface.N.Ipv6AddressCount
    NetworkInterface.N.Ipv6PrefixCount NetworkInterface.N.NetworkCardIndex
    NetworkInterface.N.SecondaryPrivateIpAddressCount Placement.PartitionNumber SecondaryInterface.N.DeviceIndex
    SecondaryInterface.N.NetworkCardIndex SecondaryInterface.N.PrivateIpAddressCount`,
  flag: `
    DisableApiStop DisableApiTermination EbsOptimized EnablePrimaryIpv6 BlockDeviceMapping.N.Ebs.DeleteOnTermination
    BlockDeviceMapping.N.Ebs.Encrypted EnclaveOptions.Enabled HibernationOptions.Configured
    Ipv6Address.N.IsPrimaryIpv6 Monitoring.Enabled NetworkInterface.N.AssociateCarrierIpAddress
    NetworkInterface.N.AssociatePublicIpAddress NetworkInterface.N.DeleteOnTermination
    NetworkInterface.N.EnaSrdSpecification.EnaSrdEnabled
    NetworkInterface.N.EnaSrdSpecification.EnaSrdUdpSpecification.EnaSrdUdpEnabled
    NetworkInterface.N.Ipv6Addresses.N.IsPrimaryIpv6 NetworkInterface.N.PrimaryIpv6
    NetworkInterface.N.PrivateIpAddresses.N.Primary PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord
    PrivateDnsNameOptions.EnableResourceNameDnsARecord SecondaryInterface.N.DeleteOnTermination`,
  time: 'InstanceMarketOptions.SpotOptions.ValidUntil',
});
