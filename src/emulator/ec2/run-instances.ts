import { once } from '../client-tokens.ts';
import { type Parameters, readParameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { World } from '../world.ts';
import { type Action, required } from './action.ts';
import { grant } from './capacity.ts';
import { viewOf } from './instance-view.ts';
import { reservationXml } from './instance-xml.ts';
import { launch } from './launch.ts';
import { readLaunchSpec, taggable } from './launch-spec.ts';
import { withTemplate } from './launch-templates.ts';
import { runInstancesParameters } from './run-instances-parameters.ts';
import { checkTagSpecifications } from './tags.ts';

// EC2 developer guide, "Ensuring idempotency".
const longestToken = 64;

const counts = (params: Parameters): readonly [min: number, max: number] => {
  const max = required(params.number('MaxCount'), 'MaxCount');
  const min = required(params.number('MinCount'), 'MinCount');
  if (min < 1) throw invalidValue(`Value (${min}) for parameter minCount is invalid. Minimum value is 1`);
  if (max < min)
    throw invalidValue(`Value (${max}) for parameter maxCount is invalid. It is less than minCount (${min})`);
  if (max > 1 && params.has('PrivateIpAddress'))
    throw invalidCombination('A private address can be given to one instance only');
  return [min, max];
};

const launchNew = (world: World, params: Parameters): string => {
  const [min, max] = counts(params);
  checkTagSpecifications(params, taggable);
  const spec = readLaunchSpec(world, readParameters(withTemplate(world, params.form())));
  const clientToken = params.text('ClientToken');
  const count = grant(world, spec, min, max);
  return launch(world, { spec, count, ...(clientToken !== undefined && { clientToken }) }).id;
};

export const runInstances: Action = {
  parameters: runInstancesParameters,
  answer: (world, params) => {
    const isKnown = (id: string): boolean => world.reservations.has(id);
    const id = once(world, params, longestToken, () => launchNew(world, params), isKnown);
    const reservation = required(world.reservations.get(id), 'reservation');
    const instances = reservation.instanceIds.flatMap((one) => world.instances.get(one) ?? []);
    const views = instances.map((instance) => viewOf(world, instance));
    if (views.length > 0 && views.every(({ state }) => state === 'terminated'))
      throw new ServiceError(
        'IdempotentInstanceTerminated',
        'The client token you have provided is associated with an instance that has been terminated.',
      );
    return reservationXml(world, views, reservation);
  },
};
