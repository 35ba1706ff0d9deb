import { type Route, routes } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;

const parametersOf = (where: 'path' | 'query', properties: Json): readonly object[] =>
  Object.entries(properties).map(([name, schema]) => ({ name, in: where, required: where === 'path', schema }));

const problems = (route: Route): Json => {
  const statuses = [400, 401, 403, 404, ...(route.bus === 'command' ? [409] : []), 429, 503];
  return Object.fromEntries(statuses.map((status) => [status, { $ref: '#/components/responses/problem' }]));
};

const operation = (route: Route): Json => ({
  summary: route.summary,
  description: `For the role ${route.role} and above.`,
  operationId:
    route.method.toLowerCase() + route.path.replaceAll(/[/:](\w)/g, (_, letter: string) => letter.toUpperCase()),
  parameters: [...parametersOf('path', route.params), ...parametersOf('query', route.query)],
  ...(route.body === undefined
    ? {}
    : { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } }),
  responses: {
    [route.status]: { description: 'Done', content: { 'application/json': { schema: { type: 'object' } } } },
    ...problems(route),
  },
});

const open = (summary: string, type: string): Json => ({
  get: {
    summary,
    security: [],
    responses: { 200: { description: 'Here', content: { [type]: {} } }, 503: { description: 'Not now' } },
  },
});

/** The description of REST, from the same routes and schemas that serve it. */
export const openApi = (version: string): Json => {
  const paths = new Map<string, Record<string, unknown>>();
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths.set(path, { ...paths.get(path), [route.method.toLowerCase()]: operation(route) });
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'hostfactory-aws',
      version,
      description: 'Machines from AWS for IBM Spectrum Symphony Host Factory.',
    },
    security: [{ bearer: [] }],
    paths: {
      ...Object.fromEntries(paths),
      '/health': open('Whether it answers, and its version', 'application/json'),
      '/livez': open('Whether the process lives', 'text/plain'),
      '/readyz': open('Whether it takes calls', 'text/plain'),
      '/metrics': {
        get: { ...Object(open('Figures for Prometheus', 'text/plain')['get']), security: [{ bearer: [] }] },
      },
    },
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      responses: {
        problem: {
          description: 'A fault, with a stable code',
          content: {
            'application/problem+json': {
              schema: {
                type: 'object',
                required: ['status', 'title', 'detail', 'code'],
                properties: {
                  status: { type: 'integer' },
                  title: { type: 'string' },
                  detail: { type: 'string' },
                  code: { type: 'string' },
                },
              },
            },
          },
        },
      },
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
