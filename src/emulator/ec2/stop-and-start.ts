import { ServiceError } from '../wire/service-error.ts';
import { action, requiredList } from './action.ts';
import { type InstanceView, viewsOf } from './instance-view.ts';
import type { InstanceState } from './life-cycle.ts';
import { moveInto, stateChanges, userInitiated } from './state-changes.ts';

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
