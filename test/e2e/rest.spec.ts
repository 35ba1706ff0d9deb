import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fc, runs } from '../random.ts';
import { hfAws } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { answerTo, askCli, listOf, runCli, type Server, startServer } from './entries.ts';
import { createPlugin, type Json, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

const objectOf = (value: unknown): Json => Object.fromEntries(Object.entries(Object(value)));

interface Described {
  readonly method: string;
  /** Tells what is wrong with an answer of this status, by the description. */
  readonly faultsOf: (status: number, answer: unknown) => unknown;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Json }[];
  readonly body: Json | undefined;
  readonly statuses: readonly number[];
}

/** The routes as the server itself describes them. */
const describedBy = (description: Json): readonly Described[] => {
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
  }).addSchema(description, 'description');
  return Object.entries(objectOf(description['paths'])).flatMap(([path, methods]) =>
    Object.entries(objectOf(methods)).map(([method, operation]) => {
      const { parameters, requestBody, responses } = objectOf(operation);
      const content = objectOf(objectOf(objectOf(requestBody)['content'])['application/json']);
      const statuses = Object.keys(objectOf(responses)).map(Number);
      const schemaOf = (status: number): Json => {
        const { content: answer } = objectOf(objectOf(responses)[status]);
        return objectOf(objectOf(objectOf(answer)['application/json'])['schema']);
      };
      const validators = new Map(
        statuses.map((status) => {
          const [schema] = [JSON.stringify(schemaOf(status)).replaceAll('"#/', '"description#/')];
          return [status, ajv.compile(JSON.parse(schema))] as const;
        }),
      );
      return {
        faultsOf: (status: number, answer: unknown) => {
          const validate = validators.get(status);
          return validate === undefined || validate(answer) ? undefined : validate.errors;
        },
        method: method.toUpperCase(),
        path,
        parameters: listOf(parameters).map((each) => ({
          name: String(each['name']),
          in: String(each['in']),
          schema: objectOf(each['schema']),
        })),
        body: requestBody === undefined ? undefined : objectOf(content['schema']),
        statuses,
      };
    }),
  );
};

/** Values that fit a schema, as far as the description uses JSON Schema. */
const fitting = (schema: Json): fc.Arbitrary<unknown> => {
  const { type, pattern, properties, required, items, anyOf } = schema;
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...schema['enum']);
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map((each: unknown) => fitting(objectOf(each))));
  if (type === 'integer') return fc.integer({ min: Number(schema['minimum'] ?? 0), max: 3 });
  if (type === 'number') return fc.double({ min: 0, max: 0.2, noNaN: true });
  if (type === 'boolean') return fc.boolean();
  if (type === 'array') return fc.array(fitting(objectOf(items)), { minLength: 1, maxLength: 2 });
  if (type === 'object') {
    const fields = Object.entries(objectOf(properties)).map(([name, each]) => [name, fitting(objectOf(each))] as const);
    return fc.record(Object.fromEntries(fields), { requiredKeys: Array.isArray(required) ? required.map(String) : [] });
  }
  return typeof pattern === 'string'
    ? fc.stringMatching(new RegExp(pattern))
    : fc.string({ minLength: 1, maxLength: 40 });
};

/** Anything somebody might send instead. */
const hostile = fc.oneof(
  fc.constantFrom(
    '',
    '-1',
    '1e9',
    'NaN',
    'null',
    '../../etc/passwd',
    '\u0000',
    '%',
    'a'.repeat(3000),
    '[object Object]',
  ),
  fc.string({ unit: 'binary' }),
  fc.integer().map(String),
);

/** Half of a pair of surrogates cannot be put into an address at all. */
const wellFormed = (value: unknown): string => Buffer.from(String(value)).toString('utf8');

const sendable = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const callOf = ({ method, path, parameters, body }: Described) => {
  const part = (schema: Json) =>
    fc.oneof({ weight: 3, arbitrary: fitting(schema).map(sendable) }, { weight: 1, arbitrary: hostile });
  const named = (where: string) =>
    parameters.filter((each) => each.in === where).map(({ name, schema }) => [name, part(schema)] as const);
  return fc
    .record({
      inPath: fc.record(Object.fromEntries(named('path'))),
      query: fc.record(Object.fromEntries(named('query')), { requiredKeys: [] }),
      body:
        body === undefined
          ? fc.constant(undefined)
          : fc.oneof(
              fitting(body).map((each) => JSON.stringify(each)),
              fc.json(),
              fc.string(),
            ),
    })
    .map(({ inPath, query, body: sent }) => {
      const values = new Map<string, unknown>(Object.entries(inPath));
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(wellFormed(values.get(name))),
      );
      const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(wellFormed(value))}`);
      return { method, path: `${filled}?${pairs.join('&')}`, body: sent };
    });
};

describe('REST', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;
  let server: Server;

  beforeAll(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, LogLevel: 'INFO' }, testTemplates(backend.place));
    server = await startServer(plugin, '--rate', '1000000');
  });
  afterAll(async () => {
    await server.stop();
    await plugin.remove();
    await backend.close();
  });

  it('answers every described route, with good and bad input, as described and never with a fault of its own', async () => {
    const routes = describedBy((await server.get('/openapi.json')).body);
    expect(routes.length).toBeGreaterThan(20);
    // One that follows the events never ends.
    for (const route of routes.filter(({ path }) => path !== '/events/stream')) {
      const call = async ({ method, path, body }: { method: string; path: string; body: string | undefined }) => {
        const { status, headers, text, body: answer } = await server.call(method, path, { body });
        const where = `${method} ${path} ${body}: ${status} ${text}`;
        expect([where, status < 500 || text.includes('"provider.')]).toEqual([where, true]);
        expect([where, [...route.statuses, 413, 414, 431].includes(status)]).toEqual([where, true]);
        expect([where, route.faultsOf(status, answer)]).toEqual([where, undefined]);
        if (status >= 400)
          expect([where, headers.get('content-type')]).toEqual([
            where,
            expect.stringContaining('application/problem+json'),
          ]);
      };
      await fc.assert(fc.asyncProperty(callOf(route), call), { numRuns: runs(8) });
    }
  });

  it('streams the events after the one that was seen last, and refuses what is none', async () => {
    await server.call('POST', '/requests', { body: { template_id: 'all', max_number: 1 } });
    const { items } = (await server.get('/events?limit=3')).body;
    const [first, second] = listOf(items).map(({ position }) => String(position));
    const stream = await fetch(`${server.url}/events/stream`, { headers: { 'last-event-id': first ?? '' } });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    let text = '';
    for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.includes('id: ')) break;
    }
    expect(/id: (\S+)/.exec(text)?.[1]).toBe(second);
    expect((await server.get('/events/stream', { 'last-event-id': 'the last' })).status).toBe(400);
  });

  it('answers a call that fits with the status it promises', async () => {
    const order = { template_id: 'all', max_number: 1 };
    const { body } = await server.call('POST', '/requests', { body: order });
    const id = String(body['request_id']);
    const machine = listOf((await server.get(`/requests/${id}?machines=true`)).body['machines'])[0];
    const cancelled = (await server.call('POST', '/requests', { body: order })).body['request_id'];
    const calls = [
      // Before the server has seen its machine run: what is complete is not cancelled.
      ['DELETE', `/requests/${cancelled}?reason=done`, 200],
      ['POST', '/requests', 201, order],
      ['GET', `/requests/${id}`, 200],
      ['GET', `/requests/${id}?machines=true`, 200],
      ['GET', `/requests/${id}/events`, 200],
      ['GET', `/requests/${id}/explanation`, 200],
      ['GET', '/overview?hours=6', 200],
      ['GET', '/alerts?silent_minutes=10', 200],
      ['GET', '/offerings', 200],
      ['DELETE', '/offerings', 200],
      ['GET', '/session', 200],
      ['GET', '/requests?sort_by=created_at', 200],
      ['GET', '/machines', 200],
      ['GET', `/machines/${String(machine?.['machineId'])}`, 200],
      [
        'POST',
        `/machines/${String(machine?.['machineId'])}/status`,
        200,
        { status: 'running', metadata: { by: 'test' } },
      ],
      ['POST', '/returns', 201, { machines: [{ machineId: machine?.['machineId'] }] }],
      ['GET', '/returns', 200],
      ['GET', '/events?limit=1000', 200],
      ['GET', '/templates', 200],
      ['GET', '/templates/all', 200],
      ['GET', '/projections', 200],
      ['POST', '/requests', 201, { template: { templateId: 'all', machineCount: 1 } }],
      ['POST', '/templates/all/validate', 200],
      ['POST', '/projections/counters/rebuild', 200],
    ] as const;
    const routes = describedBy((await server.get('/openapi.json')).body);
    for (const [method, path, status, sent] of calls) {
      const answer = await server.call(method, path, { body: sent });
      const address = path.replace(/\?.*/, '');
      const described = routes.find(
        (route) =>
          route.method === method && new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(address),
      );
      expect([path, answer.text, described?.faultsOf(answer.status, answer.body)]).toEqual([
        path,
        answer.text,
        undefined,
      ]);
      expect([path, described?.statuses]).toEqual([path, expect.arrayContaining([status])]);
      expect([`${method} ${path}`, answer.status, answer.text]).toEqual([
        `${method} ${path}`,
        status,
        expect.any(String),
      ]);
    }
  });

  it('refuses what is too large, no JSON, or too much', async () => {
    expect((await server.call('POST', '/requests', { body: `{"a":"${'x'.repeat(1_100_000)}"}` })).status).toBe(413);
    const xml = { headers: { 'content-type': 'text/xml' }, body: '<a/>' };
    expect((await server.call('POST', '/requests', xml)).status).toBe(415);
    const slow = await startServer(plugin, '--rate', '3');
    const statuses: number[] = [];
    for (let n = 0; n < 4; n++) statuses.push((await slow.get('/templates')).status);
    await slow.stop();
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  it.each([
    [{ template_id: ['all'], max_number: [1] }, 'body: template_id must be string; max_number must be integer'],
    [{ template_id: 'all', max_number: true }, 'body: max_number must be integer'],
    [{ template_id: 'all', max_number: '1' }, 'body: max_number must be integer'],
    [{ template_id: 'all', max_number: 1, dry_run: true }, 'body: dry_run is not known here'],
    [
      { template_id: 'all', max_numbr: 1 },
      'body: max_number is required; max_numbr is not known here; did you mean max_number?',
    ],
    [{ template: { templateId: 'all', machineCount: '1' } }, 'body: template.machineCount must be integer'],
    [{}, 'body: template_id is required; max_number is required'],
    ['[]', 'body: must be object'],
  ])('takes a body as it is written or not at all: %j', async (body, detail) => {
    const launched = backend.emulator.countCalls()['RunInstances'];
    expect((await server.call('POST', '/requests', { body })).body).toMatchObject({ status: 400, detail });
    expect(backend.emulator.countCalls()['RunInstances']).toBe(launched);
  });

  it.each([
    ['GET', '/requests?statu=running', undefined, 'query: statu is not known here; did you mean status?'],
    ['GET', '/requests?limit=1&limit=2', undefined, 'query: limit must be integer'],
    ['GET', '/requests?limit=1.5', undefined, 'query: limit must be integer'],
    ['POST', '/projections/requests/rebuild', { name: 'machines' }, 'body: name is not known here'],
    ['POST', '/returns', { machines: [{ machineid: 'i-1' }] }, 'body: machines.0.machineid is not known here'],
  ])('refuses what no route knows: %s %s %j', async (method, path, body, detail) => {
    expect((await server.call(method, path, { body })).body).toMatchObject({ status: 400, detail });
  });

  it('takes no command from a page of another origin, with or without tokens, and from its own', async () => {
    const file = join(plugin.directory, 'tokens.json');
    await writeFile(file, JSON.stringify([{ token: 'a-token-of-sixteen', user: 'u', role: 'admin' }]), { mode: 0o600 });
    const guarded = await startServer(plugin, '--tokens', file);
    for (const { url, call } of [server, guarded]) {
      const pages = [
        [{ origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
        [{ 'sec-fetch-site': 'same-site' }, 403],
        [{ origin: 'http://evil.example' }, 403],
        [{ origin: 'null' }, 403],
        [{ origin: url }, 200],
        [{ 'sec-fetch-site': 'same-origin' }, 200],
        [{ 'sec-fetch-site': 'none' }, 200],
      ] as const;
      for (const [page, status] of pages) {
        const headers = { ...page, authorization: 'Bearer a-token-of-sixteen' };
        const answer = await call('POST', '/projections/requests/rebuild', { headers });
        expect([page, answer.status]).toEqual([page, status]);
        const ended = await call('DELETE', `/requests/req-${randomUUID()}`, { headers });
        expect([page, ended.status]).toEqual([page, status === 200 ? 404 : 403]);
      }
    }
    const text = { body: 'x', headers: { 'content-type': 'text/plain' } };
    expect((await server.call('POST', '/projections/requests/rebuild', text)).status).toBe(415);
    await guarded.stop();
  });

  it('tells browsers on every answer to run and frame nothing of it and to guess nothing', async () => {
    for (const path of ['/docs', '/requests', '/health', '/metrics', '/nowhere', '/%zz', '/requests?limit=x']) {
      const { headers } = await server.get(path);
      expect([path, Object.fromEntries(headers)]).toEqual([
        path,
        expect.objectContaining({
          'content-security-policy': expect.stringContaining("default-src 'none'"),
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
        }),
      ]);
    }
  });

  it.each([
    ['a bare line feed', 'GET / HTTP/1.1\nHost: localhost\n\n', 400],
    [
      'two lengths of a body',
      'POST /requests HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc',
      400,
    ],
    ['too large a head', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('answers %s with a problem, too', async (_what, bytes, status) => {
    const [head = '', body = ''] = (await answerTo(server.url, bytes)).split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toContain('content-type: application/problem+json');
    expect(head).toContain('x-content-type-options: nosniff');
    expect(JSON.parse(body)).toEqual({
      status,
      title: expect.any(String),
      detail: expect.any(String),
      code: 'input.invalid',
    });
  });

  describe('that cannot be served', () => {
    const portOf = ({ url }: Pick<Server, 'url'>): string => new URL(url).port;
    it.each([
      ['serve', '--port', (): string => portOf(server), 1, /^configuration\.invalid: cannot serve: .*EADDRINUSE.*\n$/],
      ['serve', '--port', () => '70000', 2, /^--port must be a whole number from 0 to 65535\n$/],
      ['serve', '--rate', () => '0', 2, /^--rate must be a whole number of at least 1\n$/],
      ['serve', '--host', () => '0.0.0.0', 1, /^configuration\.invalid: without --tokens .*\n$/],
      ['serve', '--tokens', () => 'nowhere.json', 1, /^configuration\.invalid: cannot read nowhere\.json: ENOENT.*\n$/],
      ['serve', '--tokens', () => 'open.json', 1, /^configuration\.invalid: open\.json must be private .*\n$/],
      ['serve', '--tokens', () => 'broken.json', 1, /^configuration\.invalid: broken\.json is not JSON: .*\n$/],
      ['emulator', '--port', () => portOf(backend), 1, /^configuration\.invalid: cannot start .*EADDRINUSE.*\n$/],
      ['emulator', '--port', () => 'x', 2, /^--port must be a whole number from 0 to 65535\n$/],
    ])('says why in one line: %s %s', async (verb, option, value, code, text) => {
      await writeFile(join(plugin.directory, 'open.json'), '[]', { mode: 0o640 });
      await writeFile(join(plugin.directory, 'broken.json'), 'secret-token', { mode: 0o600 });
      const { exitCode, stdout, stderr } = await hfAws(plugin, [verb, option, value()]);
      expect([exitCode, stdout, stderr]).toEqual([code, '', expect.stringMatching(text)]);
      expect(stderr).not.toContain('secret-token');
    });
  });

  it('says at which address it serves', async () => {
    const file = join(plugin.directory, 'tokens.json');
    await writeFile(file, JSON.stringify([{ token: 'a-token-of-sixteen', user: 'u', role: 'admin' }]), { mode: 0o600 });
    const everywhere = await startServer(plugin, '--host', '0.0.0.0', '--tokens', file);
    expect(everywhere.url).toMatch(/^http:\/\/0\.0\.0\.0:[1-9]\d*$/);
    expect((await everywhere.get('/livez')).status).toBe(200);
    await everywhere.stop();
  });

  it('counts guesses of tokens and of paths against the rate, too', async () => {
    const file = join(plugin.directory, 'rate-tokens.json');
    await writeFile(file, JSON.stringify([{ token: 'a-token-of-sixteen', user: 'u', role: 'viewer' }]), {
      mode: 0o600,
    });
    const slow = await startServer(plugin, '--rate', '3', '--tokens', file);
    const statuses: number[] = [];
    for (const path of ['/requests', '/requests', '/nowhere', '/nowhere', '/requests'])
      statuses.push((await slow.get(path, { authorization: 'Bearer a-guess-of-sixteen' })).status);
    await slow.stop();
    expect(statuses).toEqual([401, 401, 404, 429, 429]);
  });

  it('refuses a socket path where something else lies, and leaves that alone', async () => {
    const file = join(plugin.directory, 'precious.json');
    await writeFile(file, 'precious');
    const { exitCode, stderr } = await runCli(plugin, 'serve', '--socket', file);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`${file} is there and is no socket`)]);
    expect(await readFile(file, 'utf8')).toBe('precious');
  });

  /** Whether somebody is on record as knowing the request, read by another process. */
  const isClaimed = async (requestId: unknown): Promise<boolean> => {
    const { items } = await askCli(plugin, 'events', 'list', '--request', String(requestId));
    return listOf(items).some(({ type }) => type === 'RequestClaimed');
  };

  it('has a request on record as claimed before its caller gets the id, though the server is killed at once', async () => {
    const victim = await startServer(plugin);
    const { body } = await victim.call('POST', '/requests', { body: { template_id: 'all', max_number: 1 } });
    await victim.stop('SIGKILL');
    expect(await isClaimed(body['request_id'])).toBe(true);
  });

  it('takes a request for claimed once somebody asks for it by its id; a list or a server for queries only claims none', async () => {
    const requestId = await plugin.request('all', 1);
    const reader = await startServer(plugin, '--read-only');
    expect((await server.get('/requests?limit=1000')).text).toContain(requestId);
    expect((await reader.get(`/requests/${requestId}`)).status).toBe(200);
    await reader.stop();
    expect(await isClaimed(requestId)).toBe(false);
    expect((await server.get(`/requests/${requestId}`)).status).toBe(200);
    expect(await isClaimed(requestId)).toBe(true);
  });

  it('takes a request for claimed once it is watched', async () => {
    const requestId = await plugin.request('all', 1);
    expect((await runCli(plugin, 'requests', 'watch', requestId, '--interval', '0.2')).exitCode).toBe(0);
    expect(await isClaimed(requestId)).toBe(true);
  });

  it('carries out one of two different commands that come at once with one id', async () => {
    const command_id = randomUUID();
    const answers = await Promise.all(
      [1, 2].map((max_number) =>
        server.call('POST', '/requests', { body: { template_id: 'all', max_number, command_id } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it('is served on a unix socket for its owner alone, also after the last server was killed', async () => {
    const socket = join(plugin.directory, 'hf.sock');
    const ask = (): Promise<number> =>
      new Promise((resolve, reject) => {
        httpRequest({ socketPath: socket, path: '/requests' }, ({ statusCode = 0 }) => resolve(statusCode))
          .on('error', reject)
          .end();
      });
    const first = await startServer(plugin, '--socket', socket);
    expect(await ask()).toBe(200);
    await first.stop('SIGKILL');
    const second = await startServer(plugin, '--socket', socket);
    expect(await ask()).toBe(200);
    expect(await second.stop()).toBe(0);
  });

  it('finishes what is under way when it is told to stop', async () => {
    const other = await startServer(plugin);
    const now = Date.now();
    const intended = async (): Promise<number> =>
      listOf((await other.get(`/events?type=LaunchIntended&from=${now}`)).body['items']).length;
    backend.emulator.addFault({ action: 'RunInstances', effect: { kind: 'delay', ms: 4000 } });
    const slow = other.call('POST', '/requests', { body: { template_id: 'all', max_number: 1 } });
    await expect.poll(intended, { timeout: 3500 }).toBe(1);
    const stopped = other.stop();
    expect([(await slow).status, await stopped]).toEqual([201, 0]);
  });

  it('ends when its terminal does, although a client keeps a connection open and says nothing', async () => {
    const other = await startServer(plugin);
    const silent = connect(Number(new URL(other.url).port), '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    const closed = new Promise((resolve) => silent.on('error', () => undefined).once('close', resolve));
    expect(await other.stop('SIGHUP')).toBe(0);
    await closed;
  });

  it('loses nothing it has acknowledged when it is killed under load', async () => {
    const victim = await startServer(plugin);
    const acknowledged: string[] = [];
    const client = async (): Promise<void> => {
      for (;;) {
        const body = { template_id: 'all', max_number: 1, command_id: randomUUID() };
        const answer = await victim.call('POST', '/requests', { body }).catch(() => undefined);
        if (answer === undefined) return;
        if (answer.status === 201) acknowledged.push(String(answer.body['request_id']));
        await victim.get('/requests?status=running').catch(() => undefined);
      }
    };
    const clients = Promise.all(Array.from({ length: 8 }, client));
    await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(20);
    await victim.stop('SIGKILL');
    await clients;
    const after = await startServer(plugin);
    const total = Number((await after.get('/requests?limit=1')).body['total']);
    const list = listOf((await after.get(`/requests?limit=${total}`)).body['items']).map(({ requestId }) => requestId);
    expect(acknowledged.filter((id) => !list.includes(id))).toEqual([]);
    // What was launched for calls that were never answered is known too.
    const machines = listOf((await after.get('/machines?limit=10000')).body['items']).map(({ machineId }) => machineId);
    await expect
      .poll(
        async () => {
          const known = listOf((await after.get('/machines?limit=10000')).body['items']).map(
            ({ machineId }) => machineId,
          );
          return (await backend.instanceIds('pending', 'running')).filter((id) => !known.includes(id));
        },
        { timeout: 50_000 },
      )
      .toEqual([]);
    expect(machines.length).toBeGreaterThan(0);
    await after.stop();
  });

  it('says that it is not ready while the templates cannot be read, and lives on', async () => {
    const file = join(plugin.directory, 'conf', 'awsinstprov_templates.json');
    const templates = await readFile(file, 'utf8');
    expect((await server.get('/readyz')).text).toBe('ok');
    await writeFile(file, '{');
    await expect
      .poll(async () => (await server.get('/readyz')).text, { timeout: 20_000 })
      .toBe('the templates cannot be read');
    expect([(await server.get('/readyz')).status, (await server.get('/livez')).status]).toEqual([503, 200]);
    await writeFile(file, templates);
    await expect.poll(async () => (await server.get('/readyz')).status, { timeout: 20_000 }).toBe(200);
  });
});
