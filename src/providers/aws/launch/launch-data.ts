import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type {
  _InstanceType,
  BlockDeviceMapping,
  InstanceNetworkInterfaceSpecification,
  RequestLaunchTemplateData,
  RunInstancesCommandInput,
  Tag,
} from '@aws-sdk/client-ec2';
import type { Launched } from '../../../application/ports/capacity.ts';
import type { OfferingMemory } from '../../../application/ports/memory.ts';
import type { Logger } from '../../../application/ports/telemetry.ts';
import { PluginError } from '../../../domain/errors.ts';
import { isReservationId } from '../../../domain/template/reserved-capacity.ts';
import type { Template } from '../../../domain/template/template.ts';
import { unreadableScript, userDataFault } from '../../../domain/user-data.ts';
import { readPlainFile } from '../../../json/plain-file.ts';
import { type Ownership, tagKeys } from '../instances/tags.ts';
import { withRawFields } from './raw-fields.ts';

export interface LaunchDataOptions extends Ownership {
  readonly version: string;
  /** AWS_KEY_FILE: the folder where the administrator keeps `<keyName>.pem`. Never written to. */
  readonly keyDirectory?: string;
  readonly log: Logger;
  /** The name of an AMI's root device, remembered across calls. */
  readonly rootDeviceOf: (imageId: string) => Promise<string>;
  readonly offerings: Pick<OfferingMemory, 'refused' | 'remember' | 'forget'>;
}

/** What RunInstances and launch templates have in common: everything of a launch but where, how many and whose. */
export type LaunchData = Pick<
  RunInstancesCommandInput,
  | 'ImageId'
  | 'KeyName'
  | 'IamInstanceProfile'
  | 'Placement'
  | 'EbsOptimized'
  | 'UserData'
  | 'BlockDeviceMappings'
  | 'CapacityReservationSpecification'
  | 'InstanceMarketOptions'
  | 'MetadataOptions'
  | 'InstanceInitiatedShutdownBehavior'
> & { readonly network: LaunchNetwork };

export interface LaunchNetwork {
  readonly SecurityGroupIds?: string[];
  readonly NetworkInterfaces?: InstanceNetworkInterfaceSpecification[];
}

/** Whether a launch makes interfaces, and not only takes some that exist: EC2 refuses tags for them otherwise. */
export const makesInterfaces = (
  interfaces: readonly { readonly NetworkInterfaceId?: string | undefined }[] | undefined,
): boolean => interfaces?.every(({ NetworkInterfaceId }) => NetworkInterfaceId !== undefined) !== true;

const readUserData = ({ templateId, userDataScript }: Template): string | undefined => {
  if (userDataScript === undefined) return undefined;
  const refuse = (rule: string, cause?: unknown): PluginError =>
    new PluginError('template.invalid', `template ${templateId}: userDataScript ${userDataScript} ${rule}`, { cause });
  const read = (): Buffer => {
    try {
      return readPlainFile(userDataScript);
    } catch (cause) {
      throw refuse(unreadableScript(userDataScript, process.platform), cause);
    }
  };
  const bytes = read();
  const fault = userDataFault(bytes.length, bytes.toString('latin1'));
  if (fault !== undefined) throw refuse(fault);
  return bytes.length === 0 ? undefined : bytes.toString('base64');
};

/** EC2: characters of a tag's value. */
const longestTagValue = 256;

/** Host Factory's account of the caller, which may be longer than a tag's value: no reason not to launch. */
const accountTag = ({ requestId, attributes }: Launched, { log }: LaunchDataOptions): string | undefined => {
  const { rc_account: account } = attributes;
  if (account === undefined || account.length <= longestTagValue) return account;
  const text = `rc_account has ${account.length} characters; the tag RC_ACCOUNT holds the first ${longestTagValue}`;
  log.warn('launch.account-cut', text, { requestId });
  return account.slice(0, longestTagValue);
};

/** The tags of one launch: the administrator's, the account of the caller, and ours, which nobody overrides. */
export const launchTags = (order: Launched, options: LaunchDataOptions): Tag[] => {
  const { requestId, template } = order;
  const { owner, store, version } = options;
  const account = accountTag(order, options);
  const pairs = new Map([
    ...template.instanceTags,
    ...(account === undefined ? [] : [['RC_ACCOUNT', account] as const]),
    [tagKeys.owner, owner],
    [tagKeys.request, requestId],
    [tagKeys.template, template.templateId],
    [tagKeys.store, store],
    [tagKeys.version, version],
  ]);
  return [...pairs].map(([Key, Value]) => ({ Key, Value }));
};

/** Those that all requests of a template share. */
export const lastingTags = (tags: readonly Tag[]): Tag[] =>
  tags.filter(({ Key }) => Key !== tagKeys.request && Key !== 'RC_ACCOUNT');

export type TagSpecifications = NonNullable<RequestLaunchTemplateData['TagSpecifications']>;

/** EC2: tags of one resource. */
const mostTags = 50;

/** One specification per kind of resource; of two tags with one key ours stays. */
export const tagsOver = (base: TagSpecifications = [], own: TagSpecifications = []): TagSpecifications => {
  const byType = new Map<string, TagSpecifications[number]>();
  for (const { ResourceType, Tags = [] } of [...base, ...own]) {
    const tags = new Map((byType.get(ResourceType ?? '')?.Tags ?? []).map((tag) => [tag.Key, tag]));
    for (const tag of Tags) tags.set(tag.Key, tag);
    byType.set(ResourceType ?? '', { ResourceType, Tags: [...tags.values()] });
  }
  return [...byType.values()];
};

/** Refuses, before anything is made or sent, more tags than a resource may carry. Throws `template.invalid`. */
export const checkTagCount = (
  { templateId, launchTemplateId }: Template,
  theirs: TagSpecifications | undefined,
  tags: readonly Tag[],
): void => {
  for (const { ResourceType, Tags = [] } of theirs ?? []) {
    const keys = new Set([...Tags, ...tags].map(({ Key }) => Key));
    if (keys.size <= mostTags) continue;
    const text = `${launchTemplateId} has ${Tags.length} tags for each ${ResourceType}; with instanceTags and those of this program it would have ${keys.size}, EC2 takes at most ${mostTags}`;
    throw new PluginError('template.invalid', `template ${templateId}: launchTemplateId ${text}`);
  }
};

const volumeTypes: Readonly<Record<string, 'gp2' | 'gp3' | 'io1' | 'io2' | 'standard'>> = {
  gp2: 'gp2',
  gp3: 'gp3',
  io1: 'io1',
  io2: 'io2',
  standard: 'standard',
};

const rootVolume = async (
  { imageId, rootDeviceVolumeSize, volumeType, iops }: Template,
  rootDeviceOf: LaunchDataOptions['rootDeviceOf'],
): Promise<BlockDeviceMapping[]> => {
  if (imageId === undefined || (rootDeviceVolumeSize ?? volumeType ?? iops) === undefined) return [];
  const Ebs = {
    DeleteOnTermination: true,
    ...(rootDeviceVolumeSize === undefined ? {} : { VolumeSize: rootDeviceVolumeSize }),
    ...(volumeType === undefined ? {} : { VolumeType: volumeTypes[volumeType] ?? 'gp2' }),
    ...(iops === undefined ? {} : { Iops: iops }),
  };
  return [{ DeviceName: await rootDeviceOf(imageId), Ebs }];
};

/** Device 0 on card 0, then device 1 on each further card, as EC2 wants EFA interfaces laid out. */
const efaInterfaces = ({ efaCount = 1, securityGroupIds }: Template): InstanceNetworkInterfaceSpecification[] =>
  Array.from({ length: efaCount }, (_, card) => ({
    DeviceIndex: card === 0 ? 0 : 1,
    NetworkCardIndex: card,
    InterfaceType: 'efa',
    DeleteOnTermination: true,
    ...(securityGroupIds.length === 0 ? {} : { Groups: [...securityGroupIds] }),
  }));

/** An interface with these groups, unless it names its own, or exists and has them already. */
export const withGroups = <
  T extends { readonly NetworkInterfaceId?: string | undefined; readonly Groups?: string[] | undefined },
>(
  groups: string[] | undefined,
  each: T,
): T => (groups === undefined || each.NetworkInterfaceId !== undefined ? each : { Groups: groups, ...each });

/** What goes for all interfaces goes on those given raw too; an interface that exists has groups already. */
const rawInterfaces = (
  { securityGroupIds }: Template,
  interfaces: readonly InstanceNetworkInterfaceSpecification[],
): InstanceNetworkInterfaceSpecification[] =>
  interfaces.map((each) => withGroups(securityGroupIds.length === 0 ? undefined : [...securityGroupIds], each));

const networkOf = (template: Template): LaunchNetwork => {
  const { NetworkInterfaces } = withRawFields<LaunchNetwork>({}, template.launchTemplateSpec);
  const raw = [NetworkInterfaces ?? []].flat();
  if (raw.length > 0) return { NetworkInterfaces: rawInterfaces(template, raw) };
  if (template.interfaceType === 'efa') return { NetworkInterfaces: efaInterfaces(template) };
  return template.securityGroupIds.length === 0 ? {} : { SecurityGroupIds: [...template.securityGroupIds] };
};

/** Kinds of which a device is one. */
const deviceKinds = ['Ebs', 'VirtualName', 'NoDevice'];

/** Of another kind the device below is gone; of another type of volume its performance is. */
const deviceOver = (below: BlockDeviceMapping, own: BlockDeviceMapping): BlockDeviceMapping => {
  if (deviceKinds.some((kind) => Object.hasOwn(own, kind) && !Object.hasOwn(below, kind))) return own;
  const { Iops: _iops, Throughput: _throughput, ...volume } = below.Ebs ?? {};
  const type = own.Ebs?.VolumeType;
  const base = type === undefined || type === volume.VolumeType ? below : { ...below, Ebs: volume };
  return withRawFields(base, { ...own });
};

/** Devices over others: those of one name are one, member by member. */
export const devicesOver = (
  base: readonly BlockDeviceMapping[],
  own: readonly BlockDeviceMapping[],
): BlockDeviceMapping[] => {
  const devices = new Map<string | undefined, BlockDeviceMapping>();
  for (const each of [...base, ...own]) {
    const known = devices.get(each.DeviceName);
    devices.set(each.DeviceName, known === undefined ? each : deviceOver(known, each));
  }
  return [...devices.values()];
};

/** `{key: value}`, or nothing for undefined: EC2 takes an absent field for its default. */
export const optional = <T, K extends string>(key: K, value: T | undefined): Partial<Record<K, T>> => {
  const entry: Partial<Record<K, T>> = {};
  if (value !== undefined) entry[key] = value;
  return entry;
};

const placement = ({ placementGroupName, tenancy }: Template): Pick<LaunchData, 'Placement'> =>
  placementGroupName === undefined && tenancy === undefined
    ? {}
    : { Placement: { ...optional('GroupName', placementGroupName), ...optional('Tenancy', tenancy) } };

/** Spot is a matter of the call; where nothing is reserved, EC2's own default is left alone. */
const reservation = ({
  capacityReservation: wanted,
  marketType,
  priceType,
}: Template): Pick<LaunchData, 'CapacityReservationSpecification' | 'InstanceMarketOptions'> => {
  if (wanted === undefined || priceType !== 'ondemand') return {};
  const target = isReservationId(wanted)
    ? { CapacityReservationId: wanted }
    : { CapacityReservationResourceGroupArn: wanted };
  return {
    CapacityReservationSpecification:
      wanted === 'open' || wanted === 'none'
        ? { CapacityReservationPreference: wanted }
        : { CapacityReservationTarget: target },
    ...(marketType === undefined ? {} : { InstanceMarketOptions: { MarketType: marketType } }),
  };
};

const profile = ({ instanceProfile }: Template): Pick<LaunchData, 'IamInstanceProfile'> => {
  if (instanceProfile === undefined) return {};
  return {
    IamInstanceProfile: instanceProfile.startsWith('arn:') ? { Arn: instanceProfile } : { Name: instanceProfile },
  };
};

/** EC2 has more instance types than this version of the SDK lists: the form decides. */
export const isInstanceType = (name: string): name is _InstanceType => /^[a-z0-9-]+\.[a-z0-9-]+$/.test(name);

/** A key that is not where the administrator keeps keys is worth a word; EC2 alone knows whether it exists. */
const checkKey = ({ keyDirectory, log }: LaunchDataOptions, { templateId, keyName }: Template): void => {
  if (keyDirectory === undefined || keyName === undefined) return;
  const file = join(keyDirectory, `${keyName}.pem`);
  if (!existsSync(file)) log.warn('template.key', `${file} of template ${templateId} is not there (AWS_KEY_FILE)`);
};

/** Renders what a template says of each host. Reads the user data file and, the first time, the image's root device. */
export const renderLaunchData = async (options: LaunchDataOptions, template: Template): Promise<LaunchData> => {
  checkKey(options, template);
  const volumes = await rootVolume(template, options.rootDeviceOf);
  const { BlockDeviceMappings } = withRawFields<Pick<LaunchData, 'BlockDeviceMappings'>>(
    {},
    template.launchTemplateSpec,
  );
  const devices = devicesOver(volumes, [BlockDeviceMappings ?? []].flat());
  const { NetworkInterfaces: _network, BlockDeviceMappings: _devices, ...raw } = template.launchTemplateSpec ?? {};
  const data: Omit<LaunchData, 'network'> = {
    ...optional('ImageId', template.imageId),
    ...optional('KeyName', template.keyName),
    ...profile(template),
    ...placement(template),
    ...reservation(template),
    ...optional('EbsOptimized', template.ebsOptimized),
    ...optional('UserData', readUserData(template)),
    ...(devices.length === 0 ? {} : { BlockDeviceMappings: devices }),
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled' },
    // A host that shuts itself down would otherwise stay behind stopped, its volumes billed.
    InstanceInitiatedShutdownBehavior: 'terminate',
  };
  return { ...withRawFields(data, raw), network: networkOf(template) };
};
