import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PluginError } from '../../../../../src/domain/errors.ts';
import { callAws, type RetryPolicy } from '../../../../../src/providers/aws/wire/call.ts';
import { createRecordingLog } from '../../../recording-log.ts';

const named = (name: string): Error => Object.assign(new Error('text'), { name, $fault: 'client' });

/** Sends a call that fails with these errors, one per try, and then answers. Pauses are of no length. */
const send = async (
  errors: readonly Error[],
  policy: Partial<RetryPolicy> = {},
  signal = new AbortController().signal,
) => {
  const log = createRecordingLog();
  const left = [...errors];
  const tries = { made: 0 };
  const answer = callAws({ log, signal, random: () => 0 }, { retries: 2, interval: 0, ...policy }, 'DoIt', async () => {
    tries.made++;
    const error = left.shift();
    if (error !== undefined) throw error;
    return 'done';
  });
  const outcome = await answer.catch((error: unknown) => error);
  return { outcome, tries: tries.made, log };
};

describe('a call', () => {
  it('that works is sent once', async () => expect(await send([])).toMatchObject({ outcome: 'done', tries: 1 }));

  it.each(['RequestLimitExceeded', 'InternalError', 'TimeoutError', 'ECONNRESET'])(
    'that failed with %s is sent again',
    async (name) => expect(await send([named(name), named(name)])).toMatchObject({ outcome: 'done', tries: 3 }),
  );

  it.each(['InsufficientInstanceCapacity', 'VcpuLimitExceeded', 'UnauthorizedOperation', 'InvalidAMIID.NotFound'])(
    'that failed with %s is not sent again',
    async (name) =>
      expect(await send([named(name)])).toMatchObject({
        outcome: { name: 'PluginError', aws: { code: name } },
        tries: 1,
      }),
  );

  it.each(['EAI_AGAIN', 'ENOTFOUND', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ProxyUnreachable'])(
    'that found no way to AWS (%s) is sent again, as the SDK does',
    async (code) => {
      const error = Object.assign(new Error('connect'), { code });
      expect(await send([error])).toMatchObject({ outcome: 'done', tries: 2 });
      expect(await send([error, error, error])).toMatchObject({ outcome: { code: 'provider.unreachable' }, tries: 3 });
    },
  );

  it.each(['CERT_NOT_YET_VALID', 'SELF_SIGNED_CERT_IN_CHAIN'])(
    'that met a wrong certificate (%s) is not',
    async (code) => {
      const error = Object.assign(new Error('certificate'), { code });
      expect(await send([error])).toMatchObject({ outcome: { code: 'provider.unreachable' }, tries: 1 });
    },
  );

  it('that this program cannot make is no fault of AWS’s and not sent again', async () => {
    const defect = new TypeError('undefined is not a function');
    const { outcome, tries, log } = await send([defect]);
    expect([outcome, tries, log.lines]).toEqual([defect, 1, []]);
  });

  it.each([0, 1, 3])('is sent again at most %i times', async (retries) => {
    const { outcome, tries } = await send(
      Array.from({ length: 9 }, () => named('Unavailable')),
      { retries },
    );
    expect([outcome, tries]).toEqual([expect.objectContaining({ code: 'provider.transient' }), retries + 1]);
  });

  it.each([
    ['RequestExpired', 'provider.transient'],
    ['MissingAuthenticationToken', 'provider.transient'],
    ['IncompleteSignatureException', 'provider.transient'],
    ['RequestTimeTooSkewed', 'provider.transient'],
    ['CustomerKeyHasBeenRevoked', 'provider.transient'],
    ['ENOTFOUND', 'provider.transient'],
    ['RequestLimitExceeded', 'provider.transient'],
    ['InsufficientInstanceCapacity', 'provider.capacity'],
    ['VcpuLimitExceeded', 'provider.quota'],
    ['InvalidAMIID.NotFound', 'provider.misconfigured'],
  ])('whose answer was lost, and that then failed with %s, is %s', async (name, code) =>
    expect(await send([named('ECONNRESET'), named(name)], { retries: 1 })).toMatchObject({
      outcome: { code },
      tries: 2,
    }),
  );

  it('is not sent again when the time of the whole call is used up', async () => {
    const { outcome, tries } = await send([named('Unavailable')], {}, AbortSignal.abort());
    expect([outcome, tries]).toEqual([expect.objectContaining({ code: 'provider.transient' }), 1]);
  });

  it('ends its pause when the time of the whole call is used up, with the fault that led to it', async () => {
    const stop = new AbortController();
    const log = createRecordingLog();
    const call = callAws(
      { log, signal: stop.signal, random: () => 1 },
      { retries: 1, interval: 3_600_000 },
      'DoIt',
      async () => {
        setImmediate(() => stop.abort());
        throw named('RequestLimitExceeded');
      },
    );
    await expect(call).rejects.toMatchObject({ code: 'provider.throttled' });
  });

  it('pauses up to twice as long before each further try, within a bound', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const context = { log: createRecordingLog(), signal: new AbortController().signal, random: () => 1 };
    const tries: number[] = [];
    const call = callAws(context, { retries: 6, interval: 0 }, 'DoIt', async () => {
      tries.push(Date.now());
      throw named('RequestLimitExceeded');
    });
    const failed = expect(call).rejects.toMatchObject({ code: 'provider.throttled' });
    await vi.runAllTimersAsync();
    await failed;
    const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 20_000]);
  });

  it('passes the signal on to the one that sends it', async () => {
    const { signal } = new AbortController();
    const log = createRecordingLog();
    const policy = { retries: 0, interval: 0 };
    expect(await callAws({ log, signal, random: () => 0 }, policy, 'DoIt', async (given) => given)).toBe(signal);
  });

  it('passes on an error that is ours already', async () => {
    const error = new PluginError('provider.denied', 'no');
    expect((await send([error])).outcome).toBe(error);
  });

  it('is told in the log: each fault with AWS’s code and the number of the try', async () => {
    const { log } = await send([named('Unavailable')]);
    expect(log.lines).toMatchObject([
      { level: 'warn', code: 'aws.fault', fields: { code: 'Unavailable', action: 'DoIt', attempt: 1 } },
      { level: 'debug', code: 'aws.call', text: 'DoIt', fields: { attempt: 2 } },
    ]);
  });
});
