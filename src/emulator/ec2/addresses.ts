import type { InstanceRecord, LaunchSpec, World } from '../world.ts';

// 254 last parts, so that no address ends in 0 or 255.
const parts = (number: number): string =>
  `${Math.floor(number / (254 * 256)) % 256}.${Math.floor(number / 254) % 256}.${(number % 254) + 1}`;

const domain = (region: string, old: string, rest: string): string =>
  region === 'us-east-1' ? old : `${region}.${rest}`;

const dashed = (ip: string): string => ip.replaceAll('.', '-');

/** Private address and resource name of an instance: unique in a world for 16 million launches. */
export const privateAddress = (
  world: World,
  instance: InstanceRecord,
  spec: LaunchSpec,
): { ip: string; name: string } => {
  const zone = domain(world.settings.region, 'ec2.internal', 'compute.internal');
  // Where there is no IPv4 address, the name is that of the resource.
  if (spec.isIpv6 === true) return { ip: `2600:1f18::${instance.number.toString(16)}`, name: `${instance.id}.${zone}` };
  const ip = spec.privateIp ?? `10.${parts(instance.number)}`;
  return { ip, name: `ip-${dashed(ip)}.${zone}` };
};

export const publicAddress = (world: World, instance: InstanceRecord): { ip: string; name: string } => {
  const ip = `54.${parts(instance.number)}`;
  const zone = domain(world.settings.region, 'compute-1.amazonaws.com', 'compute.amazonaws.com');
  return { ip, name: `ec2-${dashed(ip)}.${zone}` };
};
