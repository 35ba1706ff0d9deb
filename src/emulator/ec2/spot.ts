import { announce } from '../queues.ts';
import type { World } from '../world.ts';
import type { InstanceView } from './instance-view.ts';
import { moveInto } from './state-changes.ts';

export interface SpotStatus {
  readonly state: 'active' | 'closed' | 'disabled';
  readonly code: string;
  readonly at: number;
}

const stateOfCode = (code: string): SpotStatus['state'] => {
  if (code.startsWith('instance-terminated-')) return 'closed';
  return code.startsWith('instance-stopped-') ? 'disabled' : 'active';
};

/** The status of the request behind a Spot instance: what was set out of band, else what the instance's life says. */
export const spotStatusOf = ({ instance, state }: InstanceView): SpotStatus => {
  const isGone = state === 'shutting-down' || state === 'terminated';
  const set = instance.spotStatus;
  // A notice (marked-for-...) ends with the instance; a reason for the end stays.
  if (set !== undefined && (!isGone || set.code.startsWith('instance-terminated-')))
    return { state: stateOfCode(set.code), ...set };
  return isGone
    ? { state: 'closed', code: 'instance-terminated-by-user', at: instance.phase.since }
    : { state: 'active', code: 'fulfilled', at: instance.launchedAt };
};

/** Sets the status as AWS would in an interruption; `instance-terminated-*` and `instance-stopped-*` happen to the instance too. */
export const setSpotStatus = (world: World, view: InstanceView, code: string): void => {
  const instance = { ...view.instance, spotStatus: { code, at: world.now() } };
  world.instances.set(instance.id, instance);
  if (code === 'marked-for-termination' || code === 'marked-for-stop')
    announce(world, 'EC2 Spot Instance Interruption Warning', {
      'instance-id': instance.id,
      'instance-action': code.endsWith('stop') ? 'stop' : 'terminate',
    });
  const reason = {
    code: 'Server.SpotInstanceTermination',
    message: 'Server.SpotInstanceTermination: Spot instance termination',
  };
  if (code.startsWith('instance-terminated-')) moveInto(world, { ...view, instance }, 'shutting-down', reason);
  if (code.startsWith('instance-stopped-')) {
    const stopped = {
      code: 'Server.SpotInstanceShutdown',
      message: 'Server.SpotInstanceShutdown: Spot instance stopped',
    };
    moveInto(world, { ...view, instance }, 'stopping', stopped);
  }
};
