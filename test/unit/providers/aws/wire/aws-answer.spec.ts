import { describe, expect, it } from 'vitest';
import { fieldOf, jsonAnswer, queryAnswer } from '../../../../../src/providers/aws/wire/aws-answer.ts';
import type { Received } from '../../../../../src/providers/aws/wire/exchange.ts';
import { toPluginError } from '../../../../../src/providers/aws/wire/fault.ts';

const received = (fields: Partial<Received>): Received => ({
  status: 200,
  contentType: 'application/x-amz-json-1.1',
  requestId: 'a1-b2',
  errorType: undefined,
  date: undefined,
  at: 0,
  isFromProxy: false,
  text: '',
  ...fields,
});
const valueIn = (fields: Partial<Received>): unknown =>
  jsonAnswer(received(fields), (body) => fieldOf(fieldOf(body, 'Parameter'), 'Value'));
const faultIn = (read: () => unknown) => {
  try {
    return read();
  } catch (error) {
    return toPluginError('Act', error);
  }
};

describe('an answer of a JSON service', () => {
  it('is what is looked for in it', () => expect(valueIn({ text: '{"Parameter":{"Value":"ami-1"}}' })).toBe('ami-1'));

  it.each<[Partial<Received>, string, string]>([
    [{ status: 400, text: '{"__type":"ParameterNotFound"}' }, 'provider.missing', 'ParameterNotFound'],
    [
      { status: 400, text: '{"__type":"com.amazonaws.ssm#ParameterNotFound"}' },
      'provider.missing',
      'ParameterNotFound',
    ],
    [
      { status: 400, text: '{"__type":"ThrottlingException:http://internal.amazon.com/coral/"}' },
      'provider.throttled',
      'ThrottlingException',
    ],
    [{ status: 400, text: '{"__type":"ns#AccessDeniedException:x#y"}' }, 'provider.denied', 'AccessDeniedException'],
    [
      { status: 400, errorType: 'AccessDeniedException:http://x', text: '{"message":"no"}' },
      'provider.denied',
      'AccessDeniedException',
    ],
    [{ status: 400, errorType: 'ThrottlingException', text: '' }, 'provider.throttled', 'ThrottlingException'],
    [{ status: 200, text: '{"__type":"InternalServerError"}' }, 'provider.transient', 'InternalServerError'],
    [{ status: 400, text: '{"__type":"SomethingNew"}' }, 'provider.misconfigured', 'SomethingNew'],
    [{ status: 500, text: '{"__type":"SomethingNew"}' }, 'provider.transient', 'SomethingNew'],
    [{ status: 200, text: '{}' }, 'provider.transient', 'UnexpectedAnswer'],
    [{ status: 200, text: '{"Parameter":{"Value":null}}' }, 'provider.transient', 'UnexpectedAnswer'],
    [{ status: 200, text: '[]' }, 'provider.transient', 'UnexpectedAnswer'],
    [{ status: 200, text: '' }, 'provider.transient', 'UnexpectedAnswer'],
    [{ status: 404, text: 'not here' }, 'provider.transient', 'UnexpectedAnswer'],
    [{ status: 407, contentType: 'text/html', text: '<p>log in</p>' }, 'provider.transient', 'UnexpectedAnswer'],
    [{ contentType: 'text/html', text: '{"Parameter":{"Value":"ami-1"}}' }, 'provider.transient', 'UnexpectedAnswer'],
    [{ contentType: undefined, text: '{"Parameter":{"Value":"ami-1"}}' }, 'provider.transient', 'UnexpectedAnswer'],
  ])('as of %j is %s', (fields, code, awsCode) =>
    expect(faultIn(() => valueIn(fields))).toMatchObject({ code, aws: { code: awsCode } }),
  );
});

describe('an answer of a query service', () => {
  const identity = (fields: Partial<Received>) => faultIn(() => queryAnswer('GetCallerIdentity', received(fields)));

  it('is the content of the element that bears the action’s name', () =>
    expect(identity({ text: '<GetCallerIdentityResponse><a>1</a></GetCallerIdentityResponse>' })).toEqual({ a: '1' }));

  it.each<[Partial<Received>, string]>([
    [
      { status: 403, text: '<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>' },
      'provider.denied',
    ],
    [{ text: '<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>' }, 'provider.denied'],
    [{ status: 403, text: '<ErrorResponse><Error/></ErrorResponse>' }, 'provider.transient'],
    [{ text: '<Arn>arn:aws:iam::1:user/x</Arn>' }, 'provider.transient'],
    [{ text: '<html><Arn>arn:aws:iam::1:user/x</Arn></html>' }, 'provider.transient'],
  ])('as of %j is a fault: %s', (fields, code) => expect(identity(fields)).toMatchObject({ code }));

  it('that came from the proxy, in place of a connection, was never asked of AWS', () =>
    expect(
      identity({ status: 407, isFromProxy: true, contentType: 'text/html', text: '<h1>Who are you?</h1>' }),
    ).toMatchObject({
      code: 'provider.unreachable',
      message:
        'Act failed. Error Code: ProxyRefused: the proxy does not let the call through (HTTP 407, text/html, "Who are you?"): check AWS_PROXY_HOST and what it needs',
    }));
});

it.each(['<', '<a', '<!--', 'token', 'key=', '<?xml ?>', '<Response>', '&#x1F680;', '?', ' '])(
  'an answer of a million times %j is judged at once',
  (part) => {
    const text = part.repeat(Math.ceil(1_000_000 / part.length));
    const started = process.cpuUsage().user;
    for (const prefix of ['', '<ActResponse>', '<Response><Errors><Error><Code>X</Code><Message>'])
      expect(faultIn(() => queryAnswer('Act', received({ text: prefix + text })))).toBeInstanceOf(Error);
    // Microseconds; what takes quadratic time takes minutes.
    expect(process.cpuUsage().user - started).toBeLessThan(20_000_000);
  },
);
