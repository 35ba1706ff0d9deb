import type { BlockDeviceMapping, RequestLaunchTemplateData, ResponseLaunchTemplateData } from '@aws-sdk/client-ec2';
import {
  devicesOver,
  type LaunchNetwork,
  makesInterfaces,
  optional,
  type TagSpecifications,
  tagsOver,
  withGroups,
} from './launch-data.ts';
import { withRawFields } from './raw-fields.ts';

/** Groups stand on the interfaces where a template has interfaces: EC2 takes them in one place only. */
export const networkOver = (
  base: ResponseLaunchTemplateData,
  own: Pick<RequestLaunchTemplateData, 'NetworkInterfaces' | 'SecurityGroupIds'>,
): LaunchNetwork => {
  const groups = own.SecurityGroupIds ?? base.SecurityGroupIds;
  // The subnet is that of the pool.
  const inherited = base.NetworkInterfaces?.map(({ SubnetId: _place, Groups, ...each }) =>
    withGroups(own.SecurityGroupIds ?? Groups, each),
  );
  const interfaces: LaunchNetwork['NetworkInterfaces'] =
    own.NetworkInterfaces?.map((each) => withGroups(groups, each)) ?? inherited;
  return interfaces === undefined ? optional('SecurityGroupIds', groups) : { NetworkInterfaces: interfaces };
};

const withoutSnapshot = ({ Ebs, ...device }: BlockDeviceMapping): BlockDeviceMapping => {
  const { SnapshotId: _snapshot, ...volume } = Ebs ?? {};
  return { ...device, ...(Ebs === undefined ? {} : { Ebs: volume }) };
};

/**
 * Fields of ours, with what the administrator's launch template has beneath them: objects are one member by member, devices
 * name by name. An instance profile is ours alone, as EC2 takes its name or its ARN, and so is a capacity reservation, of which it
 * takes preference or target.
 */
export const fieldsOver = <T extends RequestLaunchTemplateData>(base: ResponseLaunchTemplateData, own: T): T => {
  const {
    IamInstanceProfile: _profile,
    CapacityReservationSpecification: _reservation,
    BlockDeviceMappings = [],
    MetadataOptions = {},
    ...rest
  } = base;
  const { State: _state, ...metadata } = MetadataOptions;
  const { GroupId, ...placed } = base.Placement ?? {};
  // A group is told by its name or by its id, and a snapshot is of the image that it is launched with.
  const Placement = own.Placement?.GroupName === undefined ? { ...placed, ...optional('GroupId', GroupId) } : placed;
  const ownNames = new Set(own.BlockDeviceMappings?.map(({ DeviceName }) => DeviceName));
  const isOfOtherImage = ({ DeviceName }: BlockDeviceMapping): boolean =>
    own.ImageId !== undefined && ownNames.has(DeviceName);
  const under = BlockDeviceMappings.map((each) => (isOfOtherImage(each) ? withoutSnapshot(each) : each));
  const beneath = Object.entries({ ...rest, Placement, MetadataOptions: metadata }).filter(([name]) =>
    Object.hasOwn(own, name),
  );
  const devices = own.BlockDeviceMappings && devicesOver(under, own.BlockDeviceMappings);
  return {
    ...withRawFields({ ...own, ...Object.fromEntries(beneath) }, Object.fromEntries(Object.entries(own))),
    ...optional('BlockDeviceMappings', devices),
  };
};

/**
 * The administrator's launch data with ours over it. Left out is what fleets and groups refuse or decide themselves (market, types
 * where ours name them), and protection against termination, which would keep returned hosts alive.
 */
export const over = (
  base: ResponseLaunchTemplateData,
  own: RequestLaunchTemplateData,
  { ownTypes, onlySpot }: { readonly ownTypes: boolean; readonly onlySpot: boolean },
): RequestLaunchTemplateData => {
  const {
    InstanceMarketOptions: _market,
    DisableApiTermination: _protected,
    NetworkInterfaces: _interfaces,
    SecurityGroupIds: _ids,
    SecurityGroups: _names,
    MetadataOptions: _metadata,
    TagSpecifications,
    InstanceType,
    InstanceRequirements,
    ...rest
  } = base;
  const network = networkOver(base, own);
  // EC2 refuses tags for what a launch does not make.
  const isMade = ({ ResourceType }: TagSpecifications[number]): boolean =>
    (ResourceType !== 'network-interface' || makesInterfaces(network.NetworkInterfaces)) &&
    (ResourceType !== 'spot-instances-request' || onlySpot);
  const kept = ownTypes ? rest : { ...rest, InstanceType, InstanceRequirements };
  const { NetworkInterfaces: _ownInterfaces, SecurityGroupIds: _ownIds, ...fields } = own;
  return {
    ...withRawFields<RequestLaunchTemplateData>({}, kept),
    ...fieldsOver(base, fields),
    ...network,
    TagSpecifications: tagsOver(TagSpecifications, own.TagSpecifications).filter(isMade),
  };
};
