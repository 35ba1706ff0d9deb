import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from '../e2e/backends.ts';
import { createPlugin, hostOf, type Plugin } from '../e2e/plugin.ts';
import { testTemplates } from '../e2e/templates.ts';
import { makeTable } from '../make-table.ts';

let backend: EmulatorBackend;
let hostA: Plugin;
let hostB: Plugin;
let tables = 0;

beforeAll(async () => {
  backend = await emulatorBackend();
});
afterAll(() => backend.close());
beforeEach(async () => {
  backend.emulator.reset();
  tables += 1;
  const stateTable = `of-two-hosts-${tables}`;
  await makeTable(String(process.env['HF_AWS_TEST_TABLES']), stateTable);
  const config = { AWS_ENDPOINT_URL: backend.url, stateTable, sweepIntervalMinutes: 0, consistencyWindowSeconds: 1 };
  const host = () => createPlugin(config, testTemplates(backend.place));
  [hostA, hostB] = [await host(), await host()];
});
afterEach(async () => {
  await hostA.remove();
  await hostB.remove();
});

/** Ends every call of AWS's of a kind in the middle: the script has no answer, as if its host had died with it. */
const cut = (action: string, kind: 'drop-before' | 'drop-after'): void => {
  backend.emulator.addFault({ action, times: 'always', effect: { kind } });
};

/** Fifty processes at once, half of them on each host. */
const fifty = <A>(work: (host: Plugin) => Promise<A>): readonly Promise<A>[] =>
  Array.from({ length: 50 }, (_, n) => work(n % 2 === 0 ? hostA : hostB));

describe('two hosts on one table', () => {
  it('go on where the other was cut off in the middle of a launch', async () => {
    for (const kind of ['drop-before', 'drop-after'] as const) {
      cut('RunInstances', kind);
      const requestId = await hostA.request('od', 2);
      backend.emulator.clearFaults();
      const { status, machines } = await hostB.settled(requestId);
      expect([kind, status, machines.length]).toEqual([kind, 'complete', 2]);
    }
    expect(backend.emulator.instances()).toHaveLength(4);
  });

  it('go on where the other was cut off in the middle of a return, within one call', async () => {
    const { machines } = await hostA.settled(await hostA.request('od', 2));
    cut('TerminateInstances', 'drop-before');
    const returnId = await hostA.giveBack(machines.map(hostOf));
    backend.emulator.clearFaults();
    await hostB.status(returnId);
    expect(await backend.instanceIds('pending', 'running')).toEqual([]);
    expect((await hostB.settled(returnId)).status).toBe('complete');
  });

  it('never launch more than maxNumber between them, of fifty that ask at once', async () => {
    const ask = { template: { templateId: 'few', machineCount: 1 } };
    const asked = fifty((host) => host.call('requestMachines', ask));
    const granted = (await Promise.all(asked)).filter(({ exitCode }) => exitCode === 0).length;
    expect(granted).toBeLessThanOrEqual(3);
    expect(backend.emulator.instances()).toHaveLength(granted);
  });

  it.each(['drop-before', 'drop-after'] as const)(
    'send a launch that was not confirmed under one client token, of fifty that find it at once: %s',
    async (kind) => {
      cut('RunInstances', kind);
      const requestId = await hostA.request('od', 2);
      backend.emulator.clearFaults();
      await Promise.all(fifty((host) => host.status(requestId)));
      const ids = (await hostB.settled(requestId)).machines.map(({ machineId }) => machineId);
      expect(ids).toHaveLength(2);
      expect(ids.toSorted()).toEqual(
        backend.emulator
          .instances()
          .map(({ id }) => id)
          .toSorted(),
      );
    },
  );

  it('asked of the same request at once record each machine once', async () => {
    const requestId = await hostA.request('od', 5);
    await Promise.all([hostA, hostB, hostA, hostB].map((host) => host.status(requestId)));
    const ids = (await hostB.settled(requestId)).machines.map(({ machineId }) => machineId);
    expect(ids.toSorted()).toEqual((await backend.instanceIds('running')).toSorted());
  });
});
