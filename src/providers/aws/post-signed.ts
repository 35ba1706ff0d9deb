import type { ClientRequest, IncomingMessage } from 'node:http';
import { messageOf } from '../../domain/errors.ts';
import type { ClientConfig } from './client-config.ts';
import { endpointOf } from './endpoint.ts';
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
  request.once('close', () => {
    clearTimeout(whole);
    signal.removeEventListener('abort', abort);
  });
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const connecting = end('the connection', connectionTimeoutMs);
    const done = () => clearTimeout(connecting);
    socket.once('connect', done).once('close', done);
  });
};

/** An answer, whatever it says. */
export interface Received {
  readonly status: number;
  /** AWS's id of the call. */
  readonly requestId: string | undefined;
  readonly text: string;
  /** When AWS answered, by its own clock. */
  readonly date: string | undefined;
}

const receive = (response: IncomingMessage): Promise<Received> =>
  new Promise((resolve, reject) => {
    const { statusCode: status = 0, headers } = response;
    const requestId = headers['x-amzn-requestid'] ?? headers['x-amzn-request-id'];
    const chunks: string[] = [];
    response
      .setEncoding('utf8')
      .on('data', (chunk) => chunks.push(String(chunk)))
      .on('error', reject)
      .on('end', () =>
        resolve({ status, requestId: requestId?.toString(), text: chunks.join(''), date: headers.date }),
      );
  });

/** The name of a service in its endpoints and signatures. */
export type ServiceName = 'ec2' | 'autoscaling' | 'ssm' | 'sts' | 'servicequotas';

export interface Message {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Posts to a service, signed. Throws the errors of Node's connections, `TimeoutError` and `AbortError`. */
export const postSigned = async (
  service: ServiceName,
  client: ClientConfig,
  { headers, body }: Message,
  signal: AbortSignal,
): Promise<Received> => {
  const url = endpointOf(service, client);
  const scope = { service, region: client.region, date: new Date() };
  const unsigned = { url, headers: { ...headers, 'user-agent': 'hostfactory-aws' }, body };
  const signed = sign(unsigned, scope, await client.credentials());
  const { request } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'));
  const agent = client.agents[url.protocol];
  const options = { method: 'POST', headers: signed, ...(agent === undefined ? {} : { agent }) };
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => receive(response).then(resolve, reject));
    sent.on('error', reject);
    limitTime(sent, client, signal);
    sent.end(body);
  });
};
