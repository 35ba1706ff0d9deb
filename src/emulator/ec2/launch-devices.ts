import type { ImageSetting } from '../settings.ts';
import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination } from '../wire/service-error.ts';
import type { InterfaceSpec, VolumeSpec } from '../world.ts';
import { required } from './action.ts';
import { oneOf } from './choices.ts';
import { checkForm } from './ids.ts';

export const interfacesOf = (params: Parameters, groups: readonly string[]): readonly InterfaceSpec[] => {
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
export const volumesOf = (params: Parameters, image: ImageSetting): readonly VolumeSpec[] => {
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
