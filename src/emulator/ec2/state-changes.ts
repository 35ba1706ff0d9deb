import { announce } from '../queues.ts';
import { invalidValue, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { action, requiredList } from './action.ts';
import { type InstanceView, viewOf, viewsOf } from './instance-view.ts';
import { stateXml } from './instance-xml.ts';
import { type InstanceState, phaseInto, type StateReason } from './life-cycle.ts';

export const userInitiated: StateReason = {
  code: 'Client.UserInitiatedShutdown',
  message: 'Client.UserInitiatedShutdown: User initiated shutdown',
};

/** Puts an instance into a state now, for a reason. Time takes it on from a passing state. */
export const moveInto = (
  world: World,
  { instance }: Pick<InstanceView, 'instance'>,
  state: InstanceState,
  reason?: StateReason,
): void => {
  world.instances.set(instance.id, { ...instance, phase: phaseInto(state, world.now(), reason) });
  announce(world, 'EC2 Instance State-change Notification', { 'instance-id': instance.id, state });
};

/** The answer's list of what `views` were before and are now. */
const stateChanges = (world: World, views: readonly InstanceView[]): XmlFields => ({
  instancesSet: views.map((before) => {
    const instance = world.instances.get(before.instance.id) ?? before.instance;
    return {
      instanceId: instance.id,
      currentState: stateXml(viewOf(world, instance).state),
      previousState: stateXml(before.state),
    };
  }),
});

const checkState = (views: readonly InstanceView[], allowed: readonly InstanceState[], verb: string): void => {
  const refused = views.find(({ state }) => !allowed.includes(state));
  if (refused === undefined) return;
  const message = `The instance '${refused.instance.id}' is not in a state from which it can be ${verb}.`;
  throw new ServiceError('IncorrectInstanceState', message);
};

const checkMarket = (views: readonly InstanceView[]): void => {
  const spot = views.find(({ reservation }) => reservation.spec.lifecycle === 'spot');
  if (spot === undefined) return;
  const message = `You can't stop the Spot Instance '${spot.instance.id}' because it is associated with a one-time Spot Instance request.`;
  throw new ServiceError('UnsupportedOperation', message);
};

export const stopInstances = action('InstanceId.N Force Hibernate SkipOsShutdown', (world, params) => {
  const views = viewsOf(world, requiredList(params, 'InstanceId'));
  checkMarket(views);
  checkState(views, ['pending', 'running', 'stopping', 'stopped'], 'stopped');
  for (const view of views) {
    if (view.state === 'pending' || view.state === 'running') moveInto(world, view, 'stopping', userInitiated);
  }
  return stateChanges(world, views);
});

export const startInstances = action('InstanceId.N AdditionalInfo', (world, params) => {
  const views = viewsOf(world, requiredList(params, 'InstanceId'));
  checkState(views, ['pending', 'running', 'stopped'], 'started');
  for (const view of views) {
    if (view.state === 'stopped') moveInto(world, view, 'pending');
  }
  return stateChanges(world, views);
});

const mostIds = 1000;

export const terminateInstances = action('InstanceId.N Force SkipOsShutdown', (world, params) => {
  const ids = [...new Set(requiredList(params, 'InstanceId'))];
  if (ids.length > mostIds) throw invalidValue(`At most ${mostIds} instances can be terminated, not ${ids.length}`);
  const views = viewsOf(world, ids);

  // API reference: a protected instance spares all listed ones of its zone, and the call fails; other zones proceed.
  const going = new Set(['shutting-down', 'terminated']);
  const protectedOnes = views.filter(({ instance, state }) => instance.isProtected && !going.has(state));
  const sparedZones = new Set(protectedOnes.map(({ reservation }) => reservation.spec.zone));
  for (const view of views) {
    if (going.has(view.state) || sparedZones.has(view.reservation.spec.zone)) continue;
    moveInto(world, view, 'shutting-down', userInitiated);
  }

  const [first] = protectedOnes;
  if (first === undefined) return stateChanges(world, views);
  throw new ServiceError(
    'OperationNotPermitted',
    `The instance '${first.instance.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
  );
});
