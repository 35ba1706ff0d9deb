import { describe, expect, it } from 'vitest';
import { awsCodeOf, faultKind, toPluginError } from '../../../../../src/providers/aws/wire/fault.ts';

interface Shape {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly cause?: unknown;
  readonly $fault?: 'client' | 'server';
  readonly status?: number;
  readonly requestId?: string;
}

/** An error as the SDK throws it: EC2's code is its name. */
const sdkError = ({ name, code, message = 'text', cause, $fault, status, requestId }: Shape): Error =>
  Object.assign(new Error(message, cause === undefined ? undefined : { cause }), {
    ...(name === undefined ? {} : { name }),
    ...(code === undefined ? {} : { code }),
    ...($fault === undefined ? {} : { $fault }),
    ...(status === undefined && requestId === undefined ? {} : { $metadata: { httpStatusCode: status, requestId } }),
  });

describe('the kind of a fault', () => {
  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])(
    '%s of the connection is provider.transient: EC2 may have acted',
    (code) => expect(faultKind(sdkError({ code }))).toBe('provider.transient'),
  );

  it.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'CERT_HAS_EXPIRED',
    'EPROTO',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'SELF_SIGNED_CERT_IN_CHAIN',
  ])('%s of the connection is provider.unreachable: EC2 never heard of it', (code) =>
    expect(faultKind(sdkError({ code }))).toBe('provider.unreachable'),
  );

  it.each([
    [
      'a capacity code counts under HTTP 500',
      { name: 'InsufficientInstanceCapacity', $fault: 'server', status: 500 },
      'provider.capacity',
    ],
    [
      'a capacity code counts under HTTP 400',
      { name: 'InsufficientInstanceCapacity', $fault: 'client', status: 400 },
      'provider.capacity',
    ],
    [
      'a throttle counts under HTTP 503',
      { name: 'RequestLimitExceeded', $fault: 'server', status: 503 },
      'provider.throttled',
    ],
    [
      'an unknown code under HTTP 429 is a throttle',
      { name: 'New', $fault: 'client', status: 429 },
      'provider.throttled',
    ],
    ['an unknown code under HTTP 500 passes', { name: 'New', $fault: 'server', status: 500 }, 'provider.transient'],
    ['an unknown code under HTTP 502 passes', { name: 'New', $fault: 'client', status: 502 }, 'provider.transient'],
    ['an unknown code of the server’s fault passes', { name: 'New', $fault: 'server' }, 'provider.transient'],
    ['an unknown code of the client’s fault stays', { name: 'New', $fault: 'client' }, 'provider.misconfigured'],
    ['an unknown code under HTTP 404 stays', { name: 'New', status: 404 }, 'provider.misconfigured'],
    ['an answer nobody can read leaves the outcome open', { name: 'SyntaxError', status: 200 }, 'provider.transient'],
    ['a connection that broke otherwise leaves the outcome open', { message: 'socket hang up' }, 'provider.transient'],
  ] as const)('%s', (_, shape, kind) => expect(faultKind(sdkError(shape))).toBe(kind));

  it.each(['text', undefined, null, 3, {}])('of %j, which is no error, leaves the outcome open', (thrown) =>
    expect(faultKind(thrown)).toBe('provider.transient'),
  );

  it('may hide one or two levels down', () => {
    const inner = sdkError({ code: 'ECONNREFUSED' });
    expect(faultKind(sdkError({ cause: inner }))).toBe('provider.unreachable');
    expect(faultKind(sdkError({ name: 'TypeError', cause: inner }))).toBe('provider.unreachable');
    expect(faultKind(sdkError({ cause: sdkError({ cause: inner }) }))).toBe('provider.unreachable');
  });

  it('of several connection tries is that of the whole', () => {
    const tries = Object.assign(new AggregateError([sdkError({ code: 'ECONNREFUSED' })]), { code: 'ECONNREFUSED' });
    expect(faultKind(tries)).toBe('provider.unreachable');
  });
});

describe('AWS’s code', () => {
  it.each<[Shape, string]>([
    [{ name: 'InvalidAMIID.NotFound' }, 'InvalidAMIID.NotFound'],
    [{ name: 'TimeoutError', code: 'ETIMEDOUT' }, 'ETIMEDOUT'],
    [{ name: 'TimeoutError' }, 'TimeoutError'],
    [{ code: 'ECONNRESET' }, 'ECONNRESET'],
    [{ cause: sdkError({ code: 'EPIPE' }) }, 'EPIPE'],
    [{}, 'Error'],
  ])('of %j is %s', (shape, code) => expect(awsCodeOf(sdkError(shape))).toBe(code));
});

describe('our error', () => {
  it('keeps AWS’s code, action and request id, and the cause', () => {
    const cause = sdkError({ name: 'VcpuLimitExceeded', message: 'You have 0.', status: 400, requestId: 'a1-b2' });
    expect(toPluginError('RunInstances', cause)).toMatchObject({
      name: 'PluginError',
      code: 'provider.quota',
      message: 'RunInstances failed. Error Code: VcpuLimitExceeded: You have 0.',
      aws: { code: 'VcpuLimitExceeded', action: 'RunInstances', awsRequestId: 'a1-b2' },
      cause,
    });
  });

  it('leaves out the blob that only AWS can read', () => {
    const message = 'You are not authorized. Encoded authorization failure message: AbCdEf\nGhIj';
    expect(toPluginError('RunInstances', sdkError({ name: 'UnauthorizedOperation', message })).message).toBe(
      'RunInstances failed. Error Code: UnauthorizedOperation: You are not authorized.',
    );
  });

  it.each([
    [{ name: 'RequestExpired' }, 'clock'],
    [{ name: 'SignatureDoesNotMatch' }, 'clock'],
    [{ name: 'CredentialsProviderError' }, 'AWS_CREDENTIAL_FILE'],
    [{ code: 'ECONNREFUSED' }, 'AWS_ENDPOINT_URL'],
    [{ code: 'ENOTFOUND' }, 'AWS_REGION'],
  ])('of %j says what to look at', (shape, hint) =>
    expect(toPluginError('RunInstances', sdkError(shape)).message).toContain(hint),
  );
});
