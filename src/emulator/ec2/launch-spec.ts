import type { ImageSetting } from '../settings.ts';
import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { InterfaceSpec, LaunchSpec, VolumeSpec, World } from '../world.ts';
import { oneOf, ownerId, required } from './action.ts';
import { reservationFor, roomInPool } from './capacity.ts';
import { checkKeys } from './describe-network.ts';
import { checkForm } from './ids.ts';
import { imageOf } from './images.ts';
import { isType, vcpusOf } from './instance-types.ts';
import { defaultSubnet, type Subnet, subnetOf, zonesOf } from './subnets.ts';
import { readTagSpecifications } from './tags.ts';

/** The subnet, and with it the zone, that a launch goes to. */
const placeOf = (world: World, params: Parameters, type: string): Subnet => {
  const interfaces = params.each('NetworkInterface');
  if (interfaces.length > 0 && params.has('SubnetId'))
    throw invalidCombination(
      'Network interfaces and an instance-level subnet ID may not be specified on the same request',
    );
  const zone = params.text('Placement.AvailabilityZone');
  const subnetId = params.text('SubnetId') ?? interfaces.find((one) => one.has('SubnetId'))?.text('SubnetId');
  if (subnetId !== undefined) {
    const subnet = subnetOf(world, subnetId);
    if (zone !== undefined && zone !== subnet.zone)
      throw invalidValue(`The Availability Zone ${zone} is not that of the subnet '${subnetId}' (${subnet.zone})`);
    return subnet;
  }
  const zones = zonesOf(world.settings.region);
  if (zone !== undefined && !zones.includes(zone)) throw invalidValue(`Invalid availability zone: [${zone}]`);
  // Left to itself EC2 takes a zone that can hold the launch.
  const minCount = params.number('MinCount') ?? 1;
  const chosen = zone ?? zones.find((any) => roomInPool(world, type, any) >= minCount) ?? zones[0];
  return defaultSubnet(world, required(chosen, 'Placement.AvailabilityZone'));
};

const interfacesOf = (params: Parameters, groups: readonly string[]): readonly InterfaceSpec[] => {
  const asked = params.each('NetworkInterface');
  if (asked.length === 0) return [{ deviceIndex: 0, networkCardIndex: 0, isPublic: false, groups }];
  if (groups.length > 0)
    throw invalidCombination(
      'Network interfaces and instance-level security groups may not be specified on the same request',
    );
  if (asked.length > 1 && asked.some((one) => one.has('AssociatePublicIpAddress')))
    throw invalidCombination(
      'The associatePublicIPAddress parameter cannot be specified when launching with multiple network interfaces',
    );
  return asked.map((one) => {
    const existing = one.text('NetworkInterfaceId');
    if (existing !== undefined && (one.has('SubnetId') || one.has('SecurityGroupId')))
      throw invalidCombination(
        `A subnet or security groups may not be specified for the existing network interface '${existing}'`,
      );
    const own = one.list('SecurityGroupId');
    checkForm('InvalidGroupId.Malformed', 'sg', own);
    return {
      deviceIndex: required(one.number('DeviceIndex'), 'NetworkInterface.DeviceIndex'),
      networkCardIndex: one.number('NetworkCardIndex') ?? 0,
      isPublic: one.flag('AssociatePublicIpAddress') ?? false,
      groups: own,
    };
  });
};

/** The image's root volume and the mapped ones; a mapping of the root device changes it. */
const volumesOf = (params: Parameters, image: ImageSetting): readonly VolumeSpec[] => {
  const root = { sizeGiB: 8, type: 'gp3', encrypted: false, deleteOnTermination: true };
  const volumes = new Map<string, VolumeSpec>();
  if (image.rootDeviceType === 'ebs') volumes.set(image.rootDeviceName, { device: image.rootDeviceName, ...root });
  for (const mapping of params.each('BlockDeviceMapping')) {
    const device = required(mapping.text('DeviceName'), 'BlockDeviceMapping.DeviceName');
    if (mapping.has('NoDevice')) volumes.delete(device);
    if (!mapping.has('Ebs')) continue;
    volumes.set(device, {
      device,
      sizeGiB: mapping.number('Ebs.VolumeSize') ?? root.sizeGiB,
      type: oneOf(mapping, 'Ebs.VolumeType', ['gp3', 'gp2', 'io1', 'io2', 'st1', 'sc1', 'standard']) ?? root.type,
      encrypted: mapping.flag('Ebs.Encrypted') ?? root.encrypted,
      deleteOnTermination: mapping.flag('Ebs.DeleteOnTermination') ?? root.deleteOnTermination,
    });
  }
  return [...volumes.values()];
};

// EC2 user guide: 16 KB, before it is encoded.
const longestUserData = 16_384;

const checkUserData = (userData: string): void => {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(userData))
    throw new ServiceError('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data');
  if (Buffer.from(userData, 'base64').length > longestUserData)
    throw invalidValue(`User data is limited to ${longestUserData} bytes`);
};

/** What a launch may tag. */
export const taggable = ['instance', 'volume', 'network-interface', 'spot-instances-request', 'elastic-gpu'];

/** Tags only for what the launch makes. */
const tagsOf = (params: Parameters, isSpot: boolean): LaunchSpec['tags'] => {
  const tags = readTagSpecifications(params, taggable);
  const interfaces = params.each('NetworkInterface');
  if (tags['network-interface'] && interfaces.length > 0 && interfaces.every((one) => one.has('NetworkInterfaceId')))
    throw invalidValue(
      'You cannot specify tags for network interfaces if there are no network interfaces being created by the request.',
    );
  if (tags['spot-instances-request'] && !isSpot)
    throw invalidValue(
      'You cannot specify tags for Spot instances requests if there are no Spot instances requests being created by the request.',
    );
  return tags;
};

const marketOf = (params: Parameters): Pick<LaunchSpec, 'lifecycle' | 'spotPrice'> => {
  const lifecycle = oneOf(params, 'InstanceMarketOptions.MarketType', ['spot', 'capacity-block']);
  if (params.has('InstanceMarketOptions.SpotOptions') && lifecycle !== 'spot')
    throw invalidCombination('Spot options need the market type spot');
  const kind = oneOf(params, 'InstanceMarketOptions.SpotOptions.SpotInstanceType', ['one-time', 'persistent']);
  if (kind === 'persistent')
    throw new ServiceError('UnsupportedOperation', 'The emulator models one-time Spot requests only');
  oneOf(params, 'InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior', ['hibernate', 'stop', 'terminate']);
  return { lifecycle, spotPrice: params.text('InstanceMarketOptions.SpotOptions.MaxPrice') };
};

const profileArn = (params: Parameters): string | undefined => {
  const [arn, name] = [params.text('IamInstanceProfile.Arn'), params.text('IamInstanceProfile.Name')];
  if (arn !== undefined && name !== undefined)
    throw invalidCombination(
      'The parameter iamInstanceProfile.name may not be used in combination with iamInstanceProfile.arn',
    );
  return arn ?? (name === undefined ? undefined : `arn:aws:iam::${ownerId}:instance-profile/${name}`);
};

const hardwareOf = (world: World, params: Parameters, image: ImageSetting) => {
  const instanceType = params.text('InstanceType') ?? 'm1.small';
  if (!isType(world, instanceType)) throw invalidValue(`Invalid value '${instanceType}' for InstanceType.`);
  const threadsPerCore = params.number('CpuOptions.ThreadsPerCore') ?? (image.architecture === 'arm64' ? 1 : 2);
  return {
    instanceType,
    threadsPerCore,
    coreCount: params.number('CpuOptions.CoreCount') ?? vcpusOf(instanceType) / threadsPerCore,
    httpTokens: oneOf(params, 'MetadataOptions.HttpTokens', ['optional', 'required']) ?? 'optional',
    hopLimit: params.number('MetadataOptions.HttpPutResponseHopLimit') ?? 1,
    tenancy: oneOf(params, 'Placement.Tenancy', ['default', 'dedicated', 'host']) ?? 'default',
    ebsOptimized: params.flag('EbsOptimized') ?? false,
    monitoring: params.flag('Monitoring.Enabled') ?? false,
    isProtected: params.flag('DisableApiTermination') ?? false,
  };
};

/** What a launch says and nothing else depends on. */
const extrasOf = (world: World, params: Parameters) => {
  const [keyName, userData] = [params.text('KeyName'), params.text('UserData')];
  if (keyName !== undefined) checkKeys(world, [keyName]);
  if (userData !== undefined) checkUserData(userData);
  oneOf(params, 'InstanceInitiatedShutdownBehavior', ['stop', 'terminate']);
  const [privateIp, placementGroup] = [params.text('PrivateIpAddress'), params.text('Placement.GroupName')];
  return { keyName, userData, privateIp, placementGroup, profileArn: profileArn(params) };
};

/** A launch from RunInstances' parameters, checked against the world; fails as EC2 does on what cannot be launched. */
export const readLaunchSpec = (world: World, params: Parameters): LaunchSpec => {
  const imageId = required(params.text('ImageId'), 'ImageId');
  const image = imageOf(world, imageId);
  const groups = params.list('SecurityGroupId');
  checkForm('InvalidGroupId.Malformed', 'sg', groups);
  const hardware = hardwareOf(world, params, image);
  const interfaces = interfacesOf(params, groups);
  const market = marketOf(params);
  const subnet = placeOf(world, params, hardware.instanceType);
  return {
    imageId,
    image,
    ...hardware,
    zone: subnet.zone,
    subnetId: subnet.id,
    vpcId: subnet.vpc,
    isIpv6: subnet.ipv6Native,
    groups: groups.length > 0 ? groups : (interfaces[0]?.groups ?? []),
    interfaces,
    volumes: volumesOf(params, image),
    tags: tagsOf(params, market.lifecycle === 'spot'),
    ...market,
    capacityReservationId: reservationFor(world, params, { instanceType: hardware.instanceType, zone: subnet.zone }),
    ...extrasOf(world, params),
  };
};
