import { createHash } from 'node:crypto';
import type { World } from '../world.ts';
import { ownerId } from './action.ts';
import { freeAddresses } from './capacity.ts';
import { describe } from './describe.ts';
import { checkForm, notFound } from './ids.ts';
import { defaultSubnets, madeUpVpc, type Subnet, subnetsOf } from './subnets.ts';

// What is left of a /20 after the five addresses AWS keeps.
const mostAddresses = 4091;

const isSet = (ids: readonly string[]): boolean => ids.length > 0;

/** Without ids: the configured subnets and the default ones. */
export const describeSubnets = describe<Subnet>({
  ids: 'SubnetId',
  items: (world, ids) => {
    const usual = defaultSubnets(world).map(({ id }) => id);
    const listed = [...new Set([...Object.keys(world.settings.subnets), ...usual])].sort();
    return subnetsOf(world, isSet(ids) ? ids : listed);
  },
  keyOf: ({ id }) => id,
  filters: {
    'availability-zone': ({ zone }) => zone,
    state: () => 'available',
    'subnet-id': ({ id }) => id,
    'vpc-id': ({ vpc }) => vpc,
  },
  answer: (page, world) => ({
    subnetSet: page.map(({ id, zone, vpc, ipv6Native = false }) => ({
      subnetId: id,
      state: 'available',
      vpcId: vpc,
      cidrBlock: ipv6Native ? undefined : '10.0.0.0/20',
      ipv6Native,
      availableIpAddressCount: Math.min(mostAddresses, freeAddresses(world, id)),
      availabilityZone: zone,
      ownerId,
      tagSet: [],
    })),
  }),
});

const isUsual = (vpc: string, { settings }: World): boolean => vpc === madeUpVpc(settings.region);

/** Those of the configured subnets, and the one of all others. */
export const describeVpcs = describe<string>({
  ids: 'VpcId',
  pagesIds: true,
  items: ({ settings: { subnets, region } }, ids) => {
    const known = [madeUpVpc(region), ...Object.values(subnets).map(({ vpc }) => vpc)];
    return isSet(ids) ? ids : [...new Set(known)].sort();
  },
  keyOf: (id) => id,
  filters: { 'vpc-id': (id) => id, 'is-default': (id, world) => String(isUsual(id, world)) },
  answer: (page, world) => ({
    vpcSet: page.map((vpcId) => ({
      vpcId,
      ownerId,
      state: 'available',
      cidrBlock: '10.0.0.0/16',
      isDefault: isUsual(vpcId, world),
      tagSet: [],
    })),
  }),
});

const vpcOfGroup = (id: string, { settings }: World): string =>
  settings.securityGroups[id] ?? madeUpVpc(settings.region);

/** Groups exist by being named, in the VPC of made-up subnets unless set to be in another or to be missing. */
export const describeSecurityGroups = describe<string>({
  ids: 'GroupId',
  pagesIds: true,
  parameters: 'GroupName.N',
  items: ({ settings: { securityGroups, missingGroups } }, ids) => {
    checkForm('InvalidGroupId.Malformed', 'sg', ids);
    const missing = ids.find((id) => missingGroups.includes(id));
    if (missing !== undefined) throw notFound('InvalidGroup.NotFound', 'security group', [missing]);
    return isSet(ids) ? ids : Object.keys(securityGroups).sort();
  },
  keyOf: (id) => id,
  filters: { 'group-id': (id) => id, 'vpc-id': vpcOfGroup },
  answer: (page, world) => ({
    securityGroupInfo: page.map((groupId) => ({
      groupId,
      groupName: `emulated ${groupId}`,
      groupDescription: 'emulated',
      vpcId: vpcOfGroup(groupId, world),
      ownerId,
    })),
  }),
});

/** Every key pair exists but those set to be missing. */
export const checkKeys = (world: World, names: readonly string[]): void => {
  const missing = names.find((name) => world.settings.missingKeys.includes(name));
  if (missing !== undefined) throw notFound('InvalidKeyPair.NotFound', 'key pair', [missing]);
};

/** Without names those that are set: all others exist by being named. */
export const describeKeyPairs = describe<string>({
  ids: 'KeyName',
  pagesIds: true,
  parameters: 'KeyPairId.N IncludePublicKey',
  items: (world, names) => {
    checkKeys(world, names);
    return isSet(names) ? names : world.settings.keyPairs.toSorted();
  },
  keyOf: (name) => name,
  filters: { 'key-name': (name) => name },
  answer: (page) => ({
    keySet: page.map((keyName) => ({
      keyName,
      keyPairId: `key-0${createHash('sha256').update(keyName).digest('hex').slice(0, 16)}`,
      keyType: 'ed25519',
      tagSet: [],
    })),
  }),
});
