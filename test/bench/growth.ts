import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmulatorBackend } from '../e2e/backends.ts';
import { createPlugin, home, type Plugin } from '../e2e/plugin.ts';
import { fillStore } from './fill-store.ts';
import { measure, type Subject } from './measure.ts';
import { servingRows } from './serving.ts';
import { benchTemplates, lifeCycle, node, type Row } from './subjects.ts';
import { warmHistoryRows } from './warm.ts';

const start = ({ url, place }: EmulatorBackend): Promise<Plugin> =>
  createPlugin({ AWS_ENDPOINT_URL: url, LogLevel: 'INFO' }, benchTemplates(place));

const historyRows = async (backend: EmulatorBackend, rounds: number): Promise<readonly Row[]> => {
  const [empty, full] = [await start(backend), await start(backend)];
  const requests = 10_000;
  await fillStore(full, requests);
  const subjects = [await lifeCycle(empty), await lifeCycle(full, 'full ')];
  const pairs = (subjects[0] ?? []).flatMap((each, index) => [each, ...(subjects[1] ?? []).slice(index, index + 1)]);
  const figures = await measure(pairs, rounds);
  await Promise.all([empty.remove(), full.remove()]);
  return (subjects[0] ?? []).map(({ name }): Row => {
    const [without, with_] = [figures.get(name), figures.get(`full ${name}`)];
    if (without === undefined || with_ === undefined) throw new Error(`${name} was not measured`);
    const detail = `${without.ms.toFixed(1)} ms, then ${with_.ms.toFixed(1)} ms`;
    const value = with_.ms / without.ms;
    return {
      what: `${name} with ${requests} finished requests`,
      value,
      unit: 'x',
      target: 1.05,
      isNoisy: true,
      detail,
    };
  });
};

/** Hosts still pending: each call asks EC2 about all of them. */
const machineRows = async (backend: EmulatorBackend, rounds: number): Promise<readonly Row[]> => {
  backend.emulator.configure({ pendingMs: 3_600_000 });
  const plugin = await start(backend);
  const subject = async (templateId: string, count: number): Promise<Subject> => {
    const requestId = await plugin.request(templateId, count);
    const file = join(plugin.directory, `${count}.json`);
    await writeFile(file, JSON.stringify({ requests: [{ requestId }] }));
    const command = [join(home, 'scripts', 'getRequestStatus.sh'), '-f', file];
    return { name: String(count), command, env: { ...plugin.env, HF_AWS_NODE: node } };
  };
  const figures = await measure(
    [await subject('od0', 1), await subject('od1', 1000), await subject('od2', 10_000)],
    rounds,
  );
  await plugin.remove();
  backend.emulator.configure({ pendingMs: 20 });
  const rows = [[1000, 0.5] as const, [10_000, 2.5] as const].flatMap(([count, target]): readonly Row[] => {
    const [one, many] = [figures.get('1'), figures.get(String(count))];
    if (one === undefined || many === undefined) throw new Error('the status was not measured');
    const what = `getRequestStatus of ${count} machines`;
    const detail = `over the ${one.ms.toFixed(0)} ms of one machine; processor ${many.cpuMs.toFixed(0)} ms`;
    return [
      { what, value: (many.ms - one.ms) / 1000, unit: 's', target, isNoisy: true, detail },
      { what: `${what}: peak memory`, value: many.peakMb, unit: 'MB', target: 200, isNoisy: false, detail: '' },
    ];
  });
  return rows;
};

const clients = 16;

/** As many clients at once, each making as many requests one after the other. */
const parallelRows = async (backend: EmulatorBackend): Promise<readonly Row[]> => {
  const plugin = await start(backend);
  const all = (): readonly string[] => backend.emulator.instances().map(({ id }) => id);
  const before = new Set(all());
  const started = performance.now();
  const ids = await Promise.all(
    Array.from({ length: clients }, async () => {
      const mine: string[] = [];
      for (let n = 0; n < clients; n++) mine.push(await plugin.request('od', 1));
      return mine;
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const known = (await plugin.status(...ids.flat())).flatMap(({ machines }) =>
    machines.map(({ machineId }) => machineId),
  );
  const launched = all().filter((id) => !before.has(id));
  const lost = launched.filter((id) => !known.includes(id)).length + clients ** 2 - new Set(known).size;
  await plugin.remove();
  const what = `${clients} clients x ${clients} requestMachines`;
  const detail = `${seconds.toFixed(1)} s`;
  return [
    { what, value: clients ** 2 / seconds, unit: 'requests/s', target: 12, isNoisy: true, detail },
    { what, value: lost, unit: 'requests lost', target: 0, isNoisy: false, detail: `${launched.length} launched` },
  ];
};

/** What must not grow, or only with the work. */
export const growthRows = async (backend: EmulatorBackend): Promise<readonly Row[]> => [
  ...(await historyRows(backend, 15)),
  ...(await warmHistoryRows(backend, 15)),
  ...(await machineRows(backend, 5)),
  ...(await parallelRows(backend)),
  ...(await servingRows(backend)),
];
