import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, hostOf, type Json, type MachineEntry, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

// What makes a call slow, counted: times differ from machine to machine.

let backend: EmulatorBackend;
let plugin: Plugin;
beforeAll(async () => {
  backend = await emulatorBackend();
  plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, sweepIntervalMinutes: 0 }, testTemplates(backend.place));
  // What only a first call does: the store's id, compiled code.
  await lifeCycle();
});
afterAll(async () => {
  await plugin.remove();
  await backend.close();
});

interface Costs {
  /** Where the call waited for the disk, ids and names of its own left out. */
  readonly waits: readonly string[];
  /** Files of the program and modules of Node. */
  readonly loaded: readonly string[];
}

const call = async (operation: string, input: Json): Promise<readonly [Costs, Json]> => {
  const file = join(plugin.directory, 'costs.json');
  const preload = join(import.meta.dirname, 'preload', 'costs.cjs');
  const env = { ...plugin.env, NODE_OPTIONS: `--require ${preload}`, HF_AWS_TEST_COSTS: file };
  const { exitCode, body } = await plugin.call(operation, input, { env });
  expect(exitCode).toBe(0);
  const { waits, loaded }: Costs = JSON.parse(await readFile(file, 'utf8'));
  const place = (path: string): string =>
    path
      .replace(/^.*\/work\//, '')
      .replace(/\.\d+-[0-9a-f]+\.tmp$/, '')
      .replaceAll(/\d{9}\.json/g, '<n>.json')
      .replaceAll(/(req|ret)-[0-9a-f-]{36}/g, '<id>');
  return [{ waits: waits.map(place), loaded: loaded.toSorted() }, body];
};

const lifeCycle = async (): Promise<ReadonlyMap<string, Costs>> => {
  const costs = new Map<string, Costs>();
  const noted = async (operation: string, input: Json): Promise<Json> => {
    const [cost, body] = await call(operation, input);
    costs.set(operation, cost);
    return body;
  };
  await noted('getAvailableTemplates', {});
  const { requestId } = await noted('requestMachines', { template: { templateId: 'od', machineCount: 1 } });
  await plugin.settled(String(requestId));
  const { requests } = await noted('getRequestStatus', { requests: [{ requestId }] });
  const [entry]: readonly { machines: readonly MachineEntry[] }[] = Object(requests);
  const machines = entry?.machines ?? [];
  await noted('getReturnRequests', { machines: machines.map(hostOf) });
  await noted('requestReturnMachines', { machines: machines.map(hostOf) });
  return costs;
};

describe('a call of a script', () => {
  it('waits for the disk as often as what it writes must outlive the host, and no more', async () => {
    const costs = await lifeCycle();
    const append = ['appending/<n>.json', 'requests/<id>'];
    const first = ['appending/<n>.json', 'requests', 'requests/<id>'];
    expect(Object.fromEntries([...costs].map(([name, { waits }]) => [name, waits]))).toEqual({
      getAvailableTemplates: [],
      requestMachines: ['live/od', ...first, ...append],
      getRequestStatus: [],
      getReturnRequests: [],
      requestReturnMachines: [...first, ...append],
    });
  });

  it('loads what it uses, and no more', async () => {
    const costs = await lifeCycle();
    const local = ['fs', 'hf-aws.cjs', 'main.cjs', 'os', 'path', 'vm'];
    const withAws = [...local, 'aws.cjs', 'crypto', 'net'].toSorted();
    expect(Object.fromEntries([...costs].map(([name, { loaded }]) => [name, loaded]))).toEqual({
      getAvailableTemplates: local,
      requestMachines: withAws,
      // What it tells is on record.
      getRequestStatus: [...local, 'crypto'].toSorted(),
      getReturnRequests: withAws,
      requestReturnMachines: withAws,
    });
  });
});
