import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Span } from '../../../src/application/ports/telemetry.ts';
import { PluginError } from '../../../src/domain/errors.ts';
import { createObserver } from '../../../src/telemetry/observer.ts';

const failWith = async (span: Span, error: unknown) => {
  const observer = createObserver();
  await observer.observe(span, () => Promise.reject(error)).catch(() => undefined);
  return observer.take();
};
const call = { kind: 'aws', name: 'RunInstances' } as const;
const noCredentials = { aws: { code: 'CredentialsProviderError', action: 'RunInstances' } };

describe('calls to AWS', () => {
  it('are counted when they were sent, whatever came of them', async () => {
    const observer = createObserver();
    await observer.observe(call, async () => 'done');
    expect(observer.take()).toEqual({ 'aws_calls{action="RunInstances"}': 1 });
    expect(await failWith(call, new PluginError('provider.throttled', 'slow down'))).toEqual({
      'aws_calls{action="RunInstances"}': 1,
      'aws_errors{action="RunInstances",code="provider.throttled"}': 1,
      'aws_throttles{action="RunInstances"}': 1,
    });
  });

  it.each([
    new PluginError('configuration.invalid', 'AWS_CREDENTIAL_FILE holds no credentials'),
    new PluginError('provider.denied', 'no credentials', noCredentials),
  ])('are not counted when nothing could be sent: %s', async (error) =>
    expect(await failWith(call, error)).toEqual({}),
  );
});

describe('the last call', () => {
  afterEach(() => vi.useRealTimers());

  it('is told by the entry point it came through: a script by its name, REST as one', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_767_225_600_500 });
    const observer = createObserver();
    for (const name of ['getReturnRequests', 'hf-aws', 'GET /requests', 'POST /requests'])
      await observer.observe({ kind: 'entry', name }, async () => undefined);
    expect(observer.take()).toEqual({
      'last_call_timestamp_seconds{entry="getReturnRequests"}': 1_767_225_600,
      'last_call_timestamp_seconds{entry="hf-aws"}': 1_767_225_600,
      'last_call_timestamp_seconds{entry="REST"}': 1_767_225_600,
    });
  });
});
