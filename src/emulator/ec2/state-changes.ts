import { announce } from '../queues.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { type InstanceView, viewOf } from './instance-view.ts';
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
export const stateChanges = (world: World, views: readonly InstanceView[]): XmlFields => ({
  instancesSet: views.map((before) => {
    const instance = world.instances.get(before.instance.id) ?? before.instance;
    return {
      instanceId: instance.id,
      currentState: stateXml(viewOf(world, instance).state),
      previousState: stateXml(before.state),
    };
  }),
});
