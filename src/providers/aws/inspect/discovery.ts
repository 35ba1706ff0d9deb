import type { InstanceTypeInfo, Subnet, Tag } from '@aws-sdk/client-ec2';
import type { AnswersSoFar, Choice, Choosable, Discovery, Listing } from '../../../application/ports/discovery.ts';
import { hasCode, isPluginError, messageOf } from '../../../domain/errors.ts';
import { callerArn, type IdentityOptions } from '../services/account.ts';
import type { Ec2 } from '../services/ec2.ts';
import { instanceProfiles } from '../services/iam.ts';
import { resolveImageAlias } from '../services/ssm.ts';
import { initActions } from './policy-needs.ts';

export interface DiscoveryOptions extends IdentityOptions {
  readonly ec2: Pick<Ec2, 'read' | 'readAll'>;
}

/** EC2: results per page; names that a filter takes. */
const [perPage, typesPerPage, mostNames] = [500, 100, 100];
/** Lines of a list that a person still reads. */
const mostChoices = 20;

const nameOf = (tags: readonly Tag[] | undefined): string =>
  (tags ?? []).find(({ Key }) => Key === 'Name')?.Value ?? '';
const about = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(', ');

/** Amazon Linux 2023, which AWS keeps current under this name. */
const publicImage = (architecture: string): string =>
  `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`;

const subnetsOf = async ({ ec2 }: DiscoveryOptions, SubnetIds: readonly string[]): Promise<readonly Subnet[]> => {
  if (SubnetIds.length === 0) return [];
  return (await ec2.read('DescribeSubnets', { SubnetIds: [...SubnetIds] })).Subnets ?? [];
};

const architectureOf = async (options: DiscoveryOptions, image: string | undefined): Promise<string | undefined> => {
  if (image === undefined) return undefined;
  const id = image.startsWith('ami-') ? image : await resolveImageAlias(options, image);
  const { Images = [] } = await options.ec2.read('DescribeImages', { ImageIds: [id] });
  return Images[0]?.Architecture;
};

const images = async (options: DiscoveryOptions): Promise<readonly Choice[]> => {
  const { Images = [] } = await options.ec2.read('DescribeImages', { Owners: ['self'] });
  const own = Images.toSorted((a, b) => (b.CreationDate ?? '').localeCompare(a.CreationDate ?? '')).map(
    ({ ImageId = '', Name, Architecture, CreationDate = '' }) => ({
      value: ImageId,
      about: about(Name, Architecture, CreationDate.slice(0, 10)),
    }),
  );
  const amazon: Choice[] = [];
  for (const architecture of ['x86_64', 'arm64']) {
    const value = publicImage(architecture);
    const text = `Amazon Linux 2023, ${architecture}, the newest at each launch`;
    // Without the permission it may still be named.
    if (await resolveImageAlias(options, value).then(...isSo)) amazon.push({ value, about: text });
  }
  return [...own.slice(0, mostChoices - amazon.length), ...amazon];
};

/** Of a promise: whether it came to something. */
const isSo = [() => true, () => false] as const;

const allSubnets = ({ ec2 }: DiscoveryOptions, vpc?: string): Promise<readonly Subnet[]> => {
  const Filters = vpc === undefined ? [] : [{ Name: 'vpc-id', Values: [vpc] }];
  return ec2.readAll('DescribeSubnets', { Filters, MaxResults: perPage }, ({ Subnets }) => Subnets);
};

/** What people know a VPC by. Without the permission its id alone. */
const vpcTexts = async ({ ec2 }: DiscoveryOptions): Promise<(id: string) => string> => {
  const found = await ec2.readAll('DescribeVpcs', { MaxResults: perPage }, ({ Vpcs }) => Vpcs).catch(() => []);
  const texts = new Map(
    found.map(({ VpcId = '', Tags, IsDefault }) => [
      VpcId,
      about(nameOf(Tags), IsDefault === true ? 'default VPC' : ''),
    ]),
  );
  return (id) => texts.get(id) ?? '';
};

/** Those with subnets. */
const vpcs = async (options: DiscoveryOptions): Promise<readonly Choice[]> => {
  const found = await allSubnets(options);
  const textOf = await vpcTexts(options);
  const ids = [...new Set(found.map(({ VpcId = '' }) => VpcId))].sort();
  return ids.map((value) => {
    const own = found.filter(({ VpcId }) => VpcId === value);
    const free = own.reduce((sum, { AvailableIpAddressCount = 0 }) => sum + AvailableIpAddressCount, 0);
    const zones = new Set(own.map(({ AvailabilityZone }) => AvailabilityZone));
    const counts = `${own.length} subnet${own.length === 1 ? '' : 's'} in ${zones.size} zone${zones.size === 1 ? '' : 's'}`;
    return { value, about: about(textOf(value), counts, `${free} free`) };
  });
};

const subnets = async (options: DiscoveryOptions, { vpc }: AnswersSoFar): Promise<readonly Choice[]> => {
  const found = await allSubnets(options, vpc);
  const textOf = await vpcTexts(options);
  const order = ({ VpcId = '', AvailabilityZone = '' }: Subnet): string => `${VpcId} ${AvailabilityZone}`;
  return found
    .toSorted((a, b) => order(a).localeCompare(order(b)))
    .map(({ SubnetId = '', AvailabilityZone, AvailableIpAddressCount, Tags, VpcId = '' }) => ({
      value: SubnetId,
      about: about(AvailabilityZone, `${AvailableIpAddressCount} free`, nameOf(Tags), VpcId, textOf(VpcId)),
    }));
};

const securityGroups = async (options: DiscoveryOptions, soFar: AnswersSoFar): Promise<readonly Choice[]> => {
  const vpc = (await subnetsOf(options, soFar.subnets))[0]?.VpcId;
  const Filters = vpc === undefined ? [] : [{ Name: 'vpc-id', Values: [vpc] }];
  const found = await options.ec2.readAll(
    'DescribeSecurityGroups',
    { Filters, MaxResults: perPage },
    ({ SecurityGroups }) => SecurityGroups,
  );
  return found.map(({ GroupId = '', GroupName, Description }) => ({
    value: GroupId,
    about: about(GroupName, Description),
  }));
};

const gib = ({ MemoryInfo }: InstanceTypeInfo): number => (MemoryInfo?.SizeInMiB ?? 0) / 1024;
const vcpus = ({ VCpuInfo }: InstanceTypeInfo): number => VCpuInfo?.DefaultVCpus ?? 0;

/** The types with what is asked for, the smallest first, that are offered in every zone of the subnets. */
const types = async (options: DiscoveryOptions, soFar: AnswersSoFar): Promise<readonly Choice[]> => {
  const { ec2 } = options;
  const architecture = await architectureOf(options, soFar.image).catch(() => undefined);
  const zones = [...new Set((await subnetsOf(options, soFar.subnets)).flatMap((each) => each.AvailabilityZone ?? []))];
  const offered = new Map<string, number>();
  if (zones.length > 0) {
    const input = { LocationType: 'availability-zone' as const, Filters: [{ Name: 'location', Values: zones }] };
    const found = await ec2.readAll('DescribeInstanceTypeOfferings', input, (page) => page.InstanceTypeOfferings);
    for (const { InstanceType: name = '' } of found) offered.set(name, (offered.get(name) ?? 0) + 1);
  }
  const Filters = [
    { Name: 'current-generation', Values: ['true'] },
    ...(architecture === undefined ? [] : [{ Name: 'processor-info.supported-architecture', Values: [architecture] }]),
  ];
  const all = await ec2.readAll(
    'DescribeInstanceTypes',
    { Filters, MaxResults: typesPerPage },
    (page) => page.InstanceTypes,
  );
  return all
    .filter((each) => each.BareMetal !== true && vcpus(each) >= soFar.cores && gib(each) >= soFar.memoryGiB)
    .filter(({ InstanceType = '' }) => zones.length === 0 || offered.get(InstanceType) === zones.length)
    .toSorted((a, b) => vcpus(a) - vcpus(b) || gib(a) - gib(b))
    .slice(0, mostChoices)
    .map((each) => ({
      value: each.InstanceType ?? '',
      about: `${vcpus(each)} vCPUs, ${gib(each)} GiB, ${each.ProcessorInfo?.SupportedArchitectures?.join('/') ?? ''}`,
    }));
};

const keys = async ({ ec2 }: DiscoveryOptions): Promise<readonly Choice[]> => {
  const { KeyPairs = [] } = await ec2.read('DescribeKeyPairs', {});
  return KeyPairs.map(({ KeyName = '', KeyType }) => ({ value: KeyName, about: KeyType ?? '' }));
};

const profiles = async (options: DiscoveryOptions): Promise<readonly Choice[]> =>
  (await instanceProfiles(options)).map(({ name, roles }) => ({ value: name, about: about(...roles) }));

const lists: Readonly<
  Record<Choosable, (options: DiscoveryOptions, soFar: AnswersSoFar) => Promise<readonly Choice[]>>
> = {
  image: images,
  vpc: vpcs,
  subnet: subnets,
  'security-group': securityGroups,
  'vm-type': types,
  'instance-profile': profiles,
  'key-name': keys,
};

const nouns: Readonly<Record<Choosable, string>> = {
  image: 'images',
  vpc: 'VPCs',
  subnet: 'subnets',
  'security-group': 'security groups',
  'vm-type': 'instance types',
  'instance-profile': 'instance profiles',
  'key-name': 'key pairs',
};

const whyNot = (what: Choosable, fault: unknown): string => {
  if (!isPluginError(fault)) throw fault;
  const [, action = fault.aws?.action] = /not authorized to perform: ([\w:-]+)/.exec(messageOf(fault)) ?? [];
  return fault.code === 'provider.denied'
    ? `${nouns[what]} cannot be listed: ${action} is not allowed`
    : `${nouns[what]} cannot be listed: ${messageOf(fault)}`;
};

const imageFault = async (options: DiscoveryOptions, [image = '']: readonly string[]): Promise<string | undefined> => {
  const id = image.startsWith('ami-') ? image : await resolveImageAlias(options, image);
  const { Images = [] } = await options.ec2.read('DescribeImages', { ImageIds: [id] });
  const state = Images[0]?.State;
  if (state === 'available') return undefined;
  return state === undefined ? `${image} does not exist in this Region` : `${image} is ${state}`;
};

const vpcFault = async ({ ec2 }: DiscoveryOptions, [vpc = '']: readonly string[]): Promise<string | undefined> => {
  const { Subnets = [] } = await ec2.read('DescribeSubnets', { Filters: [{ Name: 'vpc-id', Values: [vpc] }] });
  return Subnets.length === 0 ? `there is no ${vpc} with subnets in this Region` : undefined;
};

const subnetFault = async (options: DiscoveryOptions, ids: readonly string[]): Promise<string | undefined> => {
  const vpcs = new Set((await subnetsOf(options, ids)).map(({ VpcId }) => VpcId));
  return vpcs.size > 1 ? `they are in different VPCs: ${[...vpcs].join(', ')}` : undefined;
};

const groupFault = async (
  options: DiscoveryOptions,
  ids: readonly string[],
  soFar: AnswersSoFar,
): Promise<string | undefined> => {
  const vpc = (await subnetsOf(options, soFar.subnets))[0]?.VpcId;
  const { SecurityGroups = [] } = await options.ec2.read('DescribeSecurityGroups', { GroupIds: [...ids] });
  const other = SecurityGroups.find(({ VpcId }) => vpc !== undefined && VpcId !== vpc);
  return other === undefined ? undefined : `${other.GroupId} is in ${other.VpcId}, the subnets are in ${vpc}`;
};

const typeFault = async (
  options: DiscoveryOptions,
  names: readonly string[],
  soFar: AnswersSoFar,
): Promise<string | undefined> => {
  const Filters = [{ Name: 'instance-type', Values: names.slice(0, mostNames) }];
  const { InstanceTypes = [] } = await options.ec2.read('DescribeInstanceTypes', { Filters });
  const missing = names.find((name) => !InstanceTypes.some(({ InstanceType }) => InstanceType === name));
  if (missing !== undefined) return `${missing} is not offered in this Region`;
  const architecture = await architectureOf(options, soFar.image);
  const unfit = InstanceTypes.find(
    ({ ProcessorInfo }) => !(ProcessorInfo?.SupportedArchitectures ?? []).some((each) => each === architecture),
  );
  if (architecture === undefined || unfit === undefined) return undefined;
  const has = unfit.ProcessorInfo?.SupportedArchitectures?.join(' or ');
  return `the image is ${architecture}, but ${unfit.InstanceType} is ${has}`;
};

const keyFault = async ({ ec2 }: DiscoveryOptions, names: readonly string[]): Promise<undefined> => {
  await ec2.read('DescribeKeyPairs', { KeyNames: [...names] });
};

const faults: Readonly<
  Partial<
    Record<
      Choosable,
      (options: DiscoveryOptions, values: readonly string[], soFar: AnswersSoFar) => Promise<string | undefined>
    >
  >
> = {
  image: imageFault,
  vpc: vpcFault,
  subnet: subnetFault,
  'security-group': groupFault,
  'vm-type': typeFault,
  'key-name': keyFault,
};

/** Facts about an account that only AWS knows, for setting a provider up. */
export const createDiscovery = (options: DiscoveryOptions): Discovery => ({
  who: () => callerArn(options),
  list: async (what, soFar): Promise<Listing> => {
    try {
      const choices = await lists[what](options, soFar);
      return choices.length > 0
        ? { choices }
        : { choices, why: `this account has no ${nouns[what]} to choose from here` };
    } catch (fault) {
      return { choices: [], why: whyNot(what, fault) };
    }
  },
  fault: async (what, values, soFar) => {
    try {
      return await faults[what]?.(options, values, soFar);
    } catch (fault) {
      // What AWS would not tell is no fault of the answer's.
      if (hasCode(fault, 'provider.misconfigured', 'provider.missing')) return messageOf(fault);
      if (isPluginError(fault)) return undefined;
      throw fault;
    }
  },
});

/** The permissions that all of it needs. Reads know no resource to confine them to. */
export const initPolicy = (): object => ({
  Version: '2012-10-17',
  Statement: [{ Sid: 'SetUp', Effect: 'Allow', Action: initActions, Resource: '*' }],
});
