import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmulatorBackend } from '../e2e/backends.ts';
import { createPlugin, home, type Plugin } from '../e2e/plugin.ts';
import { healthOf, type ScriptServer, serveScripts } from '../e2e/script-server.ts';
import { fillStore } from './fill-store.ts';
import { figuresOf, measure, type Subject } from './measure.ts';
import { benchTemplates, floorOf, lifeCycle, node, type Row } from './subjects.ts';

interface Warm {
  readonly plugin: Plugin;
  readonly server: ScriptServer;
  readonly subjects: readonly Subject[];
}

const start = async ({ url, place }: EmulatorBackend, prefix: string, stored = 0): Promise<Warm> => {
  const plugin = await createPlugin({ AWS_ENDPOINT_URL: url, LogLevel: 'INFO' }, benchTemplates(place));
  if (stored > 0) {
    await fillStore(plugin, stored);
    await plugin.settled(await plugin.request('od1', 10_000));
  }
  const env = { ...plugin.env, HF_AWS_NODE: node };
  const server = await serveScripts(env);
  const subjects = (await lifeCycle(plugin, prefix)).map((subject) => ({ ...subject, isInspected: false }));
  return { plugin, server, subjects };
};

/** Fails unless the server has answered the calls: scripts that do them themselves are no measure of it. */
const end = async ({ plugin, server }: Warm, calls: number): Promise<void> => {
  const { answered } = await healthOf(plugin.workDir);
  await server.stop();
  await plugin.remove();
  // Where the machine is busy, a script may find no pipe that lies ready.
  if (answered < calls * 0.95) throw new Error(`the server has answered ${answered} of ${calls} calls`);
};

/** Milliseconds of processor time of a process so far, in steps of ten. */
const cpuOf = (pid: number | undefined): number => {
  const [, fields = ''] = /\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  const [user, system] = fields.split(' ').slice(11, 13);
  return (Number(user) + Number(system)) * 10;
};

const samples = 40;

/** Runs a command of bash, asynchronously: this process is AWS. Resolves with its output. */
const bash = (text: string, env: Subject['env'], args: readonly string[] = []): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn('bash', ['--norc', '-c', text, 'bash', ...args], {
      env: { ...env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += String(chunk);
    });
    child.on('error', reject).on('close', () => resolve(said));
  });

/** Milliseconds of processor time of one call: the script, and the server. */
const processorOf = async (
  { server: { child } }: Warm,
  { command, env }: Subject,
): Promise<readonly [number, number]> => {
  const before = cpuOf(child.pid);
  const loop = `TIMEFORMAT='%U %S'; time for n in {1..${samples}}; do "$@" >/dev/null || exit; done`;
  const said = await bash(`{ ${loop}; } 2>&1`, env, command);
  const [user, system] = said.trim().split(' ').map(Number);
  return [((Number(user) + Number(system)) * 1000) / samples, (cpuOf(child.pid) - before) / samples];
};

const clients = 16;

/** As many clients at once, each making as many requests one after the other, all by scripts. */
const throughput = async (backend: EmulatorBackend): Promise<readonly Row[]> => {
  const warm = await start(backend, '');
  const { plugin } = warm;
  const input = join(plugin.directory, 'requestMachines.json');
  await writeFile(input, JSON.stringify({ template: { templateId: 'od', machineCount: 1 } }));
  const before = new Set(backend.emulator.instances().map(({ id }) => id));
  const script = join(home, 'scripts', 'requestMachines.sh');
  const one = `for n in {1..${clients}}; do ${script} -f ${input} >>${plugin.directory}/answers.$c || exit; done`;
  const started = performance.now();
  await bash(`for c in {1..${clients}}; do { ${one}; } & done; wait`, { ...plugin.env, HF_AWS_NODE: node });
  const seconds = (performance.now() - started) / 1000;
  const texts = await Promise.all(
    Array.from({ length: clients }, (_, n) => readFile(join(plugin.directory, `answers.${n + 1}`), 'utf8')),
  );
  const ids = texts.flatMap((text) => text.match(/req-[0-9a-f-]{36}/g) ?? []);
  const known = (await plugin.status(...ids)).flatMap(({ machines }) => machines.map(({ machineId }) => machineId));
  const launched = backend.emulator.instances().filter(({ id }) => !before.has(id));
  const lost = launched.filter(({ id }) => !known.includes(id)).length + clients ** 2 - new Set(known).size;
  await end(warm, clients ** 2);
  const what = `warm: ${clients} clients x ${clients} requestMachines`;
  const detail = `${seconds.toFixed(1)} s`;
  return [
    { what, value: clients ** 2 / seconds, unit: 'requests/s', target: 150, reached: 60, isNoisy: true, detail },
    { what, value: lost, unit: 'requests lost', target: 0, isNoisy: false, detail: `${launched.length} launched` },
  ];
};

/** What a call costs where a server answers it. */
export const warmRows = async (backend: EmulatorBackend, rounds: number): Promise<readonly Row[]> => {
  const warm = await start(backend, 'warm ');
  const floor = { ...floorOf(warm.plugin.env), isInspected: false };
  const figures = await measure([floor, ...warm.subjects], rounds);
  const base = figuresOf(figures, floor.name);
  const rows: Row[] = [];
  for (const subject of warm.subjects) {
    const { ms, spread } = figuresOf(figures, subject.name);
    const [script, server] = await processorOf(warm, subject);
    const wall = `${ms.toFixed(1)} ms (${spread.map((each) => each.toFixed(1)).join('-')})`;
    const detail = `${wall}; processor: script ${script.toFixed(1)} ms, server ${server.toFixed(1)} ms`;
    const what = subject.name;
    rows.push(
      { what, value: ms / base.ms, unit: 'x node', target: 0.35, reached: 0.6, isNoisy: true, detail },
      {
        what: `${what}: processor`,
        value: script + server,
        unit: 'ms',
        target: 15,
        // Milliseconds differ with the machine's pace; the start of Node differs alike.
        reached: base.ms,
        isNoisy: true,
        detail: '',
      },
    );
  }
  await end(warm, (rounds + samples) * warm.subjects.length);
  return [...rows, ...(await throughput(backend))];
};

/** The same with many stored requests and hosts: it must not grow. */
export const warmHistoryRows = async (backend: EmulatorBackend, rounds: number): Promise<readonly Row[]> => {
  const requests = 10_000;
  const [empty, full] = [await start(backend, 'warm '), await start(backend, 'full ', requests)];
  const figures = await measure(
    empty.subjects.flatMap((each, index) => [each, ...full.subjects.slice(index, index + 1)]),
    rounds,
  );
  await Promise.all([empty, full].map((each) => end(each, rounds * each.subjects.length)));
  return empty.subjects.map(({ name }): Row => {
    const [without, with_] = [figuresOf(figures, name), figuresOf(figures, name.replace('warm', 'full'))];
    const detail = `${without.ms.toFixed(1)} ms, then ${with_.ms.toFixed(1)} ms`;
    const what = `${name} with ${requests} finished requests and 10000 hosts`;
    return { what, value: with_.ms / without.ms, unit: 'x', target: 1.05, reached: 1.2, isNoisy: true, detail };
  });
};
