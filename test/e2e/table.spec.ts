import { rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, hostOf, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

const stateTable = 'hf-state';
const tableActions = ['PutItem', 'GetItem', 'UpdateItem', 'DeleteItem', 'Query'];

let backend: EmulatorBackend;
let hostA: Plugin;
let hostB: Plugin;

beforeAll(async () => {
  backend = await emulatorBackend();
  backend.emulator.configure({ tables: [stateTable] });
});
afterAll(() => backend.close());
beforeEach(async () => {
  backend.emulator.reset();
  const host = () =>
    createPlugin(
      { AWS_ENDPOINT_URL: backend.url, stateTable, stateEndpoint: backend.url, sweepIntervalMinutes: 0 },
      testTemplates(backend.place),
    );
  [hostA, hostB] = [await host(), await host()];
});
afterEach(async () => {
  await hostA.remove();
  await hostB.remove();
});

describe('the state in a table', () => {
  const callsDuring = async (work: () => Promise<unknown>): Promise<readonly [table: number, ec2: number]> => {
    backend.emulator.forgetCalls();
    await work();
    const actions = backend.emulator.calls().map(({ action }) => action);
    const ofTable = actions.filter((action) => tableActions.includes(action)).length;
    return [ofTable, actions.length - ofTable];
  };

  it('costs at most 4 calls for a request, 2 for a status that changes, 1 for one that does not, none to look', async () => {
    // The store's id is asked for once in ten minutes.
    await hostA.request('od', 1);
    expect(await callsDuring(() => hostA.call('getAvailableTemplates', {}))).toEqual([0, 0]);
    let requestId = '';
    const ask = async (): Promise<void> => {
      requestId = await hostA.request('od', 10);
    };
    expect(await callsDuring(ask)).toEqual([4, 1]);
    expect(await callsDuring(() => hostA.status(requestId))).toEqual([2, 1]);
    const { machines } = await hostA.settled(requestId);
    expect(await callsDuring(() => hostA.status(requestId))).toEqual([1, 0]);
    await hostA.reclaims(machines.map(hostOf));
    expect(await callsDuring(() => hostA.reclaims(machines.map(hostOf)))).toEqual([0, 1]);
    let returnId = '';
    const giveBack = async (): Promise<void> => {
      returnId = await hostA.giveBack(machines.map(hostOf));
    };
    expect(await callsDuring(giveBack)).toEqual([4, 2]);
    expect((await hostA.settled(returnId)).status).toBe('complete');
    expect(await callsDuring(() => hostA.status(returnId))).toEqual([1, 0]);
  });

  it('is one for two hosts with work folders of their own, and maxNumber is one for both', async () => {
    const first = await hostA.request('few', 2);
    expect((await hostB.call('requestMachines', { template: { templateId: 'few', machineCount: 2 } })).exitCode).toBe(
      1,
    );
    const { status, machines } = await hostB.settled(first);
    expect([status, machines.length]).toEqual(['complete', 2]);
    const returnId = await hostB.giveBack(machines.map(hostOf));
    expect((await hostA.settled(returnId)).status).toBe('complete');
    expect((await hostA.settled(await hostA.request('few', 3))).machines).toHaveLength(3);
  });

  it('is connected to by the scripts that ask it, once each, before it can be asked', async () => {
    let connections = 0;
    const seen = join(hostA.directory, 'connected');
    const gate = createServer((socket) => {
      connections += 1;
      writeFileSync(seen, '');
      const behind = connect(Number(new URL(backend.url).port), '127.0.0.1');
      socket.on('error', () => behind.destroy()).pipe(behind);
      behind.on('error', () => socket.destroy()).pipe(socket);
    });
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
    const { port }: Pick<AddressInfo, 'port'> = Object(gate.address());
    // Without credentials nothing can be asked; these are found when somebody has connected.
    const script = join(hostA.directory, 'credentials.sh');
    const patience = `n=0; while [ ! -e ${seen} ]; do n=$((n + 1)); [ $n -lt 500 ] || exit 1; sleep 0.02; done`;
    const found = '{"AccessKeyId":"AKIATEST","SecretAccessKey":"planted-secret"}';
    writeFileSync(script, `#!/bin/sh\n${patience}\necho '${found}'\n`, { mode: 0o755 });
    await hostA.configure({
      stateEndpoint: `http://127.0.0.1:${port}`,
      AWS_CREDENTIAL_FILE: '',
      AWS_CREDENTIAL_SCRIPT: script,
    });
    const connectionsDuring = async <A>(work: () => Promise<A>): Promise<readonly [number, A]> => {
      connections = 0;
      rmSync(seen, { force: true });
      rmSync(join(hostA.workDir, 'cache', 'credentials.json'), { force: true });
      const done = await work();
      return [connections, done];
    };
    const [forRequest, requestId] = await connectionsDuring(() => hostA.request('od', 1));
    const [forStatus] = await connectionsDuring(() => hostA.status(requestId));
    const { machines } = await hostA.settled(requestId);
    const [forReturn] = await connectionsDuring(() => hostA.giveBack(machines.map(hostOf)));
    expect([forRequest, forStatus, forReturn]).toEqual([1, 1, 1]);
    await hostA.configure({ stateEndpoint: `http://127.0.0.1:${port}` });
    // What is loaded holds up the rest: the connection is made by then.
    const preload = `--require ${join(import.meta.dirname, 'preload', 'connected.cjs')}`;
    const env = { ...hostA.env, NODE_OPTIONS: preload, HF_AWS_TEST_CONNECTED: seen };
    const input = { template: { templateId: 'od', machineCount: 1 } };
    const [atOnce, { exitCode }] = await connectionsDuring(() => hostA.call('requestMachines', input, { env }));
    expect([atOnce, exitCode]).toEqual([1, 0]);
    const [forTemplates] = await connectionsDuring(() => hostA.call('getAvailableTemplates', {}));
    const hosts = (await hostA.settled(await hostA.request('od', 1))).machines.map(hostOf);
    await hostA.reclaims(hosts);
    const [forReclaims] = await connectionsDuring(() => hostA.reclaims(hosts));
    expect([forTemplates, forReclaims]).toEqual([0, 0]);
    gate.close();
  });

  it('leaves nothing of a request in the work folder', async () => {
    await hostA.settled(await hostA.request('od', 1));
    const files = (await hostA.state()).filter((file) => !/\/cache\/(aws|table|clock|instance)/.test(file));
    expect(files).toEqual([]);
  });
});
