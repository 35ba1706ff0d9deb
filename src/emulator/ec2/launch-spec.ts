import type { ImageSetting } from '../settings.ts';
import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { LaunchSpec, World } from '../world.ts';
import { ownerId, required } from './action.ts';
import { reservationFor } from './capacity-reservations.ts';
import { oneOf } from './choices.ts';
import { checkKeys } from './describe-network.ts';
import { checkForm } from './ids.ts';
import { imageOf } from './images.ts';
import { isType, vcpusOf } from './instance-types.ts';
import { interfacesOf, volumesOf } from './launch-devices.ts';
import { placeOf } from './launch-place.ts';
import { readTagSpecifications } from './tags.ts';
import { checkUserData } from './user-data.ts';

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
  const spotPrice = params.text('InstanceMarketOptions.SpotOptions.MaxPrice');
  return { ...(lifecycle && { lifecycle }), ...(spotPrice !== undefined && { spotPrice }) };
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

/** What of the optional texts is there; an absent one leaves no key behind. */
const extrasOf = (world: World, params: Parameters) => {
  const [keyName, userData] = [params.text('KeyName'), params.text('UserData')];
  const [privateIp, placementGroup] = [params.text('PrivateIpAddress'), params.text('Placement.GroupName')];
  const profile = profileArn(params);
  if (keyName !== undefined) checkKeys(world, [keyName]);
  if (userData !== undefined) checkUserData(userData);
  oneOf(params, 'InstanceInitiatedShutdownBehavior', ['stop', 'terminate']);
  return {
    ...(keyName !== undefined && { keyName }),
    ...(userData !== undefined && { userData }),
    ...(privateIp !== undefined && { privateIp }),
    ...(placementGroup !== undefined && { placementGroup }),
    ...(profile !== undefined && { profileArn: profile }),
  };
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
  const place = { instanceType: hardware.instanceType, zone: subnet.zone };
  const capacityReservationId = reservationFor(world, params, place);
  return {
    imageId,
    image,
    ...hardware,
    zone: subnet.zone,
    subnetId: subnet.id,
    vpcId: subnet.vpc,
    ...(subnet.ipv6Native === true && { isIpv6: true }),
    groups: groups.length > 0 ? groups : (interfaces[0]?.groups ?? []),
    interfaces,
    volumes: volumesOf(params, image),
    tags: tagsOf(params, market.lifecycle === 'spot'),
    ...market,
    ...(capacityReservationId !== undefined && { capacityReservationId }),
    ...extrasOf(world, params),
  };
};
