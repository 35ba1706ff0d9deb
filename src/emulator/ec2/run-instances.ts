import { createHash } from 'node:crypto';
import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { Reservation, World } from '../world.ts';
import { type Action, required } from './action.ts';
import { grant } from './capacity.ts';
import { viewOf } from './instance-view.ts';
import { reservationXml } from './instance-xml.ts';
import { launch } from './launch.ts';
import { readLaunchSpec } from './launch-spec.ts';
import { runInstancesParameters } from './run-instances-parameters.ts';

// EC2 developer guide, "Ensuring idempotency".
const longestToken = 64;

const fingerprintOf = (params: Parameters): string => {
  const meaning = params.entries().filter(([name]) => name !== 'ClientToken' && name !== 'DryRun');
  const canonical = [...meaning].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex');
};

const counts = (params: Parameters): readonly [min: number, max: number] => {
  const max = required(params.integer('MaxCount'), 'MaxCount');
  const min = required(params.integer('MinCount'), 'MinCount');
  if (min < 1) throw invalidValue(`Value (${min}) for parameter minCount is invalid. Minimum value is 1`);
  if (max < min)
    throw invalidValue(`Value (${max}) for parameter maxCount is invalid. It is less than minCount (${min})`);
  if (max > 1 && params.has('PrivateIpAddress'))
    throw invalidCombination('A private address can be given to one instance only');
  return [min, max];
};

/** The launch made under the token before, if any; a token stands for one set of parameters only. */
const earlierLaunch = (world: World, token: string | undefined, fingerprint: string): Reservation | undefined => {
  if (token === undefined) return undefined;
  if (token.length > longestToken)
    throw invalidValue(`Value (${token}) for parameter clientToken is invalid. Maximum length is ${longestToken}`);
  const earlier = world.reservations.get(world.reservationOfToken.get(token) ?? '');
  if (earlier !== undefined && earlier.fingerprint !== fingerprint) {
    const message = 'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).';
    throw new ServiceError('IdempotentParameterMismatch', message);
  }
  return earlier;
};

const newLaunch = (world: World, params: Parameters, fingerprint: string): Reservation => {
  const [min, max] = counts(params);
  const spec = readLaunchSpec(world, params);
  const count = grant(world, spec, min, max);
  const clientToken = params.text('ClientToken');
  return launch(world, { spec, count, fingerprint, ...(clientToken !== undefined && { clientToken }) });
};

export const runInstances: Action = {
  parameters: runInstancesParameters,
  answer: (world, params) => {
    const fingerprint = fingerprintOf(params);
    const reservation =
      earlierLaunch(world, params.text('ClientToken'), fingerprint) ?? newLaunch(world, params, fingerprint);
    const instances = reservation.instanceIds.flatMap((id) => world.instances.get(id) ?? []);
    return reservationXml(
      world,
      instances.map((instance) => viewOf(world, instance)),
      reservation,
    );
  },
};
