import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { fillStore } from '../bench/fill-store.ts';
import { type EmulatorBackend, emulatorBackend } from '../e2e/backends.ts';
import { createPlugin, hostOf, type Plugin } from '../e2e/plugin.ts';
import { healthOf, type ScriptServer, serveScripts } from '../e2e/script-server.ts';
import { testTemplates } from '../e2e/templates.ts';

let backend: EmulatorBackend;
let plugin: Plugin;
let server: ScriptServer | undefined;

beforeAll(async () => {
  // The server of this test is its own.
  vi.stubEnv('HF_AWS_TEST_SERVER', undefined);
  backend = await emulatorBackend();
});
afterAll(() => backend.close());
afterEach(async () => {
  await server?.stop('SIGKILL');
  await plugin.remove();
});

it('answers while it reads thousands of requests for the first sweep', async () => {
  plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
  await fillStore(plugin, 2000);
  const { machines } = await plugin.settled(await plugin.request('od', 1));
  server = await serveScripts(plugin.env);
  await plugin.reclaims(machines.map(hostOf));
  const began = performance.now();
  const waits: number[] = [];
  for (let isBusy = true; isBusy; ) {
    const asked = performance.now();
    isBusy = (await healthOf(plugin.workDir)).underWay > 0;
    waits.push(performance.now() - asked);
  }
  const all = performance.now() - began;
  // The sweep has folded them.
  await access(join(plugin.workDir, 'projections', 'requests.ndjson'));
  expect(Math.max(...waits) / all, `the longest of ${waits.length} answers, of the whole sweep`).toBeLessThan(1 / 4);
});
