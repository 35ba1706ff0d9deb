import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, hostOf, type Plugin, tablesAt } from './plugin.ts';
import { testTemplates } from './templates.ts';

/** Of each kind at once; the fault tests have 50. */
const many = 10;

describe('many processes at once', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
  });
  afterAll(async () => {
    await plugin.remove();
    await backend.close();
  });

  it('know every request that was acknowledged, damage no file and leave nothing half-written', async () => {
    const first = await plugin.request('od', 2);
    const [requested, polled] = await Promise.all([
      Promise.all(Array.from({ length: many }, () => plugin.request('od', 1))),
      Promise.all(Array.from({ length: many }, () => plugin.status(first))),
    ]);
    expect(new Set(requested).size).toBe(many);
    expect(polled.flat().map(({ requestId }) => requestId)).toEqual(Array(many).fill(first));

    const entries = await plugin.status(...requested, first);
    expect(entries.map(({ machines }) => machines.length)).toEqual([...Array(many).fill(1), 2]);
    const known = entries.flatMap(({ machines }) => machines.map(({ machineId }) => machineId));
    expect(known.sort()).toEqual([...(await backend.instanceIds('pending', 'running'))].sort());
    if (tablesAt !== undefined) return;
    const files = await plugin.state();
    expect(
      files.filter((file) => !/(\d{9}\.json|~\d+|store-id|cache\/clock\.[^/]+|usage\/\d+\.[^/]+\.ndjson)$/.test(file)),
    ).toEqual([]);
    expect(files.filter((file) => file.includes(join('requests', first)))).not.toEqual([]);
  });

  it('return the machines of one request one by one, and lose track of none', async () => {
    const { machines } = await plugin.settled(await plugin.request('od', many));
    const ids = await Promise.all(machines.map((machine) => plugin.giveBack([hostOf(machine)])));
    for (const id of ids) expect(await plugin.settled(id)).toMatchObject({ status: 'complete' });
    const left = await backend.instanceIds('pending', 'running');
    expect(left.filter((id) => machines.some(({ machineId }) => machineId === id))).toEqual([]);
  });

  it('never exceed maxNumber between them', async () => {
    const before = (await backend.instanceIds('pending', 'running')).length;
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () =>
        plugin.call('requestMachines', { template: { templateId: 'few', machineCount: 1 } }),
      ),
    );
    const granted = outcomes.filter(({ exitCode }) => exitCode === 0).length;
    expect(granted).toBeGreaterThan(0);
    expect(granted).toBeLessThanOrEqual(3);
    expect((await backend.instanceIds('pending', 'running')).length - before).toBe(granted);
  });
});
