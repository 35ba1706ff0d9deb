import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type ApiCalls, performCall } from './api-call.ts';
import { answerControl, type Control, controlPrefix } from './control.ts';
import { type CoreOptions, createCore } from './core.ts';
import { createStateSaver, loadState } from './state-file.ts';
import { savedWorld } from './world.ts';

export interface EmulatorOptions extends CoreOptions {
  /** 0 or left out: any free port. */
  readonly port?: number;
  /** Left out: 127.0.0.1. */
  readonly host?: string;
  /** The world is read from this file at the start and kept in it. */
  readonly stateFile?: string;
}

/** A running emulator: its endpoint, and in-process control over what goes on behind it. */
export interface Emulator extends Control {
  /** For the SDK's `endpoint`, without a slash at the end. */
  readonly url: string;
  /** Cuts all connections and saves the state; fails if the state cannot be saved. */
  close(): Promise<void>;
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
};

const serveControl = (control: Control, request: IncomingMessage, response: ServerResponse, body: string): void => {
  const path = new URL(request.url ?? '/', 'http://emulator').pathname.slice(controlPrefix.length);
  const answer = answerControl(control, request.method ?? 'GET', path, body);
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
};

const serveApi = async (
  calls: ApiCalls,
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
): Promise<void> => {
  const header = (name: string): string | undefined => [request.headers[name] ?? []].flat()[0];
  const reply = await performCall(calls, body, {
    authorization: request.headers.authorization,
    date: header('x-amz-date'),
    target: header('x-amz-target'),
    token: header('x-amz-security-token'),
  });
  if (reply.kind === 'silence') return;
  if (reply.kind === 'cut') {
    request.socket.destroy();
    return;
  }
  const headers = {
    'content-type': reply.answer.contentType,
    'x-amzn-requestid': reply.requestId,
    date: new Date(calls.world.now()).toUTCString(),
  };
  response.writeHead(reply.answer.status, headers).end(reply.answer.body, () => {
    calls.watch({ action: reply.action, at: 'answered' });
  });
};

const createEndpoint = (calls: ApiCalls, control: Control): Server => {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const body = await bodyOf(request);
      if (request.url?.startsWith(controlPrefix) === true) serveControl(control, request, response, body);
      else await serveApi(calls, request, response, body);
    } catch (error) {
      // A fault of the emulator's own must not look like one of AWS's.
      if (response.headersSent || request.socket.destroyed) return;
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`emulator: ${String(error)}\n`);
    }
  };
  const server = createServer((request, response) => void serve(request, response));
  // Node closes idle connections after 5 s, just when a waiting client may use one again.
  server.keepAliveTimeout = 120_000;
  return server;
};

const listen = (server: Server, port: number, host: string): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${actual}`);
    });
  });

const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    // Hanging calls would keep the server open for ever.
    server.closeAllConnections();
  });

/** Starts an EC2 endpoint. Fails if the port is taken, a setting is wrong or the state file is unreadable. */
export const startEmulator = async (options: EmulatorOptions = {}): Promise<Emulator> => {
  const { port = 0, host = '127.0.0.1', stateFile } = options;
  const saved = stateFile === undefined ? undefined : await loadState(stateFile);
  const changed = (): void => saver?.soon();
  const { calls, control } = createCore(options, changed, saved);
  const saver = stateFile === undefined ? undefined : createStateSaver(stateFile, () => savedWorld(calls.world));
  const server = createEndpoint(calls, control);
  const url = await listen(server, port, host);
  return {
    ...control,
    url,
    close: async () => {
      await stop(server);
      changed();
      await saver?.flush();
    },
  };
};
