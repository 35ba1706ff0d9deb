import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type EmulatorBackend, emulatorBackend } from '../e2e/backends.ts';
import { createPlugin, home, hostOf, type MachineEntry, type Plugin } from '../e2e/plugin.ts';
import { eventRows } from './events.ts';
import { growthRows } from './growth.ts';
import { type Figures, figuresOf, measure } from './measure.ts';
import { memoryRows } from './memory.ts';
import { secureRows } from './secure.ts';
import { benchTemplates, floorOf, lifeCycle, node, type Row, randomHosts } from './subjects.ts';
import { tableRows } from './table.ts';
import { warmRows } from './warm.ts';

const { values: options } = parseArgs({
  options: {
    scale: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    json: { type: 'string' },
    rounds: { type: 'string', default: '20' },
    store: { type: 'string', default: 'folder' },
  },
});

/** What CI lets pass of a noisy figure. */
const margin = 1.25;

const ms = (value: number): string => `${value.toFixed(1)} ms`;

const timeRows = async (plugin: Plugin, rounds: number): Promise<readonly Row[]> => {
  const floor = floorOf(plugin.env);
  const help = 'hf-aws --help';
  const figures = await measure(
    [
      floor,
      ...(await lifeCycle(plugin)),
      { name: help, command: [node, join(home, 'dist', 'hf-aws.cjs'), '--help'], env: plugin.env },
    ],
    rounds,
  );
  const of = (name: string): Figures => figuresOf(figures, name);
  const base = of(floor.name);
  const bounds: Readonly<Record<string, Pick<Row, 'target' | 'reached'>>> = {
    getAvailableTemplates: { target: 1.3, reached: 1.5 },
    [help]: { target: 2.5 },
  };
  const names = [...figures.keys()].filter((name) => name !== floor.name);
  const times = names.map((what): Row => {
    const figure = of(what);
    const [from, to] = figure.spread;
    const cpu = `processor ${ms(figure.cpuMs)} = x${(figure.cpuMs / base.cpuMs).toFixed(2)}`;
    const detail = `${ms(figure.ms)} (${from.toFixed(1)}-${to.toFixed(1)}); ${cpu}`;
    const bound = bounds[what] ?? { target: 1.8, reached: 2.7 };
    return { what, value: figure.ms / base.ms, unit: 'x node', ...bound, isNoisy: true, detail };
  });
  const peak = names.filter((name) => name !== help).map((what) => ({ what, mb: of(what).peakMb }));
  const [most] = peak.sort((a, b) => b.mb - a.mb);
  return [
    ...times,
    {
      what: 'peak memory of the five',
      value: most?.mb ?? Number.NaN,
      unit: 'MB',
      target: 75,
      isNoisy: false,
      detail: `${most?.what}; node -e 0: ${base.peakMb.toFixed(0)} MB, ${ms(base.ms)}, processor ${ms(base.cpuMs)}`,
    },
  ];
};

const callRows = async (backend: EmulatorBackend, plugin: Plugin): Promise<readonly Row[]> => {
  const counted = async (what: string, target: number, work: () => Promise<unknown>): Promise<Row> => {
    backend.emulator.forgetCalls();
    await work();
    const counts = Object.entries(backend.emulator.countCalls());
    const value = counts.reduce((sum, [, count]) => sum + count, 0);
    const detail = counts.map(([action, count]) => `${action} ${count}`).join(', ');
    return { what: `AWS calls: ${what}`, value, unit: 'calls', target, isNoisy: false, detail };
  };
  let requestId = '';
  let machines: readonly MachineEntry[] = [];
  return [
    await counted('getAvailableTemplates', 0, () => plugin.call('getAvailableTemplates', {})),
    await counted('request of 200 by RunInstances', 1, async () => {
      requestId = await plugin.request('od', 200);
    }),
    await counted('status of 200', 1, async () => {
      machines = (await plugin.status(requestId))[0]?.machines ?? [];
    }),
    await counted('return of 200', 2, () => plugin.giveBack(machines.map(hostOf))),
    await counted('request by EC2 Fleet, first of its template', 2, () => plugin.request('fleet', 1)),
    await counted('request by EC2 Fleet', 1, () => plugin.request('fleet', 1)),
    await counted('getReturnRequests of 1,000', 6, () => plugin.reclaims(randomHosts(1000))),
  ];
};

/** Loaded only by those who serve, trace, or rehearse. */
const extras: ReadonlySet<string> = new Set([
  ...['server.cjs', 'serving.cjs', 'page.cjs', 'assistant.cjs', 'notify.cjs', 'tracing.cjs', 'emulator.cjs'],
  ...['replay.cjs', 'yaml.cjs'],
]);

const sizeRow = async (): Promise<Row> => {
  const all = (await readdir(join(home, 'dist'))).filter((name) => name.endsWith('.cjs'));
  const files = all.filter((name) => !extras.has(name));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(home, 'dist', name))).size));
  const value = sizes.reduce((sum, size) => sum + size, 0) / 1e6;
  return {
    what: 'the program on disk, without REST server, page, tracing, replay and emulator',
    value,
    unit: 'MB',
    target: 1.8,
    isNoisy: false,
    detail: `${files.length} files`,
  };
};

const higherIsBetter = (row: Row): boolean => row.unit === 'requests/s';
const meets = (row: Row, bound: number, slack = 1): boolean =>
  higherIsBetter(row) ? row.value * slack >= bound : row.value <= bound * slack;

const show = (row: Row): string => {
  const text = Number.isInteger(row.value) ? String(row.value) : row.value.toFixed(2);
  const bound = `${higherIsBetter(row) ? '>=' : '<='} ${row.target}`;
  return `| ${row.what} | ${text} ${row.unit} | ${bound} | ${meets(row, row.target) ? 'yes' : 'no'} | ${row.detail} |`;
};

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
const backend = await emulatorBackend();
backend.emulator.configure({ pendingMs: 20, nameAfterMs: 0 });
// The sweep, once in ten minutes and after the answer, would be one run's only.
const settings = { AWS_ENDPOINT_URL: backend.url, LogLevel: 'INFO', sweepIntervalMinutes: 0 };
const plugin = await createPlugin(settings, benchTemplates(backend.place));
const folderRows = async (): Promise<readonly Row[]> => [
  ...(await timeRows(plugin, Number(options.rounds))),
  ...(await secureRows(backend, Number(options.rounds))),
  ...(await warmRows(backend, Number(options.rounds))),
  ...(await callRows(backend, plugin)),
  await sizeRow(),
  ...(options.scale
    ? [...(await growthRows(backend)), ...(await eventRows(backend, 5)), ...(await memoryRows(backend))]
    : []),
];
try {
  const rows = await (options.store === 'table' ? tableRows(backend, Number(options.rounds)) : folderRows());
  const table = ['| what | measured | target | met | detail |', '| --- | --- | --- | --- | --- |', ...rows.map(show)];
  process.stdout.write(`${table.join('\n')}\n`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(rows, undefined, 2)}\n`);
  const failed = rows.filter((row) => !meets(row, row.reached ?? row.target, row.isNoisy ? margin : 1));
  if (options.check && failed.length > 0) {
    process.stderr.write(`too costly: ${failed.map(({ what }) => what).join('; ')}\n`);
    process.exitCode = 1;
  }
} finally {
  await plugin.remove();
  await backend.close();
}
