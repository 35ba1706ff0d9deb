import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { EmulatorBackend } from '../e2e/backends.ts';
import { startServer } from '../e2e/entries.ts';
import { createPlugin } from '../e2e/plugin.ts';
import { fillStore } from './fill-store.ts';
import { benchTemplates, type Row } from './subjects.ts';

const [stored, perSecond, seconds] = [5000, 200, 30];

const residentMb = async (pid: number | undefined): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
};

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

/** A server of many stored requests under calls that come whether the last ones were answered or not: one in ten a new request. */
export const servingRows = async ({ url, place }: EmulatorBackend): Promise<readonly Row[]> => {
  const plugin = await createPlugin({ AWS_ENDPOINT_URL: url, LogLevel: 'INFO' }, benchTemplates(place));
  await fillStore(plugin, stored);
  const server = await startServer(plugin);
  const reads = ['/requests?status=complete&page=3', '/machines?limit=50', '/templates', '/requests?q=od', '/health'];
  const faults: string[] = [];
  const times: number[] = [];
  const call = async (n: number): Promise<void> => {
    const began = performance.now();
    const body = { template_id: 'od', max_number: 1 };
    const path = reads[n % reads.length] ?? '/health';
    const answer = await (n % 10 === 0 ? server.call('POST', '/requests', { body }) : server.get(path));
    if (answer.status >= 400) faults.push(`${path} ${answer.status}`);
    times.push(performance.now() - began);
  };
  const run = async (duration: number): Promise<void> => {
    const [began, calls] = [performance.now(), [] as Promise<void>[]];
    for (let n = 0; n < duration * perSecond; n++) {
      await wait(Math.max(0, began + (n * 1000) / perSecond - performance.now()));
      calls.push(call(n).catch((error: unknown) => void faults.push(String(error))));
    }
    await Promise.all(calls);
  };
  await run(5);
  const before = await residentMb(server.child.pid);
  times.length = 0;
  await run(seconds);
  const growth = (await residentMb(server.child.pid)) - before;
  await server.stop();
  await plugin.remove();
  const sorted = times.toSorted((a, b) => a - b);
  const spread = `median ${percentile(sorted, 0.5).toFixed(0)} ms, 99 % within ${percentile(sorted, 0.99).toFixed(0)} ms`;
  const what = `REST: ${perSecond} calls/s for ${seconds} s, ${stored} requests stored`;
  const first = faults[0] ?? '';
  return [
    { what, value: faults.length, unit: 'faults', target: 0, isNoisy: false, detail: `${spread} ${first}`.trim() },
    {
      what: `${what}: growth of memory`,
      value: growth,
      unit: 'MB',
      target: 50,
      isNoisy: false,
      detail: `from ${before.toFixed(0)} MB`,
    },
  ];
};
