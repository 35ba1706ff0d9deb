import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { docsStyle } from './openapi.ts';
import { HttpError, parserProblem } from './problems.ts';

const styleHash = createHash('sha256').update(docsStyle).digest('base64');

/** On every answer: a browser shows it nowhere else, runs nothing of it and guesses nothing about it. */
export const guardHeaders = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

const hostIn = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);

/**
 * A page of somebody else's can make a browser of this machine send a command here. Browsers tell where it comes from by
 * `Sec-Fetch-Site`, older ones by `Origin` alone; other programs send neither.
 */
export const refuseForeignPage = ({ headers }: FastifyRequest): void => {
  const { origin, host, 'sec-fetch-site': site } = headers;
  const isOwn =
    site === undefined
      ? origin === undefined || hostIn(origin) === host?.toLowerCase()
      : site === 'same-origin' || site === 'none';
  if (!isOwn) throw new HttpError(403, 'rest.forbidden', 'no command is taken from a page of another origin');
};

/** What Node's parser refuses, or what does not come in time, never becomes a request. */
export const answerParserError = (error: Error & { readonly code: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = parserProblem(error);
  const body = JSON.stringify(problem);
  const headers = {
    ...guardHeaders,
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n`;
  socket.end(`${status}${head.join('')}\r\n${body}`, () => socket.destroy());
};
