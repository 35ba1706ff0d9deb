import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '../../application/ports.ts';
import { isPluginError, messageOf, type PluginError } from '../../domain/errors.ts';
import { toPluginError } from './fault.ts';

export interface RetryPolicy {
  /** Retries after the first try. */
  readonly retries: number;
  /** Milliseconds, times the number of the try, added before each retry. */
  readonly interval: number;
}

export interface CallContext {
  readonly log: Logger;
  /** Ends every call when the time of the whole invocation is used up. */
  readonly signal: AbortSignal;
  readonly random: () => number;
}

/** The AWS SDK's figures for its standard mode: base by fault, doubled per try, at most 20 s, times a random share. */
const baseMs = { 'provider.throttled': 1000, 'provider.transient': 50 } as const;
const mostMs = 20_000;

const backoff = ({ code }: PluginError, attempt: number, random: () => number): number | undefined => {
  if (code !== 'provider.throttled' && code !== 'provider.transient') return undefined;
  return random() * Math.min(mostMs, baseMs[code] * 2 ** attempt);
};

/**
 * Sends one AWS call, again where that may help: only throttled and transient faults, by our own table of codes (the SDK
 * would also retry a capacity error that came as HTTP 500), and never past the end of the invocation's time.
 */
export const callAws = async <T>(
  { log, signal, random }: CallContext,
  { retries, interval }: RetryPolicy,
  action: string,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  for (let attempt = 0; ; attempt++) {
    const started = performance.now();
    try {
      const answer = await send(signal);
      log.debug('aws.call', action, { ms: Math.round(performance.now() - started), attempt: attempt + 1 });
      return answer;
    } catch (cause) {
      const error = isPluginError(cause) ? cause : toPluginError(action, cause);
      const pause = backoff(error, attempt, random);
      log.warn('aws.fault', messageOf(error), {
        ...error.aws,
        attempt: attempt + 1,
        ms: Math.round(performance.now() - started),
      });
      if (pause === undefined || attempt >= retries || signal.aborted) throw error;
      await wait(pause + interval * (attempt + 1), undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
};
