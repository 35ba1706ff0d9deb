import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from '../e2e/backends.ts';
import { createPlugin, hostOf, type Plugin } from '../e2e/plugin.ts';
import { testTemplates } from '../e2e/templates.ts';

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
  const fleet = {
    ...testTemplates(backend.place)[0],
    templateId: 'fleet',
    providerApi: 'EC2Fleet',
    fleetType: 'maintain',
  };
  const host = () =>
    createPlugin({ AWS_ENDPOINT_URL: backend.url, stateTable, stateEndpoint: backend.url, sweepIntervalMinutes: 0 }, [
      ...testTemplates(backend.place),
      fleet,
    ]);
  [hostA, hostB] = [await host(), await host()];
});
afterEach(async () => {
  await hostA.remove();
  await hostB.remove();
});

/** Whether the table answers: an error of DynamoDB's in place of each of its actions. */
const breakTable = (kind: 'error' | 'drop-before' = 'error', actions = tableActions): void => {
  const effect = kind === 'error' ? ({ kind, code: 'InternalServerError', httpStatus: 500 } as const) : { kind };
  for (const action of actions) backend.emulator.addFault({ action, times: 'always', effect });
};

const launched = (): number => backend.emulator.instances().length;

describe('a table that does not answer', () => {
  it.each(['error', 'drop-before'] as const)('keeps anything from being launched: %s', async (kind) => {
    await hostA.request('od', 1);
    backend.emulator.clearFaults();
    breakTable(kind);
    const { exitCode, body } = await hostA.call('requestMachines', { template: { templateId: 'od', machineCount: 2 } });
    expect([exitCode, String(body['message']), launched()]).toEqual([1, expect.stringContaining('hf-state'), 1]);
  });

  it('from the intent on keeps the launch from being sent', async () => {
    await hostA.request('od', 1);
    breakTable('error', ['PutItem']);
    const { exitCode } = await hostA.call('requestMachines', { template: { templateId: 'od', machineCount: 2 } });
    expect([exitCode, launched()]).toEqual([1, 1]);
  });

  it('after the launch loses nothing: the next look adopts the machines', async () => {
    await hostA.request('od', 1);
    // The intent is the first PutItem, what came of it the second.
    backend.emulator.addFault({
      action: 'PutItem',
      nth: 2,
      times: 'always',
      effect: { kind: 'error', code: 'InternalServerError', httpStatus: 500 },
    });
    const requestId = await hostA.request('od', 2);
    backend.emulator.clearFaults();
    const { machines } = await hostB.settled(requestId);
    expect([machines.length, launched()]).toEqual([2, 3]);
  });

  it.each(tableActions)('whose answer to %s is lost is asked again, and nothing is done twice', async (action) => {
    backend.emulator.addFault({ action, times: 1, effect: { kind: 'drop-after' } });
    const requestId = await hostA.request('few', 2);
    const { machines } = await hostA.settled(requestId);
    expect([machines.length, launched()]).toEqual([2, 2]);
    const returnId = await hostA.giveBack(machines.map(hostOf));
    expect((await hostA.settled(returnId)).status).toBe('complete');
  });

  it('that throttles is asked again within the call', async () => {
    const code = 'ProvisionedThroughputExceededException';
    backend.emulator.addFault({ action: 'PutItem', times: 3, effect: { kind: 'error', code } });
    await hostA.request('od', 1);
    expect(launched()).toBe(1);
  });

  it('makes a request run on, with the reason', async () => {
    const requestId = await hostA.request('od', 1);
    breakTable();
    const [entry] = await hostA.status(requestId);
    expect(entry).toMatchObject({ status: 'running', message: expect.stringContaining('hf-state') });
  });

  it('hides no host that AWS has taken away', async () => {
    const { machines } = await hostA.settled(await hostA.request('od', 2));
    const [gone] = machines;
    await backend.terminate(gone?.machineId ?? '');
    await expect.poll(() => backend.instanceIds('terminated')).toHaveLength(1);
    breakTable();
    expect(await hostA.reclaims(machines.map(hostOf))).toEqual([
      expect.objectContaining({ machineId: gone?.machineId }),
    ]);
  });

  it('keeps no host that is given back, and its record follows', async () => {
    const { machines } = await hostA.settled(await hostA.request('few', 3));
    breakTable();
    await hostA.giveBack(machines.map(hostOf));
    expect(await backend.instanceIds('running', 'pending')).toEqual([]);
    backend.emulator.clearFaults();
    await expect.poll(() => backend.instanceIds('shutting-down')).toEqual([]);
    // Counting looks at EC2 first: the machines make room again.
    expect((await hostB.settled(await hostB.request('few', 3))).machines).toHaveLength(3);
  });

  it('keeps a host of a fleet that would replace it until the record can be read', async () => {
    const { machines } = await hostA.settled(await hostA.request('fleet', 2));
    breakTable();
    const input = { machines: machines.slice(0, 1).map(hostOf) };
    const { exitCode } = await hostA.call('requestReturnMachines', input);
    expect([exitCode, await backend.instanceIds('running', 'pending')]).toEqual([
      1,
      expect.objectContaining({ length: 2 }),
    ]);
    backend.emulator.clearFaults();
    expect((await hostA.settled(await hostA.giveBack(input.machines))).status).toBe('complete');
    await backend.settle();
    expect(await backend.instanceIds('running', 'pending')).toHaveLength(1);
  });
});
