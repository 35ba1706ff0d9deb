import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ApplicationService } from '../application/bus/application-service.ts';
import type { Message } from '../application/bus/bus.ts';
import type { ServeOptions } from '../application/ports/setup.ts';
import type { Logger, Observe } from '../application/ports/telemetry.ts';
import type { RunningReadModel } from '../application/projections/read-model.ts';
import { metricsText } from '../application/read-model/metrics-text.ts';
import { isPluginError, messageOf, PluginError } from '../domain/errors.ts';
import { authorize, identify } from './admission.ts';
import { type AssistantCall, addAssistant } from './assistant.ts';
import { type Chores, startChores, syncOpenRequests } from './background.ts';
import { answerParserError, guardHeaders, refuseForeignPage } from './http.ts';
import { checkReach, listen } from './listen.ts';
import { docsPage, openApi } from './openapi.ts';
import { addPage } from './page.ts';
import { HttpError, toProblem } from './problems.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';
import { type Caller, readTokens, type Tokens } from './tokens.ts';
import { validatorFor } from './validation.ts';

/** What the server needs of the application. */
interface Served {
  readonly service: ApplicationService;
  /** Whose application it is, for people. */
  readonly about: string;
  readonly log: Logger & { flush(): Promise<void> };
  readonly observe: Observe;
  readonly tracing: { within<A>(traceparent: string | undefined, work: () => Promise<A>): Promise<A> } | undefined;
  readonly readModel: () => Promise<RunningReadModel>;
  readonly writeMetrics: () => Promise<void>;
}

/** The application, which another takes the place of when the configuration has changed. */
interface Serving {
  current(): Served;
  /** Lets Host Factory's scripts in beside REST. */
  openScripts(): Promise<{ readonly path: string; close(): Promise<void> } | undefined>;
  /** What keeps it from its work; undefined where nothing does. */
  fault(): Promise<string | undefined>;
  /** Notifies people of trouble, where channels are configured. */
  notify(): Promise<void>;
  /** Answers an assistant. */
  assist(asked: AssistantCall): Promise<Response>;
  /** Takes over what has changed; answers whether another version has been installed. */
  look(): Promise<boolean>;
}

export interface ServerContext extends ServeOptions {
  readonly version: string;
  /** Starts the application; it asks for the correlation id of the call being served. */
  readonly start: (correlationId: () => string) => Promise<Serving>;
  readonly say: (text: string) => void;
}

type Json = Readonly<Record<string, unknown>>;

const asJson = (value: unknown): Json => (typeof value === 'object' && value !== null ? { ...value } : {});

const bodyLimit = 1_048_576;
const receiveTimeout = 30_000;
/** Milliseconds between two looks for connections whose time is up. */
const receiveCheck = 1000;
/** Of a command that needs none; a program may send an empty object. */
const noBody = { type: ['object', 'null'], additionalProperties: false, properties: {} };
/** Milliseconds that calls under way have once the server is asked to stop. */
const patience = 10_000;
/** Milliseconds: projections are never further behind than the first and the time a look takes. */
const [refreshPause, syncPause, flushPause, lookPause] = [400, 5000, 1000, 1000];
const [metricsPause, noticePause, archivePause, pricesPause] = [15_000, 60_000, 600_000, 600_000];
/** Prices are asked for anew after so long, ms. */
const pricesLifetime = 3_600_000;

/** A call as a message. */
const toMessage = (route: Route, request: FastifyRequest, { role, user }: Caller) => {
  const call = { params: asJson(request.params), query: asJson(request.query), body: asJson(request.body) };
  const key = request.headers['idempotency-key'];
  const message = {
    ...(route.bus === 'command' && typeof key === 'string' ? { commandId: key } : {}),
    ...route.message(call),
    correlationId: request.id,
    role,
    ...(user === undefined ? {} : { userId: user }),
  };
  return { call, message };
};

const addRoutes = (
  app: FastifyInstance,
  serving: Serving,
  tokens: Tokens | undefined,
  options: ServerContext,
): void => {
  const callers = new WeakMap<FastifyRequest, Caller>();
  const admit = async (request: FastifyRequest): Promise<Caller> => {
    const caller = identify(request, tokens, options.socket !== undefined);
    callers.set(request, caller);
    return caller;
  };
  const serveRoute = (route: Route) => async (request: FastifyRequest, reply: FastifyReply) => {
    const served = serving.current();
    const { service, observe, tracing } = served;
    const { call, message } = toMessage(route, request, callers.get(request) ?? (await admit(request)));
    const span = { kind: 'entry', name: `${route.method} ${route.path}` } as const;
    const work = () => observe(span, () => service.dispatch(route.bus, message));
    const answer = asJson(await (tracing?.within(parentOf(request), work) ?? work()));
    reply.code(route.status);
    if (message.type === 'CreateRequest' || (message.type === 'GetRequestStatus' && !options.readOnly))
      await claim(served, message, String(answer['requestId']));
    return route.answer === undefined ? answer : route.answer(answer, call);
  };
  for (const route of routes) {
    const schema = {
      params: { type: 'object', properties: route.params },
      querystring: { type: 'object', additionalProperties: false, properties: route.query },
      ...(route.bus === 'query' ? {} : { body: route.body ?? noBody }),
    };
    const onRequest = async (request: FastifyRequest) => {
      if (route.bus === 'command') refuseForeignPage(request);
      authorize(await admit(request), route, options.readOnly);
    };
    app.route({ method: route.method, url: route.path, schema, onRequest, handler: serveRoute(route) });
  }
  app.get('/metrics', async (request, reply) => {
    await admit(request);
    reply.type('text/plain; version=0.0.4');
    return metricsText(await serving.current().service.getMetrics({ costs: true, correlationId: request.id }));
  });
};

/**
 * Before the caller learns the id, or gets to see the request it asks for by its id: from then on it is not taken for lost. Nobody may
 * build on a new request for which this fails; an answer from the records stands without.
 */
const claim = async ({ service, log }: Served, { type, correlationId, userId, role }: Message, requestId: string) => {
  const origin = { ...(correlationId && { correlationId }), ...(userId && { userId }), ...(role && { role }) };
  await service.claimRequest({ requestId, ...origin }).catch((error: unknown) => {
    log.warn('request.unclaimed', messageOf(error), { requestId });
    if (type === 'CreateRequest') throw error;
  });
};

const parentOf = ({ headers: { traceparent } }: FastifyRequest): string | undefined =>
  typeof traceparent === 'string' ? traceparent : undefined;

const addOpenRoutes = (app: FastifyInstance, version: string, isReady: () => boolean, { fault }: Serving): void => {
  const description = openApi(version);
  app.get('/openapi.json', async () => description);
  app.get('/docs', async (_request, reply) => reply.type('text/html').send(docsPage(version)));
  app.get('/livez', async () => 'ok');
  app.get('/health', async () => ({ status: isReady() ? 'ok' : 'stopping', version }));
  app.get('/readyz', async (_request, reply) => {
    const found = isReady() ? await fault() : 'stopping';
    return reply.code(found === undefined ? 200 : 503).send(found ?? 'ok');
  });
};

/** A correlation id of the caller's is taken over if it is harmless in a log. */
const correlationOf = (header: string | readonly string[] | undefined): string =>
  typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : randomUUID();

const createApp = async (
  serving: Serving,
  calls: AsyncLocalStorage<string>,
  tokens: Tokens | undefined,
  options: ServerContext,
  isReady: () => boolean,
): Promise<FastifyInstance> => {
  const answerFault = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const problem = toProblem(error);
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
    if (problem.status === 500) {
      const stack = error instanceof Error ? error.stack : undefined;
      serving.current().log.error('server.failed', messageOf(error), { correlationId: request.id, stack });
    }
    return reply
      .headers(guardHeaders)
      .code(problem.status)
      .type('application/problem+json')
      .send(JSON.stringify(problem));
  };
  const app = fastify({
    frameworkErrors: answerFault,
    bodyLimit,
    requestTimeout: receiveTimeout,
    http: { headersTimeout: receiveTimeout, connectionsCheckingInterval: receiveCheck },
    clientErrorHandler: answerParserError,
    genReqId: ({ headers }) => correlationOf(headers['x-correlation-id']),
  });
  app.setValidatorCompiler(validatorFor);
  // Only JSON is taken: a page of somebody else's can send plain text without asking.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(guardHeaders).header('x-correlation-id', request.id);
    calls.run(request.id, done);
  });
  // Otherwise a client that keeps its connection would hold up the end for as long as it likes.
  app.addHook('onSend', async (_request, reply) => {
    if (!isReady()) reply.header('connection', 'close');
  });
  app.setErrorHandler(answerFault);
  app.setNotFoundHandler(() => {
    throw new HttpError(404, 'rest.not-found', 'there is nothing here; /docs shows what there is');
  });
  // All that come by a unix socket are one client.
  const keyGenerator = ({ ip }: { readonly ip?: string }): string => ip ?? 'socket';
  await app.register(rateLimit, { global: false, max: options.rate, timeWindow: 60_000, keyGenerator });
  // Before anybody is let in, and where there is nothing: guesses count.
  app.addHook('onRequest', app.rateLimit());
  addRoutes(app, serving, tokens, options);
  addOpenRoutes(app, options.version, isReady, serving);
  const admit = async (request: FastifyRequest) => identify(request, tokens, options.socket !== undefined);
  const { readOnly, mcpChanges } = options;
  addAssistant(app, { admit, mayChange: mcpChanges && !readOnly, answer: (asked) => serving.assist(asked) });
  await addPage(app, { ...options, hasTokens: tokens !== undefined, served: () => serving.current(), isReady, admit });
  return app;
};

const startWork = (serving: Serving, readOnly: boolean, outdated: () => void): Chores => {
  const chore = (pause: number, work: () => Promise<unknown>) => ({ pause, work: async () => void (await work()) });
  const now = (): Served => serving.current();
  const { log } = now();
  const reading = [
    chore(refreshPause, async () => (await now().readModel()).refresh()),
    chore(flushPause, () => now().log.flush()),
    chore(metricsPause, () => now().writeMetrics()),
    chore(lookPause, async () => {
      if (await serving.look()) outdated();
    }),
  ];
  if (readOnly) return startChores(reading, log);
  const writing = [
    { pause: syncPause, work: syncOpenRequests(() => now().service) },
    chore(noticePause, () => serving.notify()),
    chore(archivePause, () => now().service.archiveRequests()),
    chore(pricesPause, () => now().service.refreshPrices({ olderThan: pricesLifetime })),
  ];
  return startChores([...reading, ...writing], log);
};

const untilTold = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

/** Serves REST until SIGTERM, SIGINT or SIGHUP; calls under way are finished first. Resolves with the exit status. */
export const serve = async (options: ServerContext): Promise<number> => {
  const tokens = options.tokens === undefined ? undefined : await readTokens(options.tokens);
  checkReach(options, tokens);
  const calls = new AsyncLocalStorage<string>();
  const own = randomUUID();
  const serving = await options.start(() => calls.getStore() ?? own);
  const state = { isReady: true };
  let end: () => void = () => undefined;
  const outdated = new Promise<void>((resolve) => {
    end = resolve;
  });
  const told = Promise.race([untilTold(), outdated]);
  const app = await createApp(serving, calls, tokens, options, () => state.isReady);
  const address = await listen(app, options).catch(async (cause: unknown) => {
    await app.close();
    if (isPluginError(cause)) throw cause;
    throw new PluginError('configuration.invalid', `cannot serve: ${messageOf(cause)}`, { cause });
  });
  const scripts = await serving.openScripts();
  await serving.current().readModel();
  const chores = startWork(serving, options.readOnly, end);
  const who = tokens === undefined ? 'everybody on this machine who can reach it' : 'those with a token';
  options.say(`Serving ${address} to ${who}${options.readOnly ? ', queries only' : ''}; /docs tells what there is.`);
  if (scripts !== undefined) options.say(`Host Factory's scripts are answered at ${scripts.path}.`);
  await told;
  state.isReady = false;
  const impatient = setTimeout(() => app.server.closeAllConnections(), patience);
  await Promise.all([app.close(), scripts?.close()]);
  clearTimeout(impatient);
  await chores.stop();
  const { readModel, log } = serving.current();
  await (await readModel()).save();
  await log.flush();
  return 0;
};
