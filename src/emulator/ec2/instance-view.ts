import type { InstanceRecord, LaunchSpec, Reservation, Tags, World } from '../world.ts';
import { checkForm, notFound, resourceId, spotRequestId } from './ids.ts';
import { type InstanceState, isForgotten, stateAt } from './life-cycle.ts';

// 254 last parts, so that no address ends in 0 or 255.
const parts = (number: number): string =>
  `${Math.floor(number / (254 * 256)) % 256}.${Math.floor(number / 254) % 256}.${(number % 254) + 1}`;

const domain = (region: string, old: string, rest: string): string =>
  region === 'us-east-1' ? old : `${region}.${rest}`;

const dashed = (ip: string): string => ip.replaceAll('.', '-');

/** Private address and resource name of an instance: unique in a world for 16 million launches. */
const privateAddress = (world: World, instance: InstanceRecord, spec: LaunchSpec): { ip: string; name: string } => {
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

/** An instance with what follows from the clock. */
export interface InstanceView {
  readonly instance: InstanceRecord;
  readonly reservation: Reservation;
  readonly state: InstanceState;
  /** Undefined before EC2 shows it and after termination. */
  readonly address: { readonly ip: string; readonly name: string } | undefined;
}

export const viewOf = (world: World, instance: InstanceRecord): InstanceView => {
  const reservation = world.reservations.get(instance.reservationId);
  if (reservation === undefined) throw new Error(`emulator: reservation ${instance.reservationId} is missing`);
  const state = stateAt(instance.phase, world.settings, world.now());
  const isNamed = state !== 'terminated' && world.now() >= instance.launchedAt + world.settings.nameAfterMs;
  return {
    instance,
    reservation,
    state,
    address: isNamed ? privateAddress(world, instance, reservation.spec) : undefined,
  };
};

/** All instances EC2 still knows, in launch order. */
export const allViews = (world: World): readonly InstanceView[] =>
  [...world.instances.values()].map((instance) => viewOf(world, instance));

/** The instances of these ids; as in EC2 one malformed or unknown id fails the call, naming it. */
export const viewsOf = (
  world: World,
  ids: readonly string[],
  isVisible: (instance: InstanceRecord) => boolean = () => true,
): readonly InstanceView[] => {
  checkForm('InvalidInstanceID.Malformed', 'i', ids);
  const known = ids.flatMap((id) => world.instances.get(id) ?? []).filter(isVisible);
  if (known.length < ids.length) {
    const found = new Set(known.map(({ id }) => id));
    const unknown = ids.filter((id) => !found.has(id));
    throw notFound('InvalidInstanceID.NotFound', 'instance ID', unknown);
  }
  return known.map((instance) => viewOf(world, instance));
};

/** Drops what EC2 no longer knows: instances terminated long ago, their launches and their tags. */
export const forgetGone = (world: World): void => {
  const gone = [...world.instances.values()].filter(({ phase }) => isForgotten(phase, world.settings, world.now()));
  for (const instance of gone) {
    world.instances.delete(instance.id);
    world.changedTags.delete(instance.id);
  }
  for (const id of new Set(gone.map(({ reservationId }) => reservationId))) {
    const reservation = world.reservations.get(id);
    if (reservation?.instanceIds.some((instanceId) => world.instances.has(instanceId))) continue;
    world.reservations.delete(id);
  }
};

export const tagsOf = (world: World, id: string, { spec }: Reservation, resourceType: string): Tags =>
  world.changedTags.get(id) ?? spec.tags[resourceType] ?? {};

export const instanceTags = (world: World, { instance, reservation }: InstanceView): Tags =>
  tagsOf(world, instance.id, reservation, 'instance');

export const volumeIds = (world: World, { instance, reservation }: InstanceView): readonly string[] =>
  reservation.spec.volumes.map((_, part) => resourceId(world, 'vol', instance.number, part));

export const spotRequestIdOf = (world: World, { instance, reservation }: InstanceView): string | undefined =>
  reservation.spec.lifecycle === 'spot' ? spotRequestId(world, instance.number) : undefined;
