import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { messageOf } from '../../../domain/errors.ts';
import type { ClientConfig } from './client-config.ts';
import type { Message, Received } from './exchange.ts';
import { mostBody } from './http-answer.ts';
import { timeoutError } from './over-socket.ts';
import { nodesCertificates } from './trust.ts';

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

const tooLong = (): Error =>
  Object.assign(new Error(`the answer is longer than ${mostBody} characters`), { name: 'UnexpectedAnswer' });

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
        if (length > mostBody) response.destroy(tooLong());
      })
      .on('error', reject)
      .on('end', () => {
        const about = { status, contentType, requestId: requestId?.toString(), errorType: errorType?.toString(), date };
        resolve({ ...about, at, text: chunks.join(''), isFromProxy });
      });
  });

/** Through a proxy, only the proxy is looked up and connected to: what fails so never reached AWS. */
const ofProxy = (error: NodeJS.ErrnoException): Error => {
  const { syscall = '', message, code } = error;
  if (!(error instanceof AggregateError) && !/^(getaddrinfo|connect)$/.test(syscall)) return error;
  const text = `the proxy cannot be reached (${message || code}): check AWS_PROXY_HOST and AWS_PROXY_PORT`;
  return Object.assign(new Error(text, { cause: error }), { name: 'ProxyUnreachable' });
};

/** By way of a proxy, which Node's own client speaks to. */
export const overAgent = async (
  client: ClientConfig,
  agent: Agent,
  url: URL,
  { headers, body }: Message,
  signal: AbortSignal,
): Promise<Received> => {
  const isSecure = url.protocol === 'https:';
  const { request } = await (isSecure ? import('node:https') : import('node:http'));
  const options = { method: 'POST', headers, agent, ...(await nodesCertificates()) };
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) =>
      receive(response, isSecure, client.clock.local()).then(resolve, reject),
    );
    sent.on('error', (error) => reject(ofProxy(error)));
    limitTime(sent, client, signal);
    sent.end(body);
  });
};
