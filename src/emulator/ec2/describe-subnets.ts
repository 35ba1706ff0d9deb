import { listing, parameterTable } from '../wire/parameter-table.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { type Action, ownerId } from './action.ts';
import { freeAddresses } from './capacity.ts';
import type { FilterTable } from './filters.ts';
import { pageOf } from './paging.ts';
import { defaultSubnets, type Subnet, subnetsOf } from './subnets.ts';

// What is left of a /20 after the five addresses AWS keeps.
const mostAddresses = 4091;

const filters: FilterTable<Subnet> = {
  'availability-zone': ({ zone }) => zone,
  state: () => 'available',
  'subnet-id': ({ id }) => id,
  'vpc-id': ({ vpc }) => vpc,
};

const subnetXml = (world: World, { id, zone, vpc, ipv6Native = false }: Subnet): XmlFields => ({
  subnetId: id,
  state: 'available',
  vpcId: vpc,
  cidrBlock: ipv6Native ? undefined : '10.0.0.0/20',
  ipv6Native,
  availableIpAddressCount: Math.min(mostAddresses, freeAddresses(world, id)),
  availabilityZone: zone,
  ownerId,
  tagSet: [],
});

/** Without ids: the configured subnets and the default ones. */
export const describeSubnets: Action = {
  parameters: parameterTable(`SubnetId.N ${listing}`),
  answer: (world, params) => {
    const { subnets } = world.settings;
    const named = params.list('SubnetId');
    const listed = [...new Set([...Object.keys(subnets), ...defaultSubnets(world).map(({ id }) => id)])].sort();
    const items = subnetsOf(world, named.length > 0 ? named : listed);
    const { page, nextToken } = pageOf(world, params, {
      idsParameter: 'SubnetId',
      items,
      filters,
      keyOf: ({ id }) => id,
    });
    return { subnetSet: page.map((subnet) => subnetXml(world, subnet)), nextToken };
  },
};
