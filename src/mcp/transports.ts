import { setImmediate as nextTurn } from 'node:timers/promises';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  ErrorCode,
  InitializeRequestSchema,
  isJSONRPCRequest,
  ListPromptsRequestSchema,
  ListToolsRequestSchema,
  PingRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Observe } from '../application/ports/telemetry.ts';
import { messageOf } from '../domain/errors.ts';
import { type AssistantContext, createAssistant } from './assistant.ts';

export interface HttpCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As parsed. */
  readonly body: unknown;
}

/** What the SDK itself answers. */
const schemas = [InitializeRequestSchema, ListPromptsRequestSchema, ListToolsRequestSchema, PingRequestSchema];

/** Where a message is not as the protocol has it. */
const wrongIn = (message: { readonly method: string }): string | undefined => {
  const found = schemas.find(({ shape }) => shape.method.value === message.method)?.safeParse(message);
  if (found === undefined || found.success) return undefined;
  return [...new Set(found.error.issues.map(({ path }) => path.join('.')))].join(', ');
};

/** Refuses wrong parameters in words; the SDK would tell them as a fault of its own, in the words of its library. */
const connect = async (assistant: ReturnType<typeof createAssistant>, transport: Transport): Promise<void> => {
  await assistant.connect(transport);
  const take = transport.onmessage;
  transport.onmessage = (message, extra) => {
    const wrong = isJSONRPCRequest(message) ? wrongIn(message) : undefined;
    if (!isJSONRPCRequest(message) || wrong === undefined) return take?.(message, extra);
    const { id, method } = message;
    const text = `${method}: missing, or not as the protocol has it: ${wrong}`;
    void transport.send({ jsonrpc: '2.0', id, error: { code: ErrorCode.InvalidParams, message: text } });
  };
};

const headersOf = (given: HttpCall['headers']): Headers => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) if (typeof value === 'string') headers.set(name, value);
  return headers;
};

/** Answers one POST of the protocol's HTTP form. There are no sessions: each call tells who asks. */
export const answerHttp = async (context: AssistantContext, { url, headers, body }: HttpCall): Promise<Response> => {
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  const assistant = createAssistant(context);
  await connect(assistant, transport);
  const request = new Request(new URL(url, 'http://localhost'), { method: 'POST', headers: headersOf(headers) });
  return transport.handleRequest(request, { parsedBody: body });
};

/** Answers a line that is no message, whose id nobody knows; undefined for other faults. */
const complaintAt = (error: Error): object | undefined => {
  const told = (code: number, message: string) => ({ jsonrpc: '2.0', id: null, error: { code, message } });
  if (error instanceof SyntaxError) return told(ErrorCode.ParseError, `this line is no JSON: ${error.message}`);
  return error.name.endsWith('ZodError')
    ? told(ErrorCode.InvalidRequest, 'this line is no message of JSON-RPC 2.0, which has jsonrpc, and method or result')
    : undefined;
};

/** Serves standard input and output until the client closes an end of it, or a signal comes; calls under way are finished first. */
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
  assistant.onerror = (error) => {
    const complaint = complaintAt(error);
    if (complaint !== undefined) process.stdout.write(`${JSON.stringify(complaint)}\n`);
    else context.log.error('server.failed', messageOf(error));
  };
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve);
    // Nobody reads the answers any more.
    process.stdout.once('error', () => resolve());
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve());
    assistant.onclose = resolve;
  });
  await connect(assistant, new StdioServerTransport());
  await ended;
  // What was read last begins in this turn of the event loop, and is answered in the one after it is done.
  do {
    await nextTurn();
    await Promise.allSettled(underWay);
  } while (underWay.size > 0);
  await nextTurn();
  await assistant.close();
};
