import { uuid } from '../application/bus/shapes.ts';
import { health, problem, session } from './answers.schema.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;

const parametersOf = (where: 'path' | 'query', properties: Json): readonly object[] =>
  Object.entries(properties).map(([name, schema]) => ({ name, in: where, required: where === 'path', schema }));

const problems = (statuses: readonly number[]): Json =>
  Object.fromEntries(statuses.map((status) => [status, { $ref: '#/components/responses/problem' }]));

/** What may go wrong beside the route's own: a guess of a token, too many calls, a body where there is one. */
const faultsOf = ({ bus }: Route): readonly number[] =>
  bus === 'command' ? [400, 401, 403, 404, 409, 413, 415, 429, 503] : [400, 401, 403, 404, 429, 503];

const headers = (route: Route): readonly object[] => [
  {
    name: 'X-Correlation-Id',
    in: 'header',
    description: 'Stored with log lines and events',
    schema: { type: 'string', pattern: '^[\\w.:-]{1,128}$' },
  },
  ...(route.bus === 'query' ? [] : [{ name: 'Idempotency-Key', in: 'header', schema: uuid }]),
];

const json = (schema: Json): Json => ({ 'application/json': { schema } });

const titleOf = (schema: object): string | undefined =>
  'title' in schema && typeof schema.title === 'string' ? schema.title : undefined;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** A schema that refers to named ones; `kept` collects those. */
const referring = (value: unknown, kept: Map<string, object>): unknown => {
  if (Array.isArray(value)) return value.map((each: unknown) => referring(each, kept));
  if (!isObject(value)) return value;
  const name = titleOf(value);
  const { title: _name, ...schema } = { title: undefined, ...value };
  const whole = Object.fromEntries(Object.entries(schema).map(([key, each]) => [key, referring(each, kept)]));
  if (name === undefined) return whole;
  kept.set(name, whole);
  return { $ref: `#/components/schemas/${name}` };
};

const answerOf = ({ answers }: Route): Json => {
  const [first, ...others] = answers;
  return first === undefined || others.length > 0 ? { anyOf: answers } : { ...first };
};

const operation = (route: Route): Json => ({
  summary: route.summary,
  description: `For the role ${route.role} and above.`,
  operationId: route.name,
  parameters: [...parametersOf('path', route.params), ...parametersOf('query', route.query), ...headers(route)],
  ...(route.body === undefined ? {} : { requestBody: { required: true, content: json(route.body) } }),
  responses: {
    [route.status]: { description: 'Done', content: json(answerOf(route)) },
    ...problems(faultsOf(route)),
  },
});

const plainText = { 'text/plain': { schema: { type: 'string' } } } as const;

/** What anybody may read. */
const open = (operationId: string, summary: string, content: Json): Json => ({
  operationId,
  summary,
  security: [],
  responses: { 200: { description: 'Here', content }, ...problems([429]) },
});

const ready = open('isReady', 'Whether it takes calls', plainText);

const described = (): Json => {
  const paths = new Map<string, Record<string, unknown>>();
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths.set(path, { ...paths.get(path), [route.method.toLowerCase()]: operation(route) });
  }
  return {
    ...Object.fromEntries(paths),
    '/health': { get: open('getHealth', 'Whether it answers, and its version', json(health)) },
    '/livez': { get: open('isAlive', 'Whether the process lives', plainText) },
    '/readyz': {
      get: {
        ...ready,
        responses: { ...Object(ready['responses']), 503: { description: 'Not now', content: plainText } },
      },
    },
    '/session': {
      get: {
        operationId: 'getSession',
        summary: 'Tell who asks, and what of',
        responses: { 200: { description: 'Here', content: json(session) }, ...problems([401, 403, 429]) },
      },
    },
    '/events/stream': {
      get: {
        operationId: 'followEvents',
        summary: 'Follow the events as server-sent events; Last-Event-ID goes on after a break',
        parameters: [{ name: 'Last-Event-ID', in: 'header', schema: { type: 'string' } }],
        responses: {
          200: { description: 'Here', content: { 'text/event-stream': { schema: { type: 'string' } } } },
          ...problems([400, 401, 403, 429, 503]),
        },
      },
    },
    '/metrics': {
      get: {
        operationId: 'getMetrics',
        summary: 'Metrics for Prometheus',
        responses: { 200: { description: 'Here', content: plainText }, ...problems([401, 403, 429, 503]) },
      },
    },
  };
};

/** The description of REST, from the same routes and schemas that serve it. */
export const openApi = (version: string): Json => {
  const schemas = new Map<string, object>();
  const paths = referring(described(), schemas);
  const fault = {
    description: 'A fault, with a stable code',
    content: { 'application/problem+json': { schema: problem } },
  };
  const responses = { problem: referring(fault, schemas) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'hostfactory-aws',
      version,
      description: 'Machines from AWS for IBM Spectrum Symphony Host Factory.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'Where this description comes from' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(schemas),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'Where the server has tokens' } },
      responses,
    },
  };
};

const asHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export const docsStyle =
  'body{font:14px sans-serif;margin:2em}td{vertical-align:top;padding:.3em 1em;border-top:1px solid #ccc}pre{font-size:11px}';

/** The same for people, without a script or anything from elsewhere. */
export const docsPage = (version: string): string => {
  const rows = routes.map(({ method, path, summary, role, query, body }) => {
    const names = Object.keys(query).join(', ');
    const form = body === undefined ? '' : `<pre>${asHtml(JSON.stringify(body, null, 1))}</pre>`;
    return `<tr><td><code>${method} ${path}</code></td><td>${asHtml(summary)}</td><td>${role}</td><td>${names}${form}</td></tr>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>hostfactory-aws ${version}</title>
<style>${docsStyle}</style>
<h1>hostfactory-aws ${version}</h1><p>The whole description: <a href="openapi.json">openapi.json</a>. Errors are problem+json with a code.
<code>Idempotency-Key</code> (a UUID) makes a command safe to repeat; <code>X-Correlation-Id</code> is kept on log lines and events.</p>
<table><tr><th>Call</th><th>What it does</th><th>Role</th><th>Parameters and body</th></tr>${rows.join('\n')}</table></html>`;
};
