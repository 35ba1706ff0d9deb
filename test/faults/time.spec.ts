import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from '../e2e/backends.ts';
import { askCli } from '../e2e/entries.ts';
import { createPlugin, home, hostOf, type Json, type MachineEntry, type Plugin, tablesAt } from '../e2e/plugin.ts';
import { testTemplates } from '../e2e/templates.ts';
import { movedClock, setClock } from './clock.ts';
import { stateTable } from './grid.ts';
import { count } from './tally.ts';

/** The least the configuration takes. */
const actionTimeoutSeconds = 5;

describe('when AWS never answers', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;
  let machines: readonly MachineEntry[];
  let requestId: string;

  beforeAll(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, actionTimeoutSeconds }, testTemplates(backend.place));
    ({ machines } = await plugin.settled(await plugin.request('od', 1)));
    requestId = await plugin.request('od', 1);
    backend.emulator.addFault({ effect: { kind: 'hang' }, times: 'always' });
  });
  afterAll(async () => {
    await plugin.remove();
    await backend.close();
  });

  const cases: readonly (readonly [operation: string, input: () => Json, answer: Json])[] = [
    [
      'requestMachines',
      () => ({ template: { templateId: 'od', machineCount: 1 } }),
      { requestId: expect.stringMatching(/^req-/), message: expect.stringContaining('not confirmed') },
    ],
    ['getRequestStatus', () => ({ requests: [{ requestId }] }), { requests: [{ status: 'running' }] }],
    [
      'requestReturnMachines',
      () => ({ machines: machines.map(hostOf) }),
      { requestId: expect.stringMatching(/^ret-/), message: expect.stringContaining('not shown by EC2') },
    ],
    ['getReturnRequests', () => ({ machines: machines.map(hostOf) }), { requests: [] }],
  ];

  it.each(cases)('%s answers within its time', async (operation, input, answer) => {
    const begun = performance.now();
    const { exitCode, body } = await plugin.call(operation, input());
    count({ 'faults injected': 1 });
    expect(performance.now() - begun).toBeLessThan(actionTimeoutSeconds * 1000);
    expect(exitCode, JSON.stringify(body)).toBe(0);
    expect(body).toMatchObject(answer);
  });

  it.each(cases)(
    '%s answers within its time also where Node takes a third of it to start',
    async (operation, input, answer) => {
      const env = {
        ...plugin.env,
        NODE_OPTIONS: `--require ${join(import.meta.dirname, 'preload', 'slow-start.cjs')}`,
      };
      const { exitCode, body } = await plugin.call(operation, input(), { env });
      count({ 'faults injected': 1 });
      expect(exitCode, JSON.stringify(body)).toBe(0);
      expect(body).toMatchObject(answer);
    },
  );

  it.each(cases)('%s answers when it is told to end, long before its time', async (operation, input, answer) => {
    const file = join(plugin.directory, `${operation}.json`);
    await writeFile(file, JSON.stringify(input()));
    backend.emulator.forgetCalls();
    const child = spawn(join(home, 'scripts', `${operation}.sh`), ['-f', file], { env: plugin.env });
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += String(chunk);
    });
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
    await expect.poll(() => backend.emulator.calls().length, { timeout: 30_000 }).toBeGreaterThan(0);
    const told = performance.now();
    child.kill('SIGTERM');
    expect(await closed, stdout).toBe(0);
    count({ 'kills tried': 1, 'faults injected': 1 });
    expect(performance.now() - told).toBeLessThan((actionTimeoutSeconds * 1000) / 4);
    expect(JSON.parse(stdout)).toMatchObject(answer);
  });

  it('what was under way is found out afterwards: nothing launched, nothing lost', async () => {
    backend.emulator.clearFaults();
    await plugin.configure({ consistencyWindowSeconds: 0 });
    expect((await plugin.settled(requestId)).machines).toHaveLength(1);
  });

  it.each(['SIGTERM', 'its time'])('an input that never comes ends by %s', async (end) => {
    const script = join(home, 'scripts', 'getRequestStatus.sh');
    const child = spawn(script, [], { env: plugin.env, stdio: ['pipe', 'pipe', 'ignore'] });
    let stdout = '';
    child.stdout?.on('data', (chunk) => {
      stdout += String(chunk);
    });
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
    // More than a pipe holds: once it is taken, the program is there and reads.
    const taken = new Promise((resolve) => child.stdin?.write(' '.repeat(300_000), resolve));
    if (end === 'SIGTERM') void taken.then(() => child.kill('SIGTERM'));
    expect(await closed).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ message: expect.stringMatching(/SIGTERM|a signal|time of the call/) });
  });
});

describe('a management host whose clock is wrong', () => {
  let passed: number;
  let backend: EmulatorBackend;
  let plugin: Plugin;
  const [minute, year] = [60_000, 365 * 24 * 3_600_000];
  /** The same work folder, by a host whose clock is so much ahead, ms. */
  const onHost = (ahead: number): Plugin => {
    setClock(plugin.directory, passed, ahead);
    return plugin;
  };
  const statusOf = async (requestId: string, ahead: number): Promise<string | undefined> => {
    count({ 'faults injected': 1 });
    return (await onHost(ahead).status(requestId))[0]?.status;
  };

  beforeEach(async () => {
    passed = 0;
    backend = await emulatorBackend({ now: () => Date.now() + passed });
    // By the clock of AWS, as the instances.
    const inTable = tablesAt === undefined ? {} : { stateTable, stateEndpoint: backend.url };
    backend.emulator.configure({ tables: [stateTable] });
    const config = { AWS_ENDPOINT_URL: backend.url, ...inTable };
    plugin = await createPlugin(config, testTemplates(backend.place), movedClock);
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.close();
  });

  it.each([10 * minute, -10 * minute])(
    '%i ms ahead, takes no machine for gone that EC2 does not show yet',
    async (ahead) => {
      backend.emulator.configure({ invisibleForCalls: 20 });
      const requestId = await onHost(0).request('od', 2);
      const [entry] = await plugin.status(requestId);
      const [machine] = entry?.machines ?? [];
      const returnId = await plugin.giveBack([{ machineId: machine?.machineId }]);
      const hosts = (entry?.machines ?? []).map(({ machineId }) => ({ machineId }));
      for (const clock of [0, ahead]) {
        expect([await statusOf(requestId, clock), await statusOf(returnId, clock)]).toEqual(['running', 'running']);
        expect(await plugin.reclaims([...hosts, { machineId: 'i-0fedcba9876543210' }])).toEqual([]);
      }
      expect((await plugin.settled(returnId)).machines).toMatchObject([{ message: '' }]);
      expect((await plugin.settled(requestId)).status).toBe('complete');
      expect(await backend.instanceIds('running')).toHaveLength(1);
    },
  );

  it.each([year, -year])('is set %i ms ahead between two calls, and dates nothing by it', async (ahead) => {
    for (const clock of [0, 0]) await onHost(clock).request('od', 1);
    const before = Date.now();
    const requestId = await onHost(ahead).request('od', 1);
    count({ 'faults injected': 1 });
    const { items } = await askCli(onHost(0), 'events', 'list', '--request', requestId);
    const dates = [items].flat().map((event) => Date.parse(Object(event)['at']));
    expect(dates.length).toBeGreaterThan(0);
    expect(dates.filter((at) => Math.abs(at - before) > minute)).toEqual([]);
  });

  it('once a year ahead, still sweeps when it is right again', async () => {
    await onHost(year).reclaims([]);
    count({ 'faults injected': 1 });
    await onHost(0).request('od', 2);
    for (const minutes of [0, 61, 61]) {
      passed += minutes * minute;
      await onHost(0).reclaims([]);
    }
    expect(await backend.instanceIds('pending', 'running')).toEqual([]);
  });
});
