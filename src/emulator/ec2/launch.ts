import type { Membership } from '../fleets/record.ts';
import type { InstanceRecord, LaunchSpec, Reservation, World } from '../world.ts';
import { resourceId } from './ids.ts';
import { phaseInto } from './life-cycle.ts';

export interface Launch {
  readonly spec: LaunchSpec;
  readonly count: number;
  readonly clientToken?: string;
  /** The fleet it is for. */
  readonly member?: Membership;
}

/** Puts `count` new instances of one launch into the world; the caller has seen to capacity and client token. */
export const launch = (world: World, { count, member, ...rest }: Launch): Reservation => {
  const now = world.now();
  world.lastNumber += 1;
  const id = resourceId(world, 'r', world.lastNumber);
  const instances = Array.from({ length: count }, (_, launchIndex): InstanceRecord => {
    world.lastNumber += 1;
    return {
      id: resourceId(world, 'i', world.lastNumber),
      number: world.lastNumber,
      reservationId: id,
      launchIndex,
      launchedAt: now,
      phase: phaseInto('pending', now),
      isProtected: rest.spec.isProtected,
      ...(member !== undefined && { member }),
      visibleFrom: world.describeCalls + world.settings.invisibleForCalls + 1,
    };
  });

  const reservation: Reservation = {
    id,
    launchedAt: now,
    ...rest,
    instanceIds: instances.map((instance) => instance.id),
  };
  world.reservations.set(id, reservation);
  for (const instance of instances) world.instances.set(instance.id, instance);
  return reservation;
};
