import type { ClientRequest, IncomingMessage } from 'node:http';
import { messageOf } from '../../../domain/errors.ts';
import { agentFor, type ClientConfig } from './client-config.ts';
import { type AwsCredentials, areSame } from './credentials.ts';
import { endpointOf, signingRegion } from './endpoint.ts';
import type { Message, Received } from './exchange.ts';
import { sign } from './sign.ts';

const timeoutError = (what: string, ms: number): Error =>
  Object.assign(new Error(`${what} took longer than ${ms} ms`), { name: 'TimeoutError' });

/** Ends the request when it takes too long or the call is over; what was to be done is then unknown. */
const limitTime = (
  request: ClientRequest,
  { connectionTimeoutMs, requestTimeoutMs }: ClientConfig,
  signal: AbortSignal,
): void => {
  const abort = () => request.destroy(Object.assign(new Error(messageOf(signal.reason)), { name: 'AbortError' }));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  const end = (what: string, ms: number) => setTimeout(() => request.destroy(timeoutError(what, ms)), ms);
  const whole = end('the answer', requestTimeoutMs);
  const connecting = end('the connection', connectionTimeoutMs);
  const stop = () => clearTimeout(connecting);
  request.once('response', stop).once('close', () => {
    stop();
    clearTimeout(whole);
    signal.removeEventListener('abort', abort);
  });
  request.once('socket', (socket) => {
    if (request.reusedSocket) stop();
    // A proxy's agent has connected by now; an encrypted connection stands when it is secured.
    else if ('encrypted' in socket) socket.once('secureConnect', stop);
    else if (socket.connecting) socket.once('connect', stop);
    else stop();
  });
};

/** Characters: twice what a page of a thousand instances takes with all that they can have. */
const mostAnswer = 64 * 1024 * 1024;

const tooLong = (): Error =>
  Object.assign(new Error(`the answer is longer than ${mostAnswer} characters`), { name: 'UnexpectedAnswer' });

const receive = (response: IncomingMessage, isSecure: boolean, at: number): Promise<Received> =>
  new Promise((resolve, reject) => {
    const { statusCode: status = 0, headers, socket } = response;
    const { 'content-type': contentType, 'x-amzn-errortype': errorType, date } = headers;
    const requestId = headers['x-amzn-requestid'] ?? headers['x-amzn-request-id'];
    const isFromProxy = isSecure && !('encrypted' in socket);
    const chunks: string[] = [];
    let length = 0;
    response
      .setEncoding('utf8')
      .on('data', (chunk) => {
        chunks.push(String(chunk));
        length += String(chunk).length;
        if (length > mostAnswer) response.destroy(tooLong());
      })
      .on('error', reject)
      .on('end', () => {
        const about = { status, contentType, requestId: requestId?.toString(), errorType: errorType?.toString(), date };
        resolve({ ...about, at, text: chunks.join(''), isFromProxy });
      });
  });

/** The name of a service in its endpoints and signatures. */
export type ServiceName =
  | 'ec2'
  | 'autoscaling'
  | 'ssm'
  | 'sts'
  | 'servicequotas'
  | 'sqs'
  | 'events'
  | 'pricing'
  | 'dynamodb'
  | 'iam';

interface Signature {
  readonly credentials: AwsCredentials;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Through a proxy, only the proxy is looked up and connected to: what fails so never reached AWS. */
const ofProxy = (error: NodeJS.ErrnoException): Error => {
  const { syscall = '', message, code } = error;
  if (!(error instanceof AggregateError) && !/^(getaddrinfo|connect)$/.test(syscall)) return error;
  const text = `the proxy cannot be reached (${message || code}): check AWS_PROXY_HOST and AWS_PROXY_PORT`;
  return Object.assign(new Error(text, { cause: error }), { name: 'ProxyUnreachable' });
};

const overNetwork = async (
  client: ClientConfig,
  url: URL,
  { headers, body }: Message,
  signal: AbortSignal,
): Promise<Received> => {
  const { request } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'));
  const agent = agentFor(client, url);
  const options = { method: 'POST', headers, ...(agent === undefined ? {} : { agent }) };
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) =>
      receive(response, url.protocol === 'https:', client.clock.local()).then(resolve, reject),
    );
    sent.on('error', (error) => reject(agent === undefined ? error : ofProxy(error)));
    limitTime(sent, client, signal);
    sent.end(body);
  });
};

const post = async (
  service: ServiceName,
  client: ClientConfig,
  { headers, body }: Message,
  signal: AbortSignal,
  { credentials, at }: Signature,
): Promise<Received> => {
  const url = endpointOf(service, client);
  const scope = { service, region: signingRegion(service, client.region), date: new Date(at) };
  // Not signed: a proxy may change it.
  const signed = { ...sign({ url, headers, body }, scope, credentials), 'user-agent': 'hostfactory-aws' };
  const message = { headers: signed, body };
  return client.exchange?.(url, message, signal) ?? overNetwork(client, url, message, signal);
};

/** AWS refuses signatures that are five minutes off its own clock, ms; an answer may take some time to arrive. */
const mostSkew = 4 * 60_000;

/**
 * Codes by which EC2, the other query services and the JSON services refuse credentials. RequestExpired is also said of a wrong
 * clock, and AuthFailure of an image or group of somebody else, which better credentials do not change.
 */
const refusesCredentials =
  /["#>](AuthFailure|ExpiredToken|ExpiredTokenException|RequestExpired|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException)["<]/;

/** With what to sign again after a refusal; undefined where nothing would be different. */
const signatureAfter = async (
  { status, date, text }: Received,
  { credentials: signedWith, at }: Signature,
  { credentials }: ClientConfig,
): Promise<Signature | undefined> => {
  if (status < 400 || status >= 500) return undefined;
  const there = Date.parse(date ?? '');
  if (Math.abs(there - at) > mostSkew) return { credentials: signedWith, at: there };
  if (!refusesCredentials.test(text) || /AuthFailure<\/Code><Message>(?!AWS was not able)/.test(text)) return undefined;
  const fresh = await credentials(signedWith);
  return areSame(fresh, signedWith) ? undefined : { credentials: fresh, at };
};

/** AWS's id of a call is in a header, and in the document where a gateway takes headers away. */
export const hasRequestId = ({ requestId, text }: Received): boolean =>
  requestId !== undefined || /<requestId>/i.test(text.slice(0, 500)) || /<RequestId>/i.test(text.slice(-500));

/**
 * Posts to a service, signed; once more where AWS refuses the signature and a better one can be had: by AWS's own clock, as the
 * SDK does, or with credentials that were renewed meanwhile. What AWS refused so was not done. Throws the errors of Node's
 * connections, `TimeoutError` and `AbortError`, and what looking for credentials throws.
 */
export const postSigned = async (
  service: ServiceName,
  client: ClientConfig,
  message: Message,
  signal: AbortSignal,
): Promise<Received> => {
  const first: Signature = { credentials: await client.credentials(), at: client.clock.now() };
  const received = await post(service, client, message, signal, first);
  const again = await signatureAfter(received, first, client);
  const answer = again === undefined ? received : await post(service, client, message, signal, again);
  // A proxy's own page tells nothing of AWS's time; it has no request id of AWS's either.
  if (hasRequestId(answer)) client.clock.heard(answer.date, answer.at);
  return answer;
};
