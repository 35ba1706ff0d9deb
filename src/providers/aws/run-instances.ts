import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  _InstanceType,
  BlockDeviceMapping,
  InstanceNetworkInterfaceSpecification,
  RunInstancesCommandInput,
  Tag,
  TagSpecification,
} from '@aws-sdk/client-ec2';
import type { CapacityProvider, LaunchOrder, LaunchReport, Logger } from '../../application/ports.ts';
import { isPluginError, messageOf, PluginError } from '../../domain/errors.ts';
import { clientTokenOf } from '../../domain/ids.ts';
import type { PreparedLaunch, Refusal, RefusalFault } from '../../domain/request.ts';
import { offeringOf, type Template } from '../../domain/template.ts';
import type { Ec2 } from './ec2.ts';
import { toSighting } from './sighting.ts';
import { tagKeys } from './tags.ts';

export interface RunInstancesOptions {
  readonly ec2: Ec2;
  /** The value of our ownership tag. */
  readonly owner: string;
  readonly version: string;
  /** AWS_KEY_FILE: the folder where the administrator keeps `<keyName>.pem`. Never written to. */
  readonly keyDirectory?: string;
  readonly log: Logger;
  /** The name of an AMI's root device, remembered across calls. */
  readonly rootDeviceOf: (imageId: string) => Promise<string>;
}

/** EC2: bytes of user data before base64. */
const mostUserData = 16_384;

const readUserData = async ({ templateId, userDataScript }: Template): Promise<string | undefined> => {
  if (userDataScript === undefined) return undefined;
  const refuse = (rule: string, cause?: unknown): PluginError =>
    new PluginError('template.invalid', `template ${templateId}: userDataScript ${userDataScript} ${rule}`, { cause });
  const bytes = await readFile(userDataScript).catch((cause: unknown) => {
    throw refuse('cannot be read', cause);
  });
  if (bytes.length > mostUserData) throw refuse(`has ${bytes.length} bytes, EC2 takes at most ${mostUserData}`);
  return bytes.length === 0 ? undefined : bytes.toString('base64');
};

const tagsFor = ({ requestId, template, attributes }: LaunchOrder, owner: string, version: string): Tag[] => {
  const account = attributes['rc_account'];
  const pairs = new Map([
    ...template.instanceTags,
    ...(account === undefined ? [] : [['RC_ACCOUNT', account] as const]),
    [tagKeys.owner, owner],
    [tagKeys.request, requestId],
    [tagKeys.template, template.templateId],
    [tagKeys.version, version],
  ]);
  return [...pairs].map(([Key, Value]) => ({ Key, Value }));
};

const rootVolume = async (
  { imageId, rootDeviceVolumeSize, volumeType, iops }: Template,
  rootDeviceOf: RunInstancesOptions['rootDeviceOf'],
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

const volumeTypes: Readonly<Record<string, 'gp2' | 'gp3' | 'io1' | 'io2' | 'standard'>> = {
  gp2: 'gp2',
  gp3: 'gp3',
  io1: 'io1',
  io2: 'io2',
  standard: 'standard',
};

/** Device 0 on card 0, then device 1 on each further card, as EC2 wants EFA interfaces laid out. */
const efaInterfaces = (
  { efaCount = 1, securityGroupIds }: Template,
  subnetId: string,
): InstanceNetworkInterfaceSpecification[] =>
  Array.from({ length: efaCount }, (_, card) => ({
    DeviceIndex: card === 0 ? 0 : 1,
    NetworkCardIndex: card,
    InterfaceType: 'efa',
    SubnetId: subnetId,
    DeleteOnTermination: true,
    ...(securityGroupIds.length === 0 ? {} : { Groups: [...securityGroupIds] }),
  }));

const network = (template: Template, subnetId: string): Partial<RunInstancesCommandInput> => {
  if (template.interfaceType === 'efa') return { NetworkInterfaces: efaInterfaces(template, subnetId) };
  const { securityGroupIds } = template;
  return { SubnetId: subnetId, ...(securityGroupIds.length === 0 ? {} : { SecurityGroupIds: [...securityGroupIds] }) };
};

const optional = <T, K extends string>(key: K, value: T | undefined): Partial<Record<K, T>> => {
  const entry: Partial<Record<K, T>> = {};
  if (value !== undefined) entry[key] = value;
  return entry;
};

const placement = ({ placementGroupName, tenancy }: Template): Partial<RunInstancesCommandInput> =>
  placementGroupName === undefined && tenancy === undefined
    ? {}
    : { Placement: { ...optional('GroupName', placementGroupName), ...optional('Tenancy', tenancy) } };

const profile = ({ instanceProfile }: Template): Partial<RunInstancesCommandInput> => {
  if (instanceProfile === undefined) return {};
  return {
    IamInstanceProfile: instanceProfile.startsWith('arn:') ? { Arn: instanceProfile } : { Name: instanceProfile },
  };
};

/** EC2 has more instance types than this version of the SDK lists: the form decides. */
const isInstanceType = (name: string): name is _InstanceType => /^[a-z0-9-]+\.[a-z0-9-]+$/.test(name);

const instanceType = ({ vmType }: Template): _InstanceType | undefined =>
  vmType !== undefined && isInstanceType(vmType) ? vmType : undefined;

const launchTemplate = ({ launchTemplateId, launchTemplateVersion }: Template): Partial<RunInstancesCommandInput> =>
  launchTemplateId === undefined
    ? {}
    : { LaunchTemplate: { LaunchTemplateId: launchTemplateId, ...optional('Version', launchTemplateVersion) } };

const taggedResources = ['instance', 'volume', 'network-interface'] as const;

interface RunInstancesCall extends RunInstancesCommandInput {
  ClientToken: string;
  MinCount: number;
  MaxCount: number;
}

/** What is stored of a call is what this file rendered. */
const isRunInstancesCall = (call: object): call is RunInstancesCall =>
  'ClientToken' in call &&
  typeof call.ClientToken === 'string' &&
  'MaxCount' in call &&
  typeof call.MaxCount === 'number';

const render = async (
  options: RunInstancesOptions,
  order: LaunchOrder,
  subnetId: string,
): Promise<RunInstancesCall> => {
  const { template, count, requestId, attempt } = order;
  const tags = tagsFor(order, options.owner, options.version);
  const volumes = await rootVolume(template, options.rootDeviceOf);
  const TagSpecifications: TagSpecification[] = taggedResources.map((ResourceType) => ({ ResourceType, Tags: tags }));
  return {
    ...optional('ImageId', template.imageId),
    ...optional('InstanceType', instanceType(template)),
    ...launchTemplate(template),
    ...network(template, subnetId),
    ...optional('KeyName', template.keyName),
    ...profile(template),
    ...placement(template),
    ...optional('EbsOptimized', template.ebsOptimized),
    ...optional('UserData', await readUserData(template)),
    ...(volumes.length === 0 ? {} : { BlockDeviceMappings: volumes }),
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled' },
    // A host that shuts itself down would otherwise stay behind stopped, its volumes billed.
    InstanceInitiatedShutdownBehavior: 'terminate',
    TagSpecifications,
    MinCount: template.allOrNothing ? count : 1,
    MaxCount: count,
    ClientToken: clientTokenOf(requestId, attempt),
  };
};

const refusalFaults: ReadonlySet<string> = new Set<RefusalFault>([
  'provider.capacity',
  'provider.quota',
  'provider.denied',
  'provider.misconfigured',
  'provider.missing',
  'provider.unreachable',
]);

const isRefusalFault = (code: string): code is RefusalFault => refusalFaults.has(code);

const toRefusal = (error: unknown, { count, pool }: PreparedLaunch): Refusal | undefined => {
  if (!isPluginError(error) || !isRefusalFault(error.code)) return undefined;
  const { code = error.code, awsRequestId } = error.aws ?? {};
  const message = messageOf(error).replace(/^.*?Error Code: [^:]*: /s, '');
  return { missing: count, code, fault: error.code, message, pool, ...optional('awsRequestId', awsRequestId) };
};

const shortfall = (launch: PreparedLaunch, granted: number): Refusal => ({
  missing: launch.count - granted,
  code: 'PartialGrant',
  fault: 'provider.capacity',
  message: `EC2 granted ${granted} of ${launch.count}`,
  pool: launch.pool,
});

/** A key that is not where the administrator keeps keys is worth a word; EC2 alone knows whether it exists. */
const checkKey = async (
  { keyDirectory, log }: RunInstancesOptions,
  { templateId, keyName }: Template,
): Promise<void> => {
  if (keyDirectory === undefined || keyName === undefined) return;
  const file = join(keyDirectory, `${keyName}.pem`);
  await access(file).catch(() =>
    log.warn('template.key', `${file} of template ${templateId} is not there (AWS_KEY_FILE)`),
  );
};

/** On-demand capacity by RunInstances: one call per subnet, the next subnet only when this one lacks capacity. */
export const createRunInstancesProvider = (options: RunInstancesOptions): CapacityProvider => ({
  prepare: async (order) => {
    const { template, attempt, count, requestId } = order;
    const subnetId = template.subnetIds[attempt];
    if (subnetId === undefined) return undefined;
    await checkKey(options, template);
    return {
      clientToken: clientTokenOf(requestId, attempt),
      count,
      pool: `${offeringOf(template)} in ${subnetId}`,
      call: { ...(await render(options, order, subnetId)) },
    };
  },

  launch: async (launch): Promise<LaunchReport> => {
    const { call } = launch;
    if (!isRunInstancesCall(call)) {
      throw new PluginError('storage.unreadable', `launch ${launch.clientToken} holds no RunInstances call`);
    }
    try {
      const { Instances = [] } = await options.ec2.runInstances(call);
      const machines = Instances.map((instance) => toSighting(instance, options.owner));
      if (machines.length >= launch.count) return { machines, tryNextPool: false };
      return { machines, refusal: shortfall(launch, machines.length), tryNextPool: true };
    } catch (error) {
      const refusal = toRefusal(error, launch);
      if (refusal === undefined) throw error;
      return { machines: [], refusal, tryNextPool: refusal.fault === 'provider.capacity' };
    }
  },
});
