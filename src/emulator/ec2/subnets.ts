import { createHash } from 'node:crypto';
import type { World } from '../world.ts';
import { checkForm, notFound } from './ids.ts';

export interface Subnet {
  readonly id: string;
  readonly zone: string;
  readonly vpc: string;
  /** Whether it has IPv6 addresses only. */
  readonly ipv6Native?: boolean;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

export const zonesOf = (region: string): readonly string[] => ['a', 'b', 'c'].map((letter) => region + letter);

export const madeUpVpc = (region: string): string => `vpc-0${digest(region).slice(0, 16)}`;

/** The subnet an instance gets that names a zone but no subnet. */
export const defaultSubnet = (world: World, zone: string): Subnet => ({
  id: `subnet-0${digest(`default ${zone}`).slice(0, 16)}`,
  zone,
  vpc: madeUpVpc(world.settings.region),
});

export const defaultSubnets = (world: World): readonly Subnet[] =>
  zonesOf(world.settings.region).map((zone) => defaultSubnet(world, zone));

const madeUpSubnet = (world: World, id: string): Subnet => {
  const zones = zonesOf(world.settings.region);
  const zone = zones[Number.parseInt(digest(id).slice(0, 8), 16) % zones.length] ?? '';
  return { id, zone, vpc: madeUpVpc(world.settings.region) };
};

/** Subnets by id: configured, default, or made up for any other well-formed id - always in the same zone. */
export const subnetsOf = (world: World, ids: readonly string[]): readonly Subnet[] => {
  checkForm('InvalidSubnetID.Malformed', 'subnet', ids);
  const { subnets, missingSubnets } = world.settings;
  const missing = ids.filter((id) => missingSubnets.includes(id));
  if (missing.length > 0) throw notFound('InvalidSubnetID.NotFound', 'subnet ID', missing);
  const defaults = defaultSubnets(world);
  return ids.map((id) => {
    const configured = subnets[id];
    if (configured !== undefined) return { id, ...configured };
    return defaults.find((subnet) => subnet.id === id) ?? madeUpSubnet(world, id);
  });
};

export const subnetOf = (world: World, id: string): Subnet => subnetsOf(world, [id])[0] ?? madeUpSubnet(world, id);
