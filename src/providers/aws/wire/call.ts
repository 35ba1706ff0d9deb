import type { AwsExchange } from '../../../application/ports/recording.ts';
import type { Logger, Observe } from '../../../application/ports/telemetry.ts';
import { isPluginError, messageOf, type PluginError } from '../../../domain/errors.ts';
import { isDefect, toPluginError } from './fault.ts';
import { pause } from './pause.ts';

export interface RetryPolicy {
  /** Retries after the first try. */
  readonly retries: number;
  /** Milliseconds, times the number of the try, added before each retry. */
  readonly interval: number;
  /** Milliseconds that the pauses begin with, in place of the figures below. */
  readonly base?: number;
}

export interface CallContext {
  readonly log: Logger;
  /** Ends every call when the time of the whole invocation is used up. */
  readonly signal: AbortSignal;
  readonly random: () => number;
  /** Sees each try. */
  readonly observe?: Observe;
  /** Hears of each try of a call that names its request, once it is over. */
  readonly record?: ((exchange: AwsExchange) => void) | undefined;
}

/** The AWS SDK's figures for its standard mode: base by fault, doubled per try, at most 20 s, times a random share. */
const baseMs = new Map([
  ['provider.throttled', 1000],
  ['provider.transient', 50],
]);
const mostMs = 20_000;

/** A name server or an endpoint that is away for a moment, as the SDK sees it; a certificate is not. */
const mayConnect = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ProxyUnreachable',
]);

const backoff = (
  { code, aws }: PluginError,
  attempt: number,
  random: () => number,
  own: number | undefined,
): number | undefined => {
  const known = baseMs.get(mayConnect.has(aws?.code ?? '') ? 'provider.transient' : code);
  const base = known === undefined ? undefined : (own ?? known);
  return base === undefined ? undefined : random() * Math.min(mostMs, base * 2 ** attempt);
};

/** EC2 checks the client token first: a refusal of these kinds says that no earlier try did anything. */
const certain: ReadonlySet<string> = new Set([
  'provider.capacity',
  'provider.quota',
  'provider.misconfigured',
  'provider.missing',
]);

/** A try whose answer was lost may have done its work: only an answer about the same work takes that doubt away. */
const verdictOn = (error: PluginError, tries: readonly PluginError[]): PluginError =>
  certain.has(error.code) ? error : (tries.find(({ code }) => code === 'provider.transient') ?? error);

const unobserved: Observe = (_span, work) => work();

/** A defect of this program stays what it is. */
const faultOf = (action: string, cause: unknown): unknown =>
  isPluginError(cause) || isDefect(cause) ? cause : toPluginError(action, cause);

const errorOf = (error: unknown): NonNullable<AwsExchange['error']> =>
  isPluginError(error)
    ? { code: error.code, aws: error.aws?.code, message: messageOf(error) }
    : { code: 'internal', message: messageOf(error) };

/** A try that is reported. */
const recorded = async <T>(
  { record }: CallContext,
  action: string,
  input: object | undefined,
  work: () => Promise<T>,
): Promise<T> => {
  if (record === undefined || input === undefined) return work();
  const at = Date.now();
  const recordCall = (outcome: Pick<AwsExchange, 'answer' | 'error'>): void =>
    record({ action, at, ms: Date.now() - at, input, ...outcome });
  try {
    const answer = await work();
    recordCall({ answer });
    return answer;
  } catch (error) {
    recordCall({ error: errorOf(error) });
    throw error;
  }
};

/**
 * Sends one AWS call, again where that may help: only throttled and transient faults, by our own table of codes (the SDK
 * would also retry a capacity error that came as HTTP 500), and never past the end of the invocation's time. `input`: what it asks, where
 * that may be recorded.
 */
export const callAws = async <T>(
  context: CallContext,
  { retries, interval, base }: RetryPolicy,
  action: string,
  send: (signal: AbortSignal) => Promise<T>,
  input?: object,
): Promise<T> => {
  const { log, signal, random, observe = unobserved } = context;
  const faults: PluginError[] = [];
  for (let attempt = 0; ; attempt++) {
    // `performance` would take Node a millisecond to make.
    const started = process.uptime();
    const timing = () => ({ ms: Math.round((process.uptime() - started) * 1000), attempt: attempt + 1 });
    try {
      const answer = await observe({ kind: 'aws', name: action, attributes: { attempt: attempt + 1 } }, () =>
        recorded(context, action, input, () =>
          send(signal).catch((cause: unknown) => {
            throw faultOf(action, cause);
          }),
        ),
      );
      log.debug('aws.call', action, timing());
      return answer;
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      faults.push(cause);
      log.warn('aws.fault', messageOf(cause), { ...cause.aws, ...timing() });
      const shortest = backoff(cause, attempt, random, base);
      if (shortest === undefined || attempt >= retries || signal.aborted) throw verdictOn(cause, faults);
      await pause(shortest + interval * (attempt + 1), signal).catch(() => {
        throw verdictOn(cause, faults);
      });
    }
  }
};
