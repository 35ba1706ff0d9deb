import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ApplicationService } from '../application/bus/application-service.ts';
import { PluginError } from '../domain/errors.ts';
import { isPosition, streamEvents } from './event-stream.ts';
import { guardHeaders } from './http.ts';
import { HttpError } from './problems.ts';
import type { Caller } from './tokens.ts';

/** What the page needs beside the routes of REST. */
export interface PageContext {
  readonly version: string;
  readonly readOnly: boolean;
  /** Whether callers need a token. */
  readonly hasTokens: boolean;
  readonly served: () => { readonly about: string; readonly service: ApplicationService };
  readonly isReady: () => boolean;
  readonly admit: (request: FastifyRequest) => Promise<Caller>;
}

/** Nothing from elsewhere, nothing inline. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** More than anybody's screens: each stream looks at the store once a second. */
const mostStreams = 50;

/** The page for people, who it is shown to, and the events that keep it up to date. */
export const addPage = async (app: FastifyInstance, context: PageContext): Promise<void> => {
  const { version, readOnly, hasTokens, served, isReady, admit } = context;
  const { pageFiles } = await import('./page-files.ts');
  for (const [path, { type, text }] of Object.entries(pageFiles)) {
    app.get(path, async (_request, reply) =>
      reply
        .headers({ ...guardHeaders, 'content-security-policy': pagePolicy, 'cache-control': 'no-cache' })
        .type(type)
        .send(text),
    );
  }
  app.get('/session', async (request) => {
    const { role, user } = await admit(request);
    return { about: served().about, version, role, readOnly, hasTokens, ...(user === undefined ? {} : { user }) };
  });
  let streams = 0;
  app.get('/events/stream', async (request, reply) => {
    await admit(request);
    const { 'last-event-id': last = String(Date.now()) } = request.headers;
    if (typeof last !== 'string' || !isPosition(last))
      throw new PluginError('input.invalid', 'Last-Event-ID is not the id of an event');
    if (streams >= mostStreams)
      throw new HttpError(503, 'rest.busy', `${mostStreams} others follow the events already`);
    streams += 1;
    const headers = { ...guardHeaders, 'content-type': 'text/event-stream', 'cache-control': 'no-store' };
    reply.hijack();
    reply.raw.writeHead(200, { ...headers, 'x-correlation-id': request.id });
    try {
      await streamEvents(reply.raw, { service: () => served().service, isReady, correlationId: request.id }, last);
    } finally {
      streams -= 1;
    }
    return reply;
  });
};
