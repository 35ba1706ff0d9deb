import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hfAws } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { askCli, listOf, logOf, runCli, type Server, startServer } from './entries.ts';
import { createPlugin, home, hostOf, type Json, type Plugin, tablesAt } from './plugin.ts';
import { testTemplates } from './templates.ts';

/** What writes a record's file is about the work folder. */
const isInTable = tablesAt !== undefined;

/** One test per row of the CQRS capabilities, by its number, seen from outside wherever somebody outside can see it. */

let backend: EmulatorBackend;
let plugin: Plugin;
let server: Server;

const extra = (place: Json): readonly Json[] => [
  { templateId: 'broken', maxNumber: 5, priceType: 'ondemand', attributes: {}, subnetId: 'nowhere' },
  { ...testTemplates(place)[0], templateId: 'disk', rootDeviceVolumeSize: 20 },
];

beforeAll(async () => {
  backend = await emulatorBackend();
  const templates = [...testTemplates(backend.place), ...extra(backend.place)];
  plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, templates);
  server = await startServer(plugin);
});
afterAll(async () => {
  await server.stop();
  await plugin.remove();
  await backend.close();
});

const cli = (...args: readonly string[]): Promise<Json> => askCli(plugin, ...args);
const create = async (count = 1, ...args: readonly string[]) => {
  const answer = await cli('requests', 'create', 'all', String(count), ...args);
  return { requestId: String(answer['requestId']), version: Number(answer['version']), answer };
};
/** By a process of its own, as only such a one has a tracer of its own. */
const createTraced = async (count: number, ...args: readonly string[]): Promise<string> => {
  const { stdout } = await hfAws(plugin, ['requests', 'create', 'all', String(count), '--json', ...args]);
  return String(JSON.parse(stdout).requestId);
};
/** The server looks for what others append several times a second; this asks it to have seen it. */
const seen = ({ requestId, version }: { requestId: string; version: number }): string =>
  `expect_version=${requestId}:${version}`;
const eventsOf = async (requestId: string): Promise<readonly Json[]> =>
  listOf((await cli('events', 'list', '--request', requestId))['items']);
const allEvents = async (): Promise<readonly Json[]> =>
  listOf((await cli('events', 'list', '--limit', '10000'))['items']);
const itemsOf = async (...args: readonly string[]): Promise<readonly Json[]> => listOf((await cli(...args))['items']);
const callsNaming = (ids: readonly string[]): number =>
  backend.emulator.calls().filter(({ parameters }) => Object.values(parameters).some((value) => ids.includes(value)))
    .length;
const sourceOf = (path: string): Promise<string> => readFile(join(home, 'src', path), 'utf8');
/** The lines of the log with this text. */
const loggedWith = async (text: string): Promise<readonly string[]> =>
  (await logOf(plugin)).filter((line) => line.includes(text));
const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  server.call('POST', path, { body, headers });

/** A request whose machines do not come up by themselves in the meantime, so that it can be cancelled. */
/** The form of every time in an answer. */
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const createPending = async (count: number) => {
  backend.emulator.configure({ pendingMs: 120_000 });
  const created = await create(count);
  backend.emulator.configure({ pendingMs: 300 });
  return created;
};

/** What the server still has to bring to its end: when there is nothing, nothing changes by itself. */
const open = async (): Promise<readonly Json[]> =>
  (await itemsOf('requests', 'list', '--limit', '1000')).filter(
    ({ status, settledAt }) => status === 'running' || settledAt === undefined,
  );

describe('1. commands', () => {
  it('1.1 queries change nothing: run twice, the number of events is the same', async () => {
    const { requestId } = await create();
    await plugin.settled(requestId);
    const before = (await allEvents()).length;
    for (let round = 0; round < 2; round++) {
      await cli('requests', 'list');
      await cli('requests', 'show', requestId, '--no-sync', '--machines');
      for (const noun of ['machines', 'templates']) await cli(noun, 'list');
      await cli('projections', 'status');
    }
    expect(await allEvents()).toHaveLength(before);
  });

  it('1.2 the correlation id and the user of a command are on its events', async () => {
    const byCli = await create(1, '--correlation-id', 'X-1', '--user', 'ana');
    const headers = { 'x-correlation-id': 'X-2', 'x-user': 'ben' };
    const byRest = (await post('/requests', { template_id: 'all', max_number: 1 }, headers)).body;
    expect(await eventsOf(byCli.requestId)).toContainEqual(
      expect.objectContaining({ correlationId: 'X-1', userId: 'ana' }),
    );
    const events = await eventsOf(String(byRest['request_id']));
    expect(events.map(({ correlationId, userId }) => [correlationId, userId])).toContainEqual(['X-2', 'ben']);
  });

  it('1.3 the same command id twice is one request and the same answer, by either way in', async () => {
    const commandId = randomUUID();
    const launched = backend.emulator.countCalls()['RunInstances'] ?? 0;
    const [first, second] = [await create(1, '--command-id', commandId), await create(1, '--command-id', commandId)];
    const third = await post('/requests', { template_id: 'all', max_number: 1, command_id: commandId });
    expect(second.answer).toEqual(first.answer);
    expect(third.body).toMatchObject({ request_id: first.requestId, version: first.version });
    expect(backend.emulator.countCalls()['RunInstances']).toBe(launched + 1);
    expect(await eventsOf(first.requestId)).toContainEqual(
      expect.objectContaining({ commandId, at: expect.stringMatching(isoTime) }),
    );
    const other = await post('/requests', { template_id: 'all', max_number: 2 }, { 'idempotency-key': commandId });
    expect([other.status, other.body['code']]).toEqual([409, 'command.conflict']);
  });

  it('1.3 a command without an id is given one', async () => {
    const [event] = await eventsOf((await create()).requestId);
    expect(event?.['commandId']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('1.4 requestMachines makes a request of the template and number', async () => {
    const requestId = await plugin.request('all', 2);
    expect(await eventsOf(requestId)).toContainEqual(expect.objectContaining({ type: 'RequestCreated', wanted: 2 }));
  });

  it('1.5 an observed state of a machine is recorded with what the caller adds', async () => {
    const { requestId } = await create();
    const [machine] = await itemsOf('machines', 'list', '--request', requestId);
    await cli('machines', 'set-status', String(machine?.['machineId']), 'stopping', '--metadata', 'by=ops');
    const [after] = await itemsOf('machines', 'list', '--request', requestId);
    expect(after?.['status']).toBe('stopping');
    const reported = expect.objectContaining({ type: 'MachineStatusReported', metadata: { by: 'ops' } });
    expect(await eventsOf(requestId)).toContainEqual(reported);
  });

  it('1.6 validating a template tells every problem, exit 1 when there is any', async () => {
    const bad = await runCli(plugin, 'templates', 'validate', 'broken', '--json');
    expect([bad.exitCode, bad.json['isValid']]).toEqual([1, false]);
    expect(listOf(bad.json['errors']).map(({ field }) => field)).toContain('vmType');
    expect(await cli('templates', 'validate', 'od')).toMatchObject({ isValid: true, errors: [] });
    const rest = await post('/templates/broken/validate', undefined);
    expect([rest.status, rest.body]).toEqual([200, bad.json]);
    const unknown = await post('/templates/nothing/validate', undefined);
    expect([unknown.status, unknown.body['code']]).toEqual([404, 'template.not-found']);
    expect(await loggedWith('template.validating')).not.toEqual([]);
  });

  it('1.7 a request is cancelled with a reason: its machines go, and nobody launches more', async () => {
    const { requestId } = await createPending(2);
    const { status, body } = await server.call('DELETE', `/requests/${requestId}?reason=mistake`);
    expect([status, body['status']]).toEqual([200, 'cancelled']);
    const entry = await plugin.settled(requestId);
    expect(entry).toMatchObject({
      status: 'complete_with_error',
      message: expect.stringContaining('Cancelled: mistake'),
    });
    expect(entry.machines.map(({ result }) => result)).toEqual(['fail', 'fail']);
    const running = await backend.instanceIds('pending', 'running');
    expect(entry.machines.filter(({ machineId }) => running.includes(machineId))).toEqual([]);
    expect((await cli('requests', 'show', requestId))['status']).toBe('cancelled');
  });

  it('1.7 a request that has come to its end is not cancelled, machines are returned', async () => {
    const { requestId } = await create();
    await plugin.settled(requestId);
    const late = await server.call('DELETE', `/requests/${requestId}?reason=late`);
    expect([late.status, late.body['code']]).toEqual([409, 'request.settled']);
    const [machine] = await itemsOf('machines', 'list', '--request', requestId);
    const returned = await post('/returns', { machines: [{ machineId: machine?.['machineId'] }] });
    expect(returned.status).toBe(201);
    expect((await server.get(`/returns/${String(returned.body['request_id'])}`)).body).toMatchObject({
      kind: 'return',
    });
  });

  it('1.9 fields with a default may be left out: the event shows the default', async () => {
    const [created] = await eventsOf((await create()).requestId);
    expect(created).toMatchObject({ type: 'RequestCreated', attributes: {} });
  });

  it('1.10 who asked, and in which role, is on the event', async () => {
    const [created] = await eventsOf((await create(1, '--user', 'ana')).requestId);
    expect(created).toMatchObject({ userId: 'ana', role: 'admin' });
  });

  it('1.11 commands answer with id, status and version, not with machines', async () => {
    const { answer } = await create();
    expect(Object.keys(answer).sort()).toEqual(['message', 'requestId', 'status', 'version']);
    const rest = await post('/requests', { template_id: 'all', max_number: 1 });
    expect([rest.status, Object.keys(rest.body).sort()]).toEqual([201, ['message', 'request_id', 'status', 'version']]);
  });
});

describe('2. queries', () => {
  it('2.1 the correlation id of a query is on its log lines', async () => {
    await cli('requests', 'list', '--correlation-id', 'query-21');
    expect((await loggedWith('query-21')).some((line) => line.includes('ListRequests'))).toBe(true);
  });

  it('2.2 templates by filter and page', async () => {
    const filter = ['templates', 'list', '--filter', 'priceType=ondemand'];
    const all = (await itemsOf(...filter)).map(({ templateId }) => templateId);
    const page = (await itemsOf(...filter, '--limit', '2', '--offset', '1')).map(({ templateId }) => templateId);
    expect([page, all.length > 3]).toEqual([all.slice(1, 3), true]);
    const rest = await server.get('/templates?filter=priceType=ondemand&limit=2&offset=1');
    expect(listOf(rest.body['items']).map(({ templateId }) => templateId)).toEqual(page);
    expect(await itemsOf('templates', 'list', '--filter', 'priceType=spot')).toEqual([]);
  });

  it('2.3 machines only when asked', async () => {
    const { requestId } = await create();
    expect(await cli('requests', 'show', requestId)).not.toHaveProperty('machines');
    expect((await cli('requests', 'show', requestId, '--machines'))['machines']).toHaveLength(1);
    expect((await server.get(`/requests/${requestId}`)).body).not.toHaveProperty('machines');
    expect((await server.get(`/requests/${requestId}?machines=true`)).body['machines']).toHaveLength(1);
  });

  it('2.4 an unknown id is 404, and exit 1 with a message', async () => {
    const unknown = `req-${randomUUID()}`;
    const { status, body } = await server.get(`/requests/${unknown}`);
    expect([status, body['code']]).toEqual([404, 'request.not-found']);
    const shown = await runCli(plugin, 'requests', 'show', unknown);
    expect([shown.exitCode, shown.stderr]).toEqual([1, `request.not-found: no request "${unknown}"\n`]);
  });

  it('2.5 lists by status, template and user, newest first', async () => {
    await create(1, '--user', 'carla');
    const last = await create(1, '--user', 'carla');
    const { items } = (await server.get(`/requests?user=carla&template=all&page=1&page_size=5&${seen(last)}`)).body;
    const times = listOf(items).map(({ createdAt }) => Date.parse(String(createdAt)));
    expect([times.length, times]).toEqual([2, [...times].sort((a, b) => b - a)]);
    expect(await itemsOf('requests', 'list', '--by', 'carla', '--status', 'cancelled')).toEqual([]);
    expect(await itemsOf('requests', 'list', '--by', 'carla', '--template', 'od')).toEqual([]);
  });

  it('2.6 searches text in requests and machines, sorted as asked', async () => {
    const { requestId } = await create(3, '--user', 'search-me');
    const last = await create(1, '--user', 'search-me');
    const found = (await server.get(`/requests/search?q=SEARCH-ME&sort_by=wanted&sort_order=asc&${seen(last)}`)).body[
      'items'
    ];
    expect(listOf(found).map(({ wanted }) => wanted)).toEqual([1, 3]);
    const machines = await itemsOf(
      'machines',
      'list',
      '--search',
      requestId,
      '--sort-by',
      'machine_id',
      '--sort-order',
      'asc',
    );
    const ids = machines.map(({ machineId }) => String(machineId));
    expect([ids.length, ids]).toEqual([3, [...ids].sort()]);
  });

  it('2.7 and 2.8 pages do not overlap, their union is everything, total_pages is rounded up', async () => {
    for (let n = 0; n < 2; n++) await create(1, '--user', 'pages');
    const last = await create(1, '--user', 'pages');
    const pages = await Promise.all(
      [1, 2].map((page) => server.get(`/requests?user=pages&page=${page}&page_size=2&${seen(last)}`)),
    );
    expect(
      pages.map(({ body: { items, total, page, page_size, total_pages } }) => [
        listOf(items).length,
        total,
        page,
        page_size,
        total_pages,
      ]),
    ).toEqual([
      [2, 3, 1, 2, 2],
      [1, 3, 2, 2, 2],
    ]);
    const ids = pages.flatMap(({ body }) => listOf(body['items']).map(({ requestId }) => requestId));
    expect(new Set(ids).size).toBe(3);
    const offset = await itemsOf('requests', 'list', '--by', 'pages', '--offset', '1', '--limit', '1', '--page', '3');
    expect(offset.map(({ requestId }) => requestId)).toEqual(ids.slice(1, 2));
  });

  it('2.9 views are flat, with counts and times', async () => {
    const { requestId } = await create(2);
    await plugin.settled(requestId);
    const [row] = await itemsOf('requests', 'list', '--search', requestId);
    expect(row).toMatchObject({
      requestId,
      kind: 'create',
      status: 'complete',
      wanted: 2,
      counts: { executing: 0, succeed: 2, fail: 0 },
    });
    const utc = expect.stringMatching(isoTime);
    expect([row?.['createdAt'], row?.['settledAt'], row?.['updatedAt']]).toEqual([utc, utc, utc]);
  });

  it('2.10 each entry point has its own form of an answer', async () => {
    const requestId = await plugin.request('all', 1);
    const entry = await plugin.settled(requestId);
    expect(Object.keys(entry).sort()).toEqual(['machines', 'message', 'requestId', 'status']);
    const view = (await server.get(`/requests/${requestId}`)).body;
    const fields = [
      'counts',
      'createdAt',
      'kind',
      'message',
      'requestId',
      'settledAt',
      'status',
      'templateId',
      'version',
      'wanted',
    ];
    expect(Object.keys(view).sort()).toEqual(fields);
    // Host Factory's own forms stay: seconds since the epoch there, ISO 8601 everywhere else.
    expect(entry.machines.map(({ launchtime }) => typeof launchtime)).toEqual(['number']);
    const { machines } = (await server.get(`/requests/${requestId}?machines=true`)).body;
    expect([view['createdAt'], ...listOf(machines).map(({ launchTime }) => launchTime)]).toEqual([
      expect.stringMatching(isoTime),
      expect.stringMatching(isoTime),
    ]);
  });

  it('2.11 without a look at EC2 first, a status costs no call and no event', async () => {
    const { requestId } = await create();
    const { machines } = await plugin.settled(requestId);
    // The server asks about what others still have open.
    const calls = () => callsNaming(machines.map(({ machineId }) => machineId));
    const before = [calls(), (await eventsOf(requestId)).length];
    await cli('requests', 'show', requestId, '--no-sync', '--machines');
    expect([calls(), (await eventsOf(requestId)).length]).toEqual(before);
  });
});

describe('3. buses', () => {
  it('3.1 the table of handlers can be seen', async () => {
    const { commands, queries } = await cli('handlers');
    expect(commands).toEqual(
      expect.arrayContaining(['CreateRequest', 'CancelRequest', 'UpdateMachineStatus', 'ValidateTemplate']),
    );
    expect(queries).toEqual(expect.arrayContaining(['GetTemplates', 'GetRequestStatus', 'ListRequests']));
  });

  it('3.2 executing, then succeeded or failed, in the log', async () => {
    await create(1, '--correlation-id', 'order-ok');
    await runCli(plugin, 'requests', 'create', 'nothing', '1', '--correlation-id', 'order-bad');
    const codes = async (id: string) =>
      (await loggedWith(id)).flatMap((line) => /\[(bus\.\w+)\] CreateRequest/.exec(line)?.[1] ?? []);
    expect(await codes('order-ok')).toEqual(['bus.executing', 'bus.succeeded']);
    expect(await codes('order-bad')).toEqual(['bus.executing', 'bus.failed']);
  });

  it('3.3 a type nobody handles is named', async () => {
    const { exitCode, stderr } = await runCli(plugin, 'dispatch', '{"type":"Nope"}');
    expect([exitCode, stderr]).toEqual([1, 'handler.not-found: no handler for the command Nope\n']);
  });

  it('3.4 one pair of names: a table of handlers, and execute', async () => {
    const bus = await sourceOf('application/bus/bus.ts');
    expect(bus).toContain('execute<T');
    expect(bus).not.toMatch(/register_handler|executeAsync/);
  });

  it('3.6 a command sent to the query side is refused, and the other way round', async () => {
    const command = '{"type":"CreateRequest","templateId":"all","maxNumber":1}';
    expect((await runCli(plugin, 'dispatch', '--bus', 'query', command)).stderr).toContain(
      'no handler for the query CreateRequest',
    );
    expect((await runCli(plugin, 'dispatch', '{"type":"ListRequests"}')).stderr).toContain(
      'no handler for the command ListRequests',
    );
    expect((await cli('dispatch', '--bus', 'query', '{"type":"ListRequests"}'))['page']).toBe(1);
  });

  it('3.7 no type is handled twice', async () => {
    const { commands, queries } = await cli('handlers');
    const all = [commands, queries].flatMap((types) => (Array.isArray(types) ? types.map(String) : []));
    expect(new Set(all).size).toBe(all.length);
  });

  // 3.8, that entry points know only the service, is in `npm run check:layers`.

  it('3.9 a long command holds up no query', async () => {
    backend.emulator.addFault({ action: 'RunInstances', effect: { kind: 'delay', ms: 1500 } });
    const order: string[] = [];
    const slow = post('/requests', { template_id: 'all', max_number: 1 }).then(() => order.push('command'));
    await server.get('/requests').then(() => order.push('query'));
    await slow;
    expect(order).toEqual(['query', 'command']);
  });

  it('3.10 a handler of the wrong type does not compile', async () => {
    // `npm run check` compiles this file with all others: an expected error that does not come is an error.
    const wrong = await readFile(join(home, 'test', 'unit', 'application', 'bus', 'bus-types.spec.ts'), 'utf8');
    expect(wrong.match(/@ts-expect-error/g)?.length).toBe(3);
    const { include } = JSON.parse(await readFile(join(home, 'tsconfig.json'), 'utf8'));
    expect(include).toContain('test');
  });

  it('3.11 every message passes the same stages, which a trace shows', async () => {
    const file = join(plugin.directory, 'stages.ndjson');
    await createTraced(1, '--trace-file', file);
    const names = (await spansIn(file)).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['entry hf-aws', 'operation CreateRequest', 'handler CreateRequest']));
    const bad = await runCli(plugin, 'dispatch', '{"type":"CreateRequest","templateId":"../x","maxNumber":0}');
    expect(bad.stderr).toContain('input.invalid: CreateRequest: templateId');
    expect(bad.stderr).toContain('maxNumber must be at least 1');
  });
});

const spansIn = async (file: string): Promise<readonly Json[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Json => Object(JSON.parse(line)));

describe('4. handlers', () => {
  it('4.1 one file, one operation', async () => {
    for (const [folder, list] of [
      ['commands', 'commands'],
      ['queries', 'queries'],
    ] as const) {
      for (const name of await readdir(join(home, 'src', 'application', folder))) {
        const exported = (await sourceOf(`application/${list}/${name}`)).match(/^export const (\w+Handler) =/gm) ?? [];
        expect([name, exported.length]).toEqual([name, 1]);
      }
    }
  });

  it('4.2 the intent is on record before AWS is called; an unknown template changes nothing', async () => {
    const events = await eventsOf((await create()).requestId);
    expect(events.slice(0, 3).map(({ type }) => type)).toEqual(['RequestCreated', 'LaunchIntended', 'CapacityGranted']);
    const requests = async () =>
      (await itemsOf('events', 'list', '--type', 'RequestCreated', '--limit', '10000')).length;
    const before = await requests();
    const unknown = await runCli(plugin, 'requests', 'create', 'nothing', '1');
    expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining('template.not-found')]);
    expect(await requests()).toBe(before);
  });

  it('4.2 a launch whose answer was lost is found by the next look', async () => {
    backend.emulator.addFault({ action: 'RunInstances', times: 'always', effect: { kind: 'drop-after' } });
    const { requestId, answer } = await create();
    backend.emulator.clearFaults();
    expect(answer['message']).toContain('AWS has not confirmed the launch yet');
    expect((await plugin.settled(requestId)).machines).toHaveLength(1);
  });

  it('4.3 see 1.6: validation is logged before and after', async () => {
    await cli('templates', 'validate', 'od', '--correlation-id', 'validate-43');
    const codes = (await loggedWith('validate-43')).flatMap((line) => /\[(template\.\w+)\]/.exec(line)?.[1] ?? []);
    expect(codes).toEqual(['template.validating', 'template.validated']);
  });

  it('4.4 the number of templates is logged', async () => {
    const { body } = await plugin.call('getAvailableTemplates', {});
    const count = listOf(body['templates']).length;
    expect((await loggedWith('templates.read')).at(-1)).toContain(`] ${count} of ${count} templates`);
  });

  it('4.5 an unknown request is an error to Host Factory, never running', async () => {
    const [entry] = await plugin.status(`req-${randomUUID()}`);
    expect(entry).toMatchObject({ status: 'complete_with_error', message: expect.stringContaining('no request') });
  });

  it.each([0, -1, 1.5, 1_000_000])('4.6 a count of %d is refused before AWS is called', async (machineCount) => {
    // The server looks at open requests all the time: what must not come is a launch.
    const launches = () => backend.emulator.countCalls()['RunInstances'] ?? 0;
    const before = launches();
    const { exitCode, body } = await plugin.call('requestMachines', { template: { templateId: 'od', machineCount } });
    expect([exitCode, typeof body['message']]).toEqual([1, 'string']);
    expect((await post('/requests', { template_id: 'od', max_number: machineCount })).status).toBe(400);
    expect(launches()).toBe(before);
  });

  it('4.7 a template id that breaks the rule is told the rule', async () => {
    const { status, body } = await post('/requests', { template_id: 'a b', max_number: 1 });
    expect([status, body['detail']]).toEqual([400, expect.stringContaining('^[0-9A-Za-z_-]{1,64}$')]);
    expect((await post('/requests', { template_id: 'a'.repeat(65), max_number: 1 })).status).toBe(400);
  });

  it('4.8 commands cannot reach the read model: it may be broken and they work', async () => {
    await cli('requests', 'list');
    const file = join(plugin.workDir, 'projections', 'requests.ndjson');
    await writeFile(file, 'broken');
    const { requestId } = await create();
    expect((await itemsOf('requests', 'list', '--search', requestId)).length).toBe(1);
  });

  it('4.9 returning twice is a success both times', async () => {
    const { machines } = await plugin.settled((await create()).requestId);
    const hosts = machines.map(hostOf);
    await plugin.settled(await plugin.giveBack(hosts));
    expect(await plugin.settled(await plugin.giveBack(hosts))).toMatchObject({ status: 'complete' });
  });

  it('4.10 unit tests need no network: none names an address but loopback', async () => {
    const files = await readdir(join(home, 'test', 'unit', 'application'), { recursive: true });
    const texts = await Promise.all(
      files
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFile(join(home, 'test', 'unit', 'application', name), 'utf8')),
    );
    expect(texts.filter((text) => /https?:\/\/|node:(http|net)/.test(text))).toEqual([]);
  });
});

describe('5. events', () => {
  it('5.1 and 5.2 what happened is a list of facts in the past tense', async () => {
    const { requestId } = await create();
    await plugin.settled(requestId);
    const types = new Set((await eventsOf(requestId)).map(({ type }) => type));
    expect([...types].sort()).toEqual([
      'CapacityGranted',
      'LaunchIntended',
      'MachinesObserved',
      'RequestClaimed',
      'RequestCompleted',
      'RequestCreated',
    ]);
  });

  it('5.3 the save comes first: a server that cannot write its read model loses no event', async () => {
    const projections = join(plugin.workDir, 'projections');
    await rm(projections, { recursive: true, force: true });
    await writeFile(projections, 'in the way');
    const { status, body } = await post('/requests', { template_id: 'all', max_number: 1 });
    const events = listOf((await server.get(`/requests/${String(body['request_id'])}/events`)).body['items']);
    await rm(projections);
    expect([status, events[0]?.['type']]).toEqual([201, 'RequestCreated']);
  });

  it('5.4 of many processes that append to one stream at once none loses an event', async () => {
    const { requestId } = await create(4);
    const { machines } = await plugin.settled(requestId);
    const report = ({ machineId }: { machineId: string }) => cli('machines', 'set-status', machineId, 'stopping');
    const versions = (await Promise.all(machines.map(report))).map(({ version }) => Number(version));
    const reported = (await eventsOf(requestId)).filter(({ type }) => type === 'MachineStatusReported');
    expect([reported.length, new Set(versions).size]).toEqual([4, 4]);
  });

  it('5.5 all events can be read in order, from any position on, a few at a time', async () => {
    await create();
    await expect.poll(open, { timeout: 50_000, interval: 500 }).toEqual([]);
    const all = (await allEvents()).map(({ position }) => position);
    const first = await cli('events', 'list', '--limit', '3');
    const rest = await cli('events', 'list', '--from', String(first['next']), '--limit', '10000');
    expect([...listOf(first['items']), ...listOf(rest['items'])].map(({ position }) => position)).toEqual(all);
    const times = (await allEvents()).map(({ at }) => Date.parse(String(at)));
    expect([new Set(all).size, times]).toEqual([all.length, [...times].sort((a, b) => a - b)]);
    const refused = await itemsOf('events', 'list', '--type', 'RequestCancelled');
    expect(refused.every(({ type }) => type === 'RequestCancelled')).toBe(true);
    const over = listOf((await server.get('/events?limit=3')).body['items']).map(({ position }) => position);
    expect(over).toEqual(all.slice(0, 3));
  });

  it('5.6 every command tells the version of the stream', async () => {
    const { requestId, version } = await createPending(1);
    // What is seen afterwards comes after it.
    const types = (await eventsOf(requestId)).map(({ type }) => type);
    expect(types[version - 1]).toBe('CapacityGranted');
    const cancelled = await server.call('DELETE', `/requests/${requestId}?reason=x`);
    expect((await eventsOf(requestId)).length).toBeGreaterThanOrEqual(Number(cancelled.body['version']));
    expect(Number(cancelled.body['version'])).toBeGreaterThan(version);
  });

  it.skipIf(isInTable)('5.7 events of version 1 are lifted when they are read', async () => {
    const requestId = 'req-00000000-0000-4000-8000-00000000a001';
    const folder = join(plugin.workDir, 'requests', requestId);
    await mkdir(folder, { recursive: true });
    const fixture = join(import.meta.dirname, 'fixtures', 'request-v1.json');
    await writeFile(join(folder, '000000000.json'), await readFile(fixture));
    const events = await eventsOf(requestId);
    expect(JSON.parse(await readFile(fixture, 'utf8')).events[0].schemaVersion).toBe(1);
    expect(events.map(({ schemaVersion, role }) => [schemaVersion, role])).toEqual([
      [3, 'admin'],
      [3, 'admin'],
      [3, 'admin'],
    ]);
    expect(await cli('requests', 'show', requestId, '--no-sync')).toMatchObject({ status: 'complete', wanted: 1 });
    await rm(folder, { recursive: true });
  });

  it('5.8 the store is behind a port: the application imports no file system', async () => {
    const files = (await readdir(join(home, 'src', 'application'), { recursive: true })).filter((name) =>
      name.endsWith('.ts'),
    );
    const texts = await Promise.all(files.map((name) => sourceOf(`application/${name}`)));
    expect(texts.filter((text) => /from '(node:|lowdb)/.test(text))).toEqual([]);
  });

  it('5.9 the provider is on the event', async () =>
    expect((await eventsOf((await create()).requestId))[0]).toMatchObject({ providerApi: 'RunInstances' }));
});

describe('6. projections', () => {
  it('6.1 are listed with how far they are', async () => {
    const items = await itemsOf('projections', 'status');
    expect(items.map(({ name }) => name)).toEqual(['requests', 'machines', 'counters', 'capacity']);
    expect(items.every(({ streams, events }) => typeof streams === 'number' && typeof events === 'number')).toBe(true);
  });

  it('6.2 nothing is left to apply after any list', async () => {
    await create();
    const behind = async () => {
      await cli('requests', 'list');
      return (await itemsOf('projections', 'status'))[0]?.['behind'];
    };
    // The server may append something between the list and the look.
    await expect.poll(behind, { timeout: 20_000 }).toBe(0);
  });

  it('6.3 a server applies what others append, and shows its lag', async () => {
    const { requestId } = await create();
    const deadline = Date.now() + 10_000;
    for (;;) {
      const [requests] = listOf((await server.get(`/projections?request=${requestId}`)).body['items']);
      if (Number(requests?.['version']) >= 3) break;
      if (Date.now() > deadline) throw new Error(`the server never applied ${requestId}`);
      await wait(50);
    }
  });

  // That an event which fails to apply is tried again and skipped is in read-model.spec.ts: no stored one can be made to fail.
  it.skipIf(isInTable)('6.4 a record that cannot be read is told and does not hide the others', async () => {
    const requestId = 'req-00000000-0000-4000-8000-00000000bad1';
    const folder = join(plugin.workDir, 'requests', requestId);
    await mkdir(folder, { recursive: true });
    const bad = { type: 'RequestCreated', at: 1, schemaVersion: 1 };
    await writeFile(
      join(folder, '000000000.json'),
      JSON.stringify({ stream: requestId, events: [bad, { ...bad, type: 'MachinesObserved' }] }),
    );
    try {
      expect((await itemsOf('machines', 'list')).length).toBeGreaterThan(0);
      expect((await runCli(plugin, 'requests', 'list')).stderr).toContain(requestId);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('6.5 and 6.9 deleted or rebuilt, they answer the same', async () => {
    const ask = async () => [
      await cli('requests', 'list', '--limit', '1000'),
      await cli('machines', 'list', '--limit', '1000'),
    ];
    await expect.poll(open, { timeout: 50_000, interval: 500 }).toEqual([]);
    const before = await ask();
    await rm(join(plugin.workDir, 'projections'), { recursive: true });
    expect(await ask()).toEqual(before);
    await cli('projections', 'rebuild', 'requests');
    await cli('projections', 'rebuild');
    expect(await ask()).toEqual(before);
    expect((await server.call('POST', '/projections/requests/rebuild')).status).toBe(200);
    expect(await readdir(join(plugin.workDir, 'projections'))).toEqual([
      'capacity.ndjson',
      'counters.ndjson',
      'machines.ndjson',
      'requests.ndjson',
    ]);
  });

  it('6.6 what a command answered is seen by the next query, by either way in', async () => {
    const { body } = await post('/requests', { template_id: 'all', max_number: 1 });
    const expected = `${String(body['request_id'])}:${String(body['version'])}`;
    const list = await server.get(`/requests?expect_version=${expected}&q=${String(body['request_id'])}`);
    expect([list.body['total'], list.body['_warning']]).toEqual([1, undefined]);
    const byCli = await cli('requests', 'list', '--expect-version', expected, '--search', String(body['request_id']));
    expect([byCli['total'], byCli['_warning']]).toEqual([1, undefined]);
  });

  it('6.7 what does not show up in time is said, but not to Host Factory', async () => {
    const { requestId } = await create();
    const stale = 'Data may be stale';
    const shown = await runCli(
      plugin,
      'requests',
      'show',
      requestId,
      '--expect-version',
      '9999',
      '--wait',
      '200ms',
      '--json',
    );
    expect([shown.json['_warning'], shown.stderr]).toEqual([stale, `warning: ${stale}\n`]);
    expect((await server.get(`/requests?expect_version=${requestId}:9999&wait=0.2`)).body['_warning']).toBe(stale);
    expect((await server.get(`/requests/${requestId}?expect_version=9999&wait=0.2`)).body['_warning']).toBe(stale);
    expect((await plugin.call('getRequestStatus', { requests: [{ requestId }] })).stdout).not.toContain('_warning');
  });

  it('6.8 each projection tells the version of a request', async () => {
    const { requestId } = await create();
    const { version } = (await server.get(`/requests/${requestId}`)).body;
    await cli('requests', 'list');
    const [requests, , counters] = await itemsOf('projections', 'status', '--request', requestId);
    expect([requests?.['version'], typeof counters?.['version']]).toEqual([version, 'number']);
  });

  it('6.10 the lag is a metric, and zero once a list was asked for', async () => {
    await create();
    const deadline = Date.now() + 10_000;
    while (!(await server.get('/metrics')).text.includes('hf_aws_projection_lag_streams{projection="requests"} 0')) {
      if (Date.now() > deadline) throw new Error('the lag never went away');
      await wait(50);
    }
  });

  it('6.11 a fact that does not change is asked for once: the next call finds it on disk, until it is over', async () => {
    const asked = () => backend.emulator.countCalls()['DescribeImages'] ?? 0;
    const before = asked();
    await cli('requests', 'create', 'disk', '1', '--correlation-id', 'cache-1');
    await cli('requests', 'create', 'disk', '1', '--correlation-id', 'cache-2');
    expect(asked()).toBe(before + 1);
    const codes = async (id: string) =>
      (await loggedWith(id)).flatMap((line) => /\[(cache\.\w+)\] aws root-device/.exec(line)?.[1] ?? []);
    expect([await codes('cache-1'), await codes('cache-2')]).toEqual([['cache.miss'], ['cache.hit']]);
    const file = join(plugin.workDir, 'cache', 'aws.json');
    const facts = await readFile(file, 'utf8');
    await writeFile(file, facts.replaceAll(/"expires":\d+/g, '"expires":1'));
    await cli('requests', 'create', 'disk', '1');
    expect(asked()).toBe(before + 2);
  });
});

describe('7. structure and entry points', () => {
  it('7.1 and 7.2 every file of an operation is handled, and nothing else', async () => {
    const { commands, queries } = await cli('handlers');
    const typesIn = async (folder: string) =>
      (await readdir(join(home, 'src', 'application', folder))).map((name) =>
        name.replace('.ts', '').replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()),
      );
    expect([...(Array.isArray(commands) ? commands.map(String) : [])].sort()).toEqual(
      (await typesIn('commands')).sort(),
    );
    expect([...(Array.isArray(queries) ? queries.map(String) : [])].sort()).toEqual((await typesIn('queries')).sort());
  });

  it('7.3 the five scripts need nothing of servers, traces, lists and administrators: they run where those are not installed', async () => {
    const bare = join(plugin.directory, 'bare');
    for (const folder of ['dist', 'scripts', 'config'])
      await cp(join(home, folder), join(bare, folder), { recursive: true });
    for (const part of ['handlers', 'reading', 'administration', 'server', 'tracing', 'admin', 'emulator'])
      await rm(join(bare, 'dist', `${part}.cjs`));
    const run = (operation: string, input: unknown) =>
      plugin.run(operation, ['--data', JSON.stringify(input)], { script: join(bare, 'scripts', `${operation}.sh`) });
    const { body } = await run('requestMachines', { template: { templateId: 'all', machineCount: 1 } });
    const { requestId } = body;
    const others = [
      await run('getAvailableTemplates', {}),
      await run('getRequestStatus', { requests: [{ requestId }] }),
      await run('requestReturnMachines', { machines: [] }),
      await run('getReturnRequests', { machines: [] }),
    ];
    expect([requestId, ...others.map(({ exitCode }) => exitCode)]).toEqual([
      expect.stringMatching(/^req-/),
      0,
      0,
      0,
      0,
    ]);
  });

  it('7.4 stdout of a script is one JSON document; the log is a file', async () => {
    const { stdout } = await plugin.call('getAvailableTemplates', {});
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect((await logOf(plugin)).length).toBeGreaterThan(0);
  });

  it('7.5 REST and the command line give the same data', async () => {
    const pairs = [
      ['/requests?page_size=3', ['requests', 'list', '--page-size', '3']],
      ['/machines?sort_by=machine_id&limit=4', ['machines', 'list', '--sort-by', 'machine_id', '--limit', '4']],
      ['/templates', ['templates', 'list']],
      ['/events?limit=4&type=RequestCreated', ['events', 'list', '--limit', '4', '--type', 'RequestCreated']],
      ['/returns', ['requests', 'list', '--kind', 'return']],
    ] as const;
    for (const [path, args] of pairs) {
      // The server looks at open requests by itself: the two are compared when nothing happened in between.
      await expect
        .poll(async () => [(await server.get(path)).body, await cli(...args)].map((body) => JSON.stringify(body)))
        .toSatisfy(([a, b]: string[]) => a === b);
    }
  });

  it('7.6 the command line prints the id for people, and a message when it fails', async () => {
    const { stdout, exitCode } = await runCli(plugin, 'requests', 'create', 'all', '1');
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^req-[0-9a-f-]{36}\n1 of 1 machines granted\.\n$/)]);
    const failed = await runCli(plugin, 'requests', 'create', 'none', '1');
    expect([failed.exitCode, failed.stderr]).toEqual([1, expect.stringContaining('template.limit: ')]);
  });

  it('7.7 POST /requests takes both forms and tells faults by status and code', async () => {
    expect((await post('/requests', { template_id: 'all', max_number: 1 })).body['request_id']).toMatch(/^req-/);
    const inTheirs = await post('/requests', { template: { templateId: 'all', machineCount: 1 } });
    expect([inTheirs.status, inTheirs.body['requestId']]).toEqual([201, expect.stringMatching(/^req-/)]);
    expect((await post('/requests', { template_id: 'none', max_number: 1 })).body).toMatchObject({
      status: 400,
      code: 'template.limit',
    });
    expect((await post('/requests', { template_id: 'nothing', max_number: 1 })).body).toMatchObject({
      status: 404,
      code: 'template.not-found',
    });
    expect((await post('/requests', '{"template_id":')).status).toBe(400);
    backend.emulator.addFault({
      action: 'RunInstances',
      effect: { kind: 'error', code: 'InsufficientInstanceCapacity' },
    });
    const refused = await post('/requests', { template_id: 'all', max_number: 1 });
    expect(refused.body).toMatchObject({
      status: 503,
      code: 'provider.capacity',
      detail: expect.stringContaining('InsufficientInstanceCapacity'),
    });
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    backend.emulator.clearFaults();
  });

  it('7.8 and 7.9 the description lists every route: GET only reads, POST and DELETE are commands', async () => {
    const { openapi, paths } = (await server.get('/openapi.json')).body;
    expect(openapi).toBe('3.1.0');
    const listed = Object.entries(Object(paths)).flatMap(([path, methods]) =>
      Object.keys(Object(methods)).map((method) => `${method} ${path}`),
    );
    expect(listed).toEqual(
      expect.arrayContaining([
        'post /requests',
        'get /requests',
        'get /requests/{id}',
        'delete /requests/{id}',
        'post /returns',
        'get /metrics',
      ]),
    );
    expect((await server.get('/docs')).text).toContain('POST /requests');
    await expect.poll(open, { timeout: 50_000, interval: 500 }).toEqual([]);
    const before = (await allEvents()).length;
    for (const path of [
      '/requests',
      '/machines',
      '/returns',
      '/events',
      '/projections',
      '/templates',
      '/health',
      '/livez',
      '/readyz',
    ]) {
      expect([path, (await server.get(path)).status]).toEqual([path, 200]);
    }
    expect((await allEvents()).length).toBe(before);
  });

  it('7.10 a fault has one form: status, title, detail, code', async () => {
    const { body } = await server.get('/nowhere');
    expect(body).toEqual({ status: 404, title: 'Not found', code: 'rest.not-found', detail: expect.any(String) });
  });

  it('7.11 with tokens nobody is let in without one, and none does more than its role', async () => {
    const file = join(plugin.directory, 'tokens.json');
    const tokenOf = (role: string): string => `${role}-token-of-sixteen`;
    const roles = ['viewer', 'operator', 'admin'];
    await writeFile(file, JSON.stringify(roles.map((role) => ({ token: tokenOf(role), user: `u-${role}`, role }))), {
      mode: 0o644,
    });
    expect((await runCli(plugin, 'serve', '--port', '0', '--tokens', file)).stderr).toContain(
      'must be private to its owner',
    );
    expect((await runCli(plugin, 'serve', '--port', '0', '--host', '0.0.0.0')).stderr).toContain('without --tokens');
    await chmod(file, 0o600);
    const guarded = await startServer(plugin, '--tokens', file);
    const as = (role: string) => ({ authorization: `Bearer ${tokenOf(role)}` });
    const order = { template_id: 'all', max_number: 1 };
    const ask = async (role: string, body: unknown = order) =>
      (await guarded.call('POST', '/requests', { body, headers: as(role) })).status;
    expect((await guarded.get('/requests')).headers.get('www-authenticate')).toBe('Bearer');
    expect([(await guarded.get('/requests')).status, (await guarded.get('/requests?limit=x')).status]).toEqual([
      401, 401,
    ]);
    expect((await guarded.get('/requests', as('viewer'))).status).toBe(200);
    expect([await ask('nobody'), await ask('viewer'), await ask('operator')]).toEqual([401, 403, 201]);
    expect((await guarded.call('POST', '/projections/requests/rebuild', { headers: as('operator') })).status).toBe(403);
    const { items } = (await guarded.get('/events?type=RequestCreated&limit=10000', as('viewer'))).body;
    expect(listOf(items)).toContainEqual(expect.objectContaining({ userId: 'u-operator', role: 'operator' }));
    expect((await guarded.get('/livez')).status).toBe(200);
    expect(await guarded.stop()).toBe(0);
  });

  it('7.12 a page elsewhere cannot reach loopback through a browser', async () => {
    const port = new URL(server.url).port;
    const args = [
      '-s',
      '-H',
      'Host: evil.example',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      `http://127.0.0.1:${port}/requests`,
    ];
    expect(execFileSync('curl', args, { encoding: 'utf8' })).toBe('403');
  });

  it('7.13 a server can be made to answer queries only', async () => {
    const reader = await startServer(plugin, '--read-only');
    expect((await reader.get('/requests')).status).toBe(200);
    const refused = await reader.call('POST', '/requests', { body: { template_id: 'all', max_number: 1 } });
    expect([refused.status, refused.body['code']]).toEqual([403, 'rest.read-only']);
    await reader.stop();
  });

  it('7.14 there are pages on how it is built, wired and tested', async () => {
    const architecture = await readFile(join(home, 'src', 'README.md'), 'utf8');
    for (const heading of ['## How a message travels', '## Adding an operation', '## Wiring', '## Testing'])
      expect(architecture).toContain(heading);
  });
});

describe('8. errors', () => {
  it('8.1 domain errors are logged as such, exit 1, with a message', async () => {
    const { exitCode, body } = await plugin.call('requestMachines', {
      template: { templateId: 'nothing', machineCount: 1 },
    });
    expect([exitCode, body['message']]).toEqual([1, expect.stringContaining('no template "nothing"')]);
    expect(await loggedWith('domain error: no template')).not.toEqual([]);
  });

  it('8.2 infrastructure errors are logged as such, with AWS’s code', async () => {
    const effect = { kind: 'error', code: 'UnauthorizedOperation' } as const;
    backend.emulator.addFault({ action: 'RunInstances', effect });
    const { exitCode } = await runCli(plugin, 'requests', 'create', 'all', '1', '--correlation-id', 'denied-82');
    backend.emulator.clearFaults();
    const line = (await loggedWith('denied-82')).find((each) => each.includes('infrastructure error')) ?? '';
    expect([exitCode, line]).toEqual([1, expect.stringContaining('UnauthorizedOperation')]);
  });

  it('8.3 a list that cannot be read is empty with a warning; Host Factory gets an error instead', async () => {
    const file = join(plugin.env['HF_PROVIDER_CONFDIR'] ?? '', 'awsinstprov_templates.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, '{"templates": [');
    const list = await runCli(plugin, 'templates', 'list', '--json');
    const rest = await server.get('/templates');
    const script = await plugin.call('getAvailableTemplates', {});
    await writeFile(file, text);
    expect([list.exitCode, list.json['items'], list.json['_warning']]).toEqual([0, [], expect.stringContaining(file)]);
    expect([rest.status, rest.body['items'], typeof rest.body['_warning']]).toEqual([200, [], 'string']);
    expect([script.exitCode, script.body['message']]).toEqual([1, expect.stringContaining(file)]);
    expect(await loggedWith('list.unreadable')).not.toEqual([]);
  });

  it('8.4 no answer shows a stack', async () => {
    const bad = [
      '/requests?limit=-1',
      '/requests/x',
      '/machines?status=x',
      '/events?from=x',
      '/requests?expect_version=x',
      '/%ff',
    ];
    for (const path of bad) {
      const { status, text } = await server.get(path);
      expect([path, status, text.includes('    at ') || text.includes('.cjs')]).toEqual([
        path,
        status < 500 ? status : 400,
        false,
      ]);
    }
  });
});

describe('9. telemetry', () => {
  it('9.1 to 9.3 a trace has the entry point, the operation, the handler, the store and each AWS call, with what they are about', async () => {
    const file = join(plugin.directory, 'trace.ndjson');
    const requestId = await createTraced(2, '--trace-file', file);
    const spans = await spansIn(file);
    // The first of each name: looking at what was created appends once more.
    const byName = new Map(spans.toReversed().map((span) => [span['name'], span]));
    const parentOf = (name: string) =>
      spans.find(({ spanId }) => spanId === byName.get(name)?.['parentSpanId'])?.['name'];
    expect(
      ['aws RunInstances', 'store append', 'handler CreateRequest', 'operation CreateRequest'].map(parentOf),
    ).toEqual(['handler CreateRequest', 'handler CreateRequest', 'operation CreateRequest', 'entry hf-aws']);
    expect(byName.get('operation CreateRequest')?.['attributes']).toMatchObject({
      'hf.templateId': 'all',
      'hf.maxNumber': 2,
    });
    expect(byName.get('store append')?.['attributes']).toMatchObject({ 'hf.requestId': requestId });
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  });

  it('9.1 spans of a script go to the collector that the OTEL_ variables name', async () => {
    const { createServer } = await import('node:http');
    const bodies: string[] = [];
    const collector = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks).toString('utf8'));
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const address = collector.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const env = { ...plugin.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
    await plugin.run('getAvailableTemplates', ['--data', '{}'], { env });
    collector.close();
    expect(bodies.join('')).toContain('operation GetTemplates');
    expect(bodies.join('')).toContain('entry getAvailableTemplates');
  });

  const metric = (text: string, name: string): number =>
    Number(new RegExp(`^${name.replaceAll(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  const metrics = async (): Promise<string> => (await runCli(plugin, 'metrics')).stdout;

  it('9.4 and 9.5 metrics outlive the process that counted them and grow by one per call', async () => {
    const names = [
      'hf_aws_requests_created{template="all"}',
      'hf_aws_aws_calls{action="RunInstances"}',
      'hf_aws_operation_duration_ms_count{operation="CreateRequest"}',
    ];
    const before = await metrics();
    await plugin.request('all', 1);
    const after = await metrics();
    expect(names.map((name) => metric(after, name) - metric(before, name))).toEqual([1, 1, 1]);
    const last = 'hf_aws_last_call_timestamp_seconds{entry="requestMachines"}';
    expect(Math.abs(metric(after, last) - Date.now() / 1000)).toBeLessThan(60);
    const sum = 'hf_aws_operation_duration_ms_sum{operation="CreateRequest"}';
    expect(metric(after, sum)).toBeGreaterThan(metric(before, sum));
    // The server looks for what other processes have done twice a second.
    const served = async (): Promise<string> => (await server.get('/metrics')).text;
    await expect.poll(async () => metric(await served(), names[0] ?? '')).toBe(metric(after, names[0] ?? ''));
    expect(await served()).toMatch(/^hf_aws_machines\{state="(pending|running)",template="all"\} \d+$/m);
  });

  it('9.4 the text file for node_exporter is written by Host Factory’s own calls', async () => {
    const file = join(plugin.directory, 'hf-aws.prom');
    await plugin.configure({ metricsTextfile: file });
    await plugin.call('getReturnRequests', { machines: [] });
    // The server that answers the script writes it after its answer.
    const created = async () =>
      metric(await readFile(file, 'utf8').catch(() => ''), 'hf_aws_requests_created{template="all"}');
    await expect.poll(created).toBeGreaterThan(0);
    await plugin.configure({});
  });

  it('9.4 a text file that cannot be written keeps nothing else from being done', async () => {
    const other = await createPlugin({ AWS_ENDPOINT_URL: backend.url, metricsTextfile: '/nowhere/hf-aws.prom' }, []);
    await other.call('getReturnRequests', { machines: [] });
    const log = (await logOf(other)).join('\n');
    expect(log).toContain('metricsTextfile /nowhere/hf-aws.prom');
    expect(await readFile(join(other.workDir, 'cache', 'housekeeping.json'), 'utf8')).toContain('"sweep":');
    await other.remove();
  });

  it('9.6 one id finds a call in the log, its events and its trace', async () => {
    const file = join(plugin.directory, 'correlated.ndjson');
    const requestId = await createTraced(1, '--correlation-id', 'one-96', '--trace-file', file);
    const lines = await loggedWith('one-96');
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.some((line) => line.includes(requestId) && line.includes('request.created'))).toBe(true);
    expect(lines.some((line) => line.includes('commandId'))).toBe(true);
    expect((await spansIn(file)).some((span) => JSON.stringify(span).includes('one-96'))).toBe(true);
    expect(
      (await eventsOf(requestId)).every(
        ({ correlationId }) => correlationId === 'one-96' || correlationId !== undefined,
      ),
    ).toBe(true);
  });
});
