import type { Socket } from 'node:net';
import { messageOf } from '../../../domain/errors.ts';
import type { ClientConfig } from './client-config.ts';
import { connectionTo, park } from './connections.ts';
import type { Message, Received } from './exchange.ts';
import { createAnswerReader, type HttpAnswer } from './http-answer.ts';

export const timeoutError = (what: string, ms: number): Error =>
  Object.assign(new Error(`${what} took longer than ${ms} ms`), { name: 'TimeoutError' });

/** Destroys what is under way when it takes too long or the call is over; what was to be done is then unknown. */
const limitTime = (
  { connectionTimeoutMs, requestTimeoutMs }: ClientConfig,
  signal: AbortSignal,
): { readonly hold: (socket: Socket) => Socket; readonly connected: () => void; readonly over: () => void } => {
  let current: Socket | undefined;
  let ended: Error | undefined;
  const end = (error: Error): void => {
    ended ??= error;
    current?.destroy(ended);
  };
  const abort = (): void => end(Object.assign(new Error(messageOf(signal.reason)), { name: 'AbortError' }));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  const whole = setTimeout(() => end(timeoutError('the answer', requestTimeoutMs)), requestTimeoutMs);
  const connecting = setTimeout(() => end(timeoutError('the connection', connectionTimeoutMs)), connectionTimeoutMs);
  return {
    hold: (socket) => {
      current = socket;
      return ended === undefined ? socket : socket.destroy(ended);
    },
    connected: () => clearTimeout(connecting),
    over: () => {
      clearTimeout(whole);
      clearTimeout(connecting);
      signal.removeEventListener('abort', abort);
    },
  };
};

/** The request as it goes out. Throws a `TypeError` for a field that would end the line before its time. */
const written = ({ pathname, search }: URL, { headers, body }: Message): Buffer => {
  const content = Buffer.from(body);
  const fields = Object.entries({ ...headers, 'content-length': String(content.length) });
  const unfit = fields.find(([, value]) => !/^[\t -~]*$/.test(value));
  if (unfit !== undefined) throw new TypeError(`the field ${unfit[0]} holds a character that HTTP does not take`);
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`POST ${pathname}${search} HTTP/1.1\r\n${lines}\r\n`), content]);
};

const reset = (why: string): Error => Object.assign(new Error(why), { code: 'ECONNRESET' });

/** One request and its answer. */
const converse = (
  socket: Socket,
  request: Buffer,
  now: () => number,
): Promise<{ readonly answer: HttpAnswer; readonly at: number }> =>
  new Promise((resolve, reject) => {
    const reader = createAnswerReader();
    let at: number | undefined;
    const stop = (): void => {
      socket.off('data', take).off('end', close).off('error', fail).off('close', close);
    };
    const fail = (error: Error): void => {
      stop();
      socket.destroy();
      reject(error);
    };
    const finish = (read: () => HttpAnswer | undefined): void => {
      try {
        const answer = read();
        if (answer === undefined) return;
        stop();
        resolve({ answer, at: at ?? now() });
      } catch (error) {
        fail(error instanceof Error ? error : new Error(messageOf(error)));
      }
    };
    const take = (bytes: Buffer): void => {
      at ??= now();
      finish(() => reader.take(bytes));
    };
    const close = (): void => {
      finish(reader.end);
      fail(reset(at === undefined ? 'the connection was closed before an answer' : 'the answer broke off'));
    };
    socket.on('data', take).on('end', close).on('error', fail).on('close', close);
    // Whatever ended it has not been reported yet.
    if (socket.destroyed) fail(socket.errored ?? reset('the connection was closed'));
    else socket.write(request);
  });

/**
 * Straight to the server, over a connection that is kept for the next call. HTTP/1.1 as AWS's services speak it, by a tenth of the
 * code that Node's own client loads.
 */
export const overSocket = async (
  client: ClientConfig,
  url: URL,
  message: Message,
  signal: AbortSignal,
): Promise<Received> => {
  const request = written(url, message);
  const limits = limitTime(client, signal);
  try {
    const socket = await connectionTo(url, limits.hold);
    limits.connected();
    const { answer, at } = await converse(socket, request, client.clock.local);
    if (answer.keepsOpen) park(url.origin, socket);
    else socket.destroy();
    const { status, headers, body: text } = answer;
    return {
      status,
      contentType: headers.get('content-type'),
      requestId: headers.get('x-amzn-requestid') ?? headers.get('x-amzn-request-id'),
      errorType: headers.get('x-amzn-errortype'),
      date: headers.get('date'),
      text,
      at,
      isFromProxy: false,
    };
  } finally {
    limits.over();
  }
};
