import { hasCode, messageOf } from '../domain/errors.ts';
import type { KnownRequest, PreparedLaunch, Refusal, RequestCommand } from '../domain/request.ts';
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
    const { machines, refusal, tryNextPool } = await provider.launch(launch);
    const missing = launch.count - machines.length;
    return {
      record: {
        type: 'RecordLaunch',
        now: clock(),
        clientToken: launch.clientToken,
        granted: machines,
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

/** What was asked and granted, and why there is less: the one sentence Host Factory's log shows the administrator. */
export const requestMessage = ({ wanted, machines, refusals, launches }: KnownRequest): string => {
  const granted = machines.size;
  const unknown = launches.some(({ resolved }) => !resolved);
  const reasons = [...new Set(refusals.map(refusalText))];
  const counts = `${granted} of ${wanted} machines granted.`;
  if (unknown) return `${counts} AWS has not confirmed the launch yet; it will be looked up.`;
  return granted >= wanted ? counts : [counts, ...reasons].join(' ');
};
