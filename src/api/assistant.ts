import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Role } from '../application/bus/origin.ts';
import { PluginError } from '../domain/errors.ts';
import { refuseForeignPage } from './http.ts';
import { HttpError } from './problems.ts';
import type { Caller } from './tokens.ts';

/** One call of an assistant by the Model Context Protocol. */
export interface AssistantCall {
  readonly user: { readonly role: Role; readonly name?: string | undefined; readonly mayChange: boolean };
  readonly correlationId: string;
  readonly call: { readonly url: string; readonly headers: FastifyRequest['headers']; readonly body: unknown };
}

interface AssistantRoutes {
  readonly mayChange: boolean;
  readonly admit: (request: FastifyRequest) => Promise<Caller>;
  readonly answer: (asked: AssistantCall) => Promise<Response>;
}

/** The protocol's HTTP form without sessions or streams: each call is one POST with the caller's token. */
export const addAssistant = (app: FastifyInstance, { mayChange, admit, answer }: AssistantRoutes): void => {
  app.post('/mcp', {
    onRequest: async (request) => {
      refuseForeignPage(request);
      await admit(request);
    },
    handler: async (request, reply) => {
      const { url, headers, body, id: correlationId } = request;
      // Each call counts once.
      if (Array.isArray(body)) throw new PluginError('input.invalid', 'one message at a time, no list of them');
      const { role, user: name } = await admit(request);
      const response = await answer({
        user: { role, name, mayChange },
        correlationId,
        call: { url, headers, body: body ?? undefined },
      });
      const text = await response.text();
      return reply.code(response.status).headers(Object.fromEntries(response.headers)).send(text);
    },
  });
  app.route({
    method: ['GET', 'DELETE'],
    url: '/mcp',
    handler: async (_request, reply) => {
      reply.header('allow', 'POST');
      throw new HttpError(405, 'rest.not-found', 'assistants ask by POST; there is no stream and no session');
    },
  });
};
