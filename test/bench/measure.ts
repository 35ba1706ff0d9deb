import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A command to time: what is run, and what is to be done with its output before the next one. */
export interface Subject {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly after?: (stdout: string) => Promise<void> | void;
  /** Whether it is a Node whose processor time and memory can be seen from inside. Default true. */
  readonly isInspected?: boolean;
}

export interface Figures {
  /** Milliseconds from start to exit: the median, and the middle half of all. */
  readonly ms: number;
  readonly spread: readonly [from: number, to: number];
  /** Milliseconds of processor time, and the most memory (MB), of Node itself. */
  readonly cpuMs: number;
  readonly peakMb: number;
}

interface Run {
  readonly ms: number;
  readonly stdout: string;
}

/** Runs a command as Host Factory does: stdout a pipe, nothing but `env`. Throws unless it ends with 0. */
const run = ([program = '', ...args]: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(program, args, { env: { ...env }, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (chunk) => chunks.push(String(chunk)));
    child.on('error', reject).on('close', (code) => {
      const [ms, stdout] = [performance.now() - started, chunks.join('')];
      if (code === 0) resolve({ ms, stdout });
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}: ${stdout}`));
    });
  });

/** Throws where it was not measured. */
export const figuresOf = (figures: ReadonlyMap<string, Figures>, name: string): Figures => {
  const found = figures.get(name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
};

const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
};
const median = (values: readonly number[]): number => quantile(values, 0.5);

const probe = (file: string): string => `process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  require('node:fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify([(userCPUTime + systemCPUTime) / 1000, maxRSS / 1024]));
});`;

/** Runs with a look inside Node, which a timed run does without. */
const inspect = async (
  env: Subject['env'],
  work: (env: Subject['env']) => Promise<unknown>,
): Promise<[number, number]> => {
  const [preload, file] = ['cjs', 'json'].map((type) => join(tmpdir(), `hf-aws-bench-${process.pid}.${type}`));
  if (preload === undefined || file === undefined) throw new Error('no place for the probe');
  await writeFile(preload, probe(file));
  await work({ ...env, NODE_OPTIONS: `--require ${preload}` });
  const [cpuMs, peakMb]: [number, number] = JSON.parse(await readFile(file, 'utf8'));
  await Promise.all([preload, file].map((path) => rm(path)));
  return [cpuMs, peakMb];
};

const warmUps = 3;

/** Times all subjects in turn, `rounds` times over, so that whatever else the machine does falls on all alike. */
export const measure = async (subjects: readonly Subject[], rounds: number): Promise<ReadonlyMap<string, Figures>> => {
  const samples = new Map(
    subjects.map(({ name }) => [name, { ms: [], cpu: [], peak: [] } as Record<'ms' | 'cpu' | 'peak', number[]>]),
  );
  for (let round = -warmUps; round < rounds; round++) {
    for (const { name, command, env, after } of subjects) {
      const { ms, stdout } = await run(command, env);
      if (round >= 0) samples.get(name)?.ms.push(ms);
      await after?.(stdout);
    }
  }
  for (let round = 0; round < Math.min(rounds, 7); round++) {
    for (const { name, command, env, after } of subjects.filter(({ isInspected }) => isInspected !== false)) {
      const [cpu, peak] = await inspect(env, async (inspected) => {
        const { stdout } = await run(command, inspected);
        await after?.(stdout);
      });
      samples.get(name)?.cpu.push(cpu);
      samples.get(name)?.peak.push(peak);
    }
  }
  return new Map(
    [...samples].map(([name, { ms, cpu, peak }]) => [
      name,
      {
        ms: median(ms),
        spread: [quantile(ms, 0.25), quantile(ms, 0.75)],
        cpuMs: median(cpu),
        peakMb: Math.max(0, ...peak),
      },
    ]),
  );
};
