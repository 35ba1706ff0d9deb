import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dynaliteTable, tableName } from '../tables.ts';
import { hfAwsHere, hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, home, hostOf, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

const stateTable = 'hf-state';

describe('the state, copied to a table', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
    backend.emulator.configure({ tables: [stateTable] });
  });
  afterAll(() => backend.close());
  const config = (more: object = {}) => ({
    AWS_ENDPOINT_URL: backend.url,
    stateEndpoint: backend.url,
    sweepIntervalMinutes: 0,
    ...more,
  });
  beforeEach(async () => {
    backend.emulator.reset();
    plugin = await createPlugin(config(), testTemplates(backend.place));
  });
  afterEach(() => plugin.remove());

  const copy = (...more: readonly string[]) =>
    hfAwsJson(plugin, 'state', 'copy', '--to', 'table', '--table', stateTable, ...more);

  it('lets the scripts refuse work until they are told where it is, and then goes on', async () => {
    const { machines } = await plugin.settled(await plugin.request('few', 2));
    const requestId = await plugin.request('few', 1);
    expect(await copy('--yes')).toMatchObject({ exitCode: 0, body: { isFinished: true, requests: 2 } });
    expect(await hfAwsJson(plugin, 'state', 'verify', '--table', stateTable)).toMatchObject({
      exitCode: 0,
      body: { isSame: true, folder: { stands: 'left' }, table: { stands: 'used' } },
    });

    const there = expect.stringContaining(stateTable);
    const refused = { exitCode: 1, body: { message: there } };
    expect(await plugin.call('getAvailableTemplates', {})).toMatchObject({ exitCode: 0 });
    expect(await plugin.call('requestMachines', { template: { templateId: 'od', machineCount: 1 } })).toMatchObject(
      refused,
    );
    expect(await plugin.call('requestReturnMachines', { machines: machines.map(hostOf) })).toMatchObject(refused);
    expect(await plugin.status(requestId)).toMatchObject([{ status: 'running', message: there }]);
    // Host Factory keeps every host that it is not told of.
    const { body } = await plugin.call('getReturnRequests', { machines: machines.map(hostOf) });
    expect(body['requests'] ?? []).toEqual([]);
    expect(await backend.instanceIds('running', 'pending')).toHaveLength(3);
    expect(await hfAwsJson(plugin, 'requests', 'list')).toMatchObject({ body: { items: [], _warning: there } });
    expect((await hfAwsHere(plugin, ['doctor', '--no-aws'])).stdout).toContain('was moved');

    await plugin.configure(config({ stateTable }));
    expect((await plugin.settled(requestId)).machines).toHaveLength(1);
    expect((await plugin.call('requestMachines', { template: { templateId: 'few', machineCount: 1 } })).exitCode).toBe(
      1,
    );
    const returnId = await plugin.giveBack(machines.map(hostOf));
    expect((await plugin.settled(returnId)).status).toBe('complete');
    expect(await backend.instanceIds('running', 'pending')).toHaveLength(1);
    expect(await hfAwsJson(plugin, 'state', 'verify')).toMatchObject({ exitCode: 1, body: { isSame: false } });
  });

  it('is not begun anew in an empty table by a script while the work folder holds it', async () => {
    const requestId = await plugin.request('od', 1);
    await plugin.configure(config({ stateTable }));
    const { exitCode, body } = await plugin.call('requestMachines', {
      template: { templateId: 'od', machineCount: 1 },
    });
    expect([exitCode, body['message']]).toEqual([1, expect.stringContaining('hf-aws state copy --to table')]);
    expect(await backend.instanceIds('running', 'pending')).toHaveLength(1);
    expect(await hfAwsJson(plugin, 'state', 'copy', '--to', 'table', '--yes')).toMatchObject({ exitCode: 0 });
    expect((await plugin.settled(requestId)).machines).toHaveLength(1);
  });

  it('asks before it is complete: without a terminal it has to be told', async () => {
    await plugin.request('od', 1);
    const { exitCode, stderr } = await hfAwsHere(plugin, ['state', 'copy', '--to', 'table', '--table', stateTable]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect((await plugin.call('requestMachines', { template: { templateId: 'od', machineCount: 1 } })).exitCode).toBe(
      0,
    );
  });

  it('asks at a terminal, and leaves the work folder in use unless it hears yes', async () => {
    const dynamo = await dynaliteTable();
    await plugin.configure(config({ stateEndpoint: dynamo.url }));
    const requestId = await plugin.request('od', 1);
    /** What the terminal shows when this is typed at the question. */
    const answered = async (typed: string) => {
      const command = `exec node ${join(home, 'dist', 'hf-aws.cjs')} state copy --to table --table ${tableName}`;
      const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...plugin.env, TERM: 'xterm' } });
      let [screen, isAsked] = ['', false];
      child.stdout.on('data', (chunk) => {
        screen += String(chunk);
        if (isAsked || !screen.includes('[y/N]')) return;
        isAsked = true;
        child.stdin.write(typed);
      });
      const [exitCode] = await once(child, 'close');
      return { exitCode, isAsked, screen };
    };
    const inUse = { exitCode: 0, isAsked: true, screen: expect.stringContaining('is still in use') };
    for (const typed of ['n\r', '\r', '\u0004']) expect([typed, await answered(typed)]).toEqual([typed, inUse]);
    expect((await plugin.settled(requestId)).machines).toHaveLength(1);
    expect(await answered('y\r')).toEqual({
      exitCode: 0,
      isAsked: true,
      screen: expect.stringMatching(/Host Factory should be stopped now\..*\[y\/N\].*refuses work from now on/s),
    });
    expect(await plugin.status(requestId)).toMatchObject([{ message: expect.stringContaining(tableName) }]);
    await plugin.configure(config({ stateEndpoint: dynamo.url, stateTable: tableName }));
    expect((await plugin.settled(requestId)).machines).toHaveLength(1);
    await dynamo.close();
  });

  it('is completed by the next after a process was killed, be it before or after the work folder was marked', async () => {
    const { machines } = await plugin.settled(await plugin.request('od', 3));
    const requestIds = [await plugin.request('od', 1), await plugin.request('few', 1)];
    backend.emulator.addFault({ action: 'PutItem', times: 'always', effect: { kind: 'delay', ms: 50 } });
    const args = ['state', 'copy', '--to', 'table', '--table', stateTable, '--yes', '--json'];
    const killedOnce = async (isTime: () => boolean): Promise<void> => {
      backend.emulator.forgetCalls();
      const child = spawn('node', [join(home, 'dist', 'hf-aws.cjs'), ...args], { env: plugin.env, stdio: 'ignore' });
      const ended = once(child, 'exit');
      await expect.poll(isTime, { interval: 5, timeout: 20_000 }).toBe(true);
      child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
    };
    const written = (items: number) => () =>
      backend.emulator.calls().filter(({ action }) => action === 'PutItem').length >= items;
    await killedOnce(written(1));
    await killedOnce(written(3));
    // So far the work folder is in use.
    expect(await plugin.status(requestIds[0] ?? '')).toMatchObject([
      { message: expect.not.stringContaining(stateTable) },
    ]);
    await killedOnce(() => readFileSync(join(plugin.workDir, 'store-id'), 'utf8').includes('left'));
    expect(await plugin.status(requestIds[0] ?? '')).toMatchObject([
      { status: 'running', message: expect.stringContaining(stateTable) },
    ]);
    expect(await copy('--yes')).toMatchObject({ exitCode: 0, body: { isFinished: true, requests: 3 } });
    backend.emulator.clearFaults();
    expect(await hfAwsJson(plugin, 'state', 'verify', '--table', stateTable)).toMatchObject({ exitCode: 0 });
    await plugin.configure(config({ stateTable }));
    for (const requestId of requestIds) expect((await plugin.settled(requestId)).machines).toHaveLength(1);
    expect((await plugin.settled(await plugin.giveBack(machines.map(hostOf)))).status).toBe('complete');
    expect(await backend.instanceIds('running', 'pending')).toHaveLength(2);
  });
});
