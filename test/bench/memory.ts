import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmulatorBackend } from '../e2e/backends.ts';
import { createPlugin, hostOf, type MachineEntry } from '../e2e/plugin.ts';
import { healthOf, serveScripts, untilIdle } from '../e2e/script-server.ts';
import { fillStore } from './fill-store.ts';
import { benchTemplates, type Row } from './subjects.ts';

const [requests, hosts] = [20_000, 20_000];
const [warmUps, rounds] = [3, 9];

const residentMb = async (pid: number | undefined): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
};

/** A server of many stored requests and hosts, asked about all hosts again and again: what it takes does not grow with the calls. */
export const memoryRows = async (backend: EmulatorBackend): Promise<readonly Row[]> => {
  const settings = { AWS_ENDPOINT_URL: backend.url, LogLevel: 'INFO' };
  const plugin = await createPlugin(settings, benchTemplates(backend.place));
  await fillStore(plugin, requests);
  const ids = [await plugin.request('od1', hosts / 2), await plugin.request('od2', hosts / 2)];
  const all: MachineEntry[] = [];
  for (const id of ids) all.push(...(await plugin.settled(id)).machines);
  await writeFile(join(plugin.directory, 'hosts.json'), JSON.stringify({ machines: all.map(hostOf) }));
  const server = await serveScripts(plugin.env);
  let calls = 0;
  const round = async (): Promise<void> => {
    await plugin.run('getReturnRequests', ['-f', join(plugin.directory, 'hosts.json')]);
    await plugin.status(...ids);
    const { machines } = await plugin.settled(await plugin.request('od', 1));
    await plugin.giveBack(machines.map(hostOf));
    calls += 5;
  };
  const sample: number[] = [];
  for (let n = 0; n < warmUps + rounds; n++) {
    await round();
    // The first sweep looks at all requests.
    await untilIdle(plugin.workDir, 600_000);
    sample.push(await residentMb(server.child.pid));
  }
  const { answered } = await healthOf(plugin.workDir);
  await server.stop();
  await plugin.remove();
  if (answered < calls) throw new Error(`the server has answered ${answered} of ${calls} calls`);
  const before = Math.max(...sample.slice(0, warmUps));
  const after = Math.max(...sample.slice(-warmUps));
  const what = `warm: ${requests} requests stored, ${hosts} hosts`;
  return [
    { what: `${what}: memory`, value: after, unit: 'MB', target: 500, isNoisy: false, detail: `${answered} calls` },
    {
      what: `${what}: growth of memory`,
      value: after - before,
      unit: 'MB',
      target: 50,
      isNoisy: false,
      detail: `from ${before.toFixed(0)} MB`,
    },
  ];
};
