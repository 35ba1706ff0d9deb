import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { _InstanceType, Image, RunInstancesCommandInput, Subnet } from '@aws-sdk/client-ec2';
import type { TemplateInspector } from '../../../application/ports/templates.ts';
import { hasCode, isPluginError, messageOf, type PluginError } from '../../../domain/errors.ts';
import type { Complaint } from '../../../domain/finding.ts';
import { isReservationId } from '../../../domain/template/reserved-capacity.ts';
import { providerApiOf, type Template, weightedTypes } from '../../../domain/template/template.ts';
import { tagKeys } from '../instances/tags.ts';
import { isInstanceType, optional } from '../launch/launch-data.ts';
import type { Ec2 } from '../services/ec2.ts';
import { findPrices } from '../services/prices.ts';
import { groupComplaints } from './group-inspection.ts';
import { reservationComplaints } from './reservation-inspection.ts';

export interface Lookup {
  readonly ec2: Ec2;
  /** The value of our ownership tag. */
  readonly owner: string;
  readonly imageOf: (alias: string) => Promise<string>;
  readonly group: (name: string) => Promise<AutoScalingGroup | undefined>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const error = (field: string, rule: string): Complaint => ({ severity: 'error', field, rule });
const warning = (field: string, rule: string): Complaint => ({ severity: 'warning', field, rule });

/** AWS's own words, without what our error puts before them. */
const wordsOf = (fault: PluginError): string => messageOf(fault).replace(/^.*?Error Code: /s, '');

/** What a fault says of a field: AWS refused it, or would not tell. Other faults are no fault of the template's. */
const asComplaint = (field: string, fault: unknown): Complaint => {
  if (!isPluginError(fault)) throw fault;
  if (hasCode(fault, 'provider.denied'))
    return warning(field, `could not be checked without permission: ${wordsOf(fault)}`);
  if (hasCode(fault, 'provider.misconfigured', 'provider.missing')) return error(field, wordsOf(fault));
  throw fault;
};

const complaintsOf = async (field: string, look: () => Promise<readonly Complaint[]>): Promise<readonly Complaint[]> =>
  look().catch((fault: unknown) => [asComplaint(field, fault)]);

const fieldOfItem = (field: string, items: readonly string[], id: string | undefined): string =>
  items.length > 1 && id !== undefined ? `${field}.${items.indexOf(id)}` : field;

const typesOf = (template: Template): readonly string[] => [
  ...new Set([...weightedTypes(template).map(([name]) => name), ...Object.keys(template.vmTypesOnDemand ?? {})]),
];

const imageComplaints = (
  images: readonly Image[],
  imageId: string,
  types: ReadonlyMap<string, readonly string[]>,
): readonly Complaint[] => {
  const [image] = images;
  if (image === undefined) return [error('imageId', `${imageId} does not exist in this Region`)];
  const state = image.State === 'available' ? [] : [error('imageId', `${imageId} is ${image.State}`)];
  const unfit = [...types].find(([, supported]) => !supported.includes(image.Architecture ?? ''));
  if (unfit === undefined) return state;
  const [type, supported] = unfit;
  return [...state, error('imageId', `${imageId} is ${image.Architecture}, but ${type} is ${supported.join(' or ')}`)];
};

/** EC2 takes two subnets of one zone for duplicates in a fleet. */
const zoneComplaints = (subnets: readonly Subnet[], template: Template): readonly Complaint[] => {
  const api = providerApiOf(template);
  if (api !== 'EC2Fleet' && api !== 'SpotFleet') return [];
  const zones = new Set(subnets.map(({ AvailabilityZone }) => AvailabilityZone));
  return [...zones]
    .map((zone) => [zone, subnets.filter(({ AvailabilityZone }) => AvailabilityZone === zone)] as const)
    .filter(([, equals]) => equals.length > 1)
    .map(([zone, equals]) => {
      const names = equals.map(({ SubnetId }) => SubnetId).join(', ');
      return warning(
        'subnetId',
        `${names} are all in ${zone}: a fleet draws on one subnet of a zone, a request on each in turn`,
      );
    });
};

const subnetComplaints = (subnets: readonly Subnet[], template: Template): readonly Complaint[] => {
  const { subnetIds, maxNumber } = template;
  const vpcs = [...new Set(subnets.map(({ VpcId }) => VpcId))];
  const apart = vpcs.length > 1 ? [error('subnetId', `the subnets are in different VPCs: ${vpcs.join(', ')}`)] : [];
  const full = subnets
    .filter(({ AvailableIpAddressCount, Ipv6Native }) => AvailableIpAddressCount === 0 && Ipv6Native !== true)
    .map(({ SubnetId }) => warning(fieldOfItem('subnetId', subnetIds, SubnetId), `${SubnetId} has no free address`));
  const free = subnets.reduce((sum, { AvailableIpAddressCount = 0 }) => sum + AvailableIpAddressCount, 0);
  const isIpv6 = subnets.some(({ Ipv6Native }) => Ipv6Native === true);
  const tight =
    free < maxNumber && !isIpv6 ? [warning('subnetId', `has ${free} free addresses for maxNumber ${maxNumber}`)] : [];
  const ipv6 = subnets
    .filter(({ Ipv6Native }) => Ipv6Native === true)
    .map(({ SubnetId }) => {
      const text = `${SubnetId} is IPv6-only: Host Factory gets the IPv6 addresses of its hosts as privateIpAddress`;
      return warning(fieldOfItem('subnetId', subnetIds, SubnetId), text);
    });
  return [...apart, ...full, ...tight, ...ipv6, ...zoneComplaints(subnets, template)];
};

type Architectures = ReadonlyMap<string, readonly string[]>;

const architecturesOf = async ({ ec2 }: Lookup, names: readonly string[]): Promise<Architectures> => {
  if (names.length === 0) return new Map();
  const Filters = [{ Name: 'instance-type', Values: [...names] }];
  const { InstanceTypes = [] } = await ec2.read('DescribeInstanceTypes', { Filters });
  return new Map(
    InstanceTypes.map(({ InstanceType = '', ProcessorInfo }) => [
      InstanceType,
      ProcessorInfo?.SupportedArchitectures ?? [],
    ]),
  );
};

const imageIdOf = async ({ imageOf }: Lookup, imageId: string): Promise<string> =>
  imageId.startsWith('ami-') ? imageId : imageOf(imageId);

const checkImage = async (lookup: Lookup, { imageId }: Template, types: Architectures) => {
  if (imageId === undefined) return [];
  const id = await imageIdOf(lookup, imageId);
  const { Images = [] } = await lookup.ec2.read('DescribeImages', { ImageIds: [id] });
  return imageComplaints(Images, id, types);
};

const subnetsOf = async ({ ec2 }: Lookup, { subnetIds }: Template): Promise<readonly Subnet[]> => {
  const { Subnets = [] } = await ec2.read('DescribeSubnets', { SubnetIds: [...subnetIds] });
  return Subnets;
};

const checkGroups = async ({ ec2 }: Lookup, { securityGroupIds: ids }: Template, vpc: string | undefined) => {
  if (ids.length === 0) return [];
  const { SecurityGroups = [] } = await ec2.read('DescribeSecurityGroups', { GroupIds: [...ids] });
  return SecurityGroups.filter(({ VpcId }) => vpc !== undefined && VpcId !== vpc).map(({ GroupId, VpcId }) =>
    error(fieldOfItem('securityGroupIds', ids, GroupId), `${GroupId} is in ${VpcId}, the subnet in ${vpc}`),
  );
};

const checkKey = async ({ ec2 }: Lookup, { keyName }: Template) => {
  if (keyName === undefined) return [];
  await ec2.read('DescribeKeyPairs', { KeyNames: [keyName] });
  return [];
};

const checkReservation = async ({ ec2, now }: Lookup, template: Template, subnets: readonly Subnet[]) => {
  const { capacityReservation: id = '' } = template;
  if (!isReservationId(id)) return [];
  const { CapacityReservations = [] } = await ec2.read('DescribeCapacityReservations', {
    CapacityReservationIds: [id],
  });
  const zones = subnets.map(({ SubnetId = '', AvailabilityZone = '' }) => [SubnetId, AvailabilityZone] as const);
  return CapacityReservations.flatMap((each) =>
    reservationComplaints(each, template, Object.fromEntries(zones), now()),
  );
};

const profileOf = ({ instanceProfile: profile }: Template) => {
  if (profile === undefined) return {};
  return { IamInstanceProfile: profile.startsWith('arn:') ? { Arn: profile } : { Name: profile } };
};

const dryRunOf = (
  template: Template,
  owner: string,
  imageId: string,
  type: _InstanceType,
): RunInstancesCommandInput => {
  const { subnetIds, securityGroupIds, keyName, instanceTags } = template;
  // Without our tag a launch may well be denied, and rightly so.
  const Tags = [...instanceTags, [tagKeys.owner, owner] as const].map(([Key, Value]) => ({ Key, Value }));
  return {
    MinCount: 1,
    MaxCount: 1,
    ImageId: imageId,
    InstanceType: type,
    ...optional('SubnetId', subnetIds[0]),
    ...(securityGroupIds.length === 0 ? {} : { SecurityGroupIds: [...securityGroupIds] }),
    ...optional('KeyName', keyName),
    ...profileOf(template),
    TagSpecifications: [{ ResourceType: 'instance', Tags }],
  };
};

const launchComplaint = (fault: unknown): readonly Complaint[] => {
  if (!isPluginError(fault)) throw fault;
  if (fault.code === 'provider.denied') return [error('', `may not be launched: ${wordsOf(fault)}`)];
  return [asComplaint(/profile/i.test(fault.message) ? 'instanceProfile' : '', fault)];
};

/** Whether the caller may launch this, by EC2's own word: also for fleets, which need the same permissions. */
const checkLaunch = async (lookup: Lookup, template: Template, types: readonly string[]) => {
  const { imageId } = template;
  const [type] = types.filter(isInstanceType);
  if (imageId === undefined || type === undefined) return [];
  const input = dryRunOf(template, lookup.owner, await imageIdOf(lookup, imageId), type);
  return lookup.ec2.dryRun('RunInstances', input).then(() => [], launchComplaint);
};

const checkGroup = ({ group }: Lookup, { autoScalingGroupName: name, maxNumber }: Template) =>
  name === undefined
    ? Promise.resolve([])
    : complaintsOf('autoScalingGroupName', async () => groupComplaints(await group(name), name, maxNumber));

const inspect = async (lookup: Lookup, template: Template): Promise<readonly Complaint[]> => {
  const names = typesOf(template);
  let types: Architectures = new Map();
  let subnets: readonly Subnet[] = [];
  const typeField = template.vmTypes === undefined ? 'vmType' : 'vmTypes';
  const found = [
    await complaintsOf(typeField, async () => {
      types = await architecturesOf(lookup, names);
      const missing = names.filter((name) => !types.has(name));
      return missing.map((name) => error(typeField, `${name} is not available in this Region`));
    }),
    await complaintsOf('subnetId', async () => {
      subnets = await subnetsOf(lookup, template);
      return subnetComplaints(subnets, template);
    }),
    await complaintsOf('imageId', () => checkImage(lookup, template, types)),
    await complaintsOf('capacityReservation', () => checkReservation(lookup, template, subnets)),
    await complaintsOf('securityGroupIds', () => checkGroups(lookup, template, subnets[0]?.VpcId)),
    await complaintsOf('keyName', () => checkKey(lookup, template)),
    await checkGroup(lookup, template),
  ].flat();
  const isLaunchable = found.every(({ severity }) => severity === 'warning');
  return isLaunchable ? [...found, ...(await checkLaunch(lookup, template, names))] : found;
};

export { cureOfAws } from './cures.ts';
export { awsChecks } from './diagnosis.ts';
export { createDiscovery, initPolicy } from './discovery.ts';
export { iamPolicy } from './policy.ts';
export { findPrices };

/** Asks EC2 what only it knows of a template. Changes nothing: the launch is asked for as DryRun. */
export const createInspector = (lookup: Lookup): TemplateInspector => ({
  inspect: (template) => inspect(lookup, template),
  inspectGroup: (template) => checkGroup(lookup, template),
});
