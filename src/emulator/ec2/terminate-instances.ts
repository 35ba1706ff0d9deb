import { invalidValue, ServiceError } from '../wire/service-error.ts';
import { action, requiredList } from './action.ts';
import { viewsOf } from './instance-view.ts';
import { moveInto, stateChanges, userInitiated } from './state-changes.ts';

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
