import { hasCode, messageOf } from '../domain/errors.ts';
import {
  fillingResources,
  type KnownRequest,
  missingUnits,
  type PreparedLaunch,
  type Refusal,
  type RequestCommand,
  unitsOfAll,
  unresolvedLaunches,
} from '../domain/request.ts';
import type { CapacityProvider, Clock, Logger } from './ports.ts';

export interface LaunchPorts {
  readonly clock: Clock;
  readonly log: Logger;
}

/** What to record of a launch call, and whether another pool is worth a try. */
export interface LaunchOutcome {
  readonly record: Extract<RequestCommand, { type: 'RecordLaunch' }>;
  readonly missing: number;
  readonly tryNextPool: boolean;
}

/**
 * Sends a prepared launch. `undefined`: nobody knows what became of it; the intent stays open on the stream and the next look
 * at the request finds out.
 */
export const sendLaunch = async (
  { clock, log }: LaunchPorts,
  provider: CapacityProvider,
  launch: PreparedLaunch,
): Promise<LaunchOutcome | undefined> => {
  try {
    const { machines, resource, refusal, tryNextPool } = await provider.launch(launch);
    const missing = refusal?.missing ?? 0;
    return {
      record: {
        type: 'RecordLaunch',
        now: clock(),
        clientToken: launch.clientToken,
        granted: machines,
        ...(resource === undefined ? {} : { resource }),
        ...(refusal === undefined ? {} : { refusal }),
      },
      missing,
      tryNextPool,
    };
  } catch (error) {
    if (!hasCode(error, 'provider.throttled', 'provider.transient')) throw error;
    log.warn('launch.unknown', messageOf(error), { clientToken: launch.clientToken, aws: error.aws });
    return undefined;
  }
};

const refusalText = ({ code, pool, message }: Refusal): string =>
  `Error Code: ${code} (${pool})${message === '' ? '' : `: ${message}`}`;

const countText = (request: KnownRequest): string => {
  const { wanted, machines } = request;
  const units = unitsOfAll(request, [...machines.values()]);
  if (units === machines.size) return `${machines.size} of ${wanted} machines granted.`;
  return `${units} of ${wanted} units granted on ${machines.size} machines.`;
};

/** What was asked and granted, and why there is less: the one sentence Host Factory's log shows the administrator. */
export const requestMessage = (request: KnownRequest): string => {
  const counts = countText(request);
  if (unresolvedLaunches(request).length > 0) {
    return `${counts} AWS has not confirmed the launch yet; it will be looked up.`;
  }
  const filling = fillingResources(request).map(({ kind, id }) => `${kind} ${id} is looking for the rest.`);
  const reasons = [...new Set(request.refusals.map(refusalText))];
  return missingUnits(request) === 0 ? counts : [counts, ...filling, ...reasons].join(' ');
};
