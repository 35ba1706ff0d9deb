import { setImmediate as nextTurn } from 'node:timers/promises';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Observe } from '../application/ports/telemetry.ts';
import { type AssistantContext, createAssistant } from './assistant.ts';

export interface HttpCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As parsed. */
  readonly body: unknown;
}

const headersOf = (given: HttpCall['headers']): Headers => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) if (typeof value === 'string') headers.set(name, value);
  return headers;
};

/** Answers one POST of the protocol's HTTP form. There are no sessions: each call tells who asks. */
export const answerHttp = async (context: AssistantContext, { url, headers, body }: HttpCall): Promise<Response> => {
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  const assistant = createAssistant(context);
  await assistant.connect(transport);
  const request = new Request(new URL(url, 'http://localhost'), { method: 'POST', headers: headersOf(headers) });
  return transport.handleRequest(request, { parsedBody: body });
};

/** Serves standard input and output until the client closes its end, or a signal comes; calls under way are finished first. */
export const serveStdio = async (context: AssistantContext): Promise<void> => {
  const underWay = new Set<Promise<unknown>>();
  const observe: Observe = (span, work) => {
    const done = context.observe(span, work);
    underWay.add(done);
    const forget = (): void => void underWay.delete(done);
    done.then(forget, forget);
    return done;
  };
  const assistant = createAssistant({ ...context, observe });
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve());
    assistant.onclose = resolve;
  });
  await assistant.connect(new StdioServerTransport());
  await ended;
  // What was read last begins in this turn of the event loop, and is answered in the one after it is done.
  do {
    await nextTurn();
    await Promise.allSettled(underWay);
  } while (underWay.size > 0);
  await nextTurn();
  await assistant.close();
};
