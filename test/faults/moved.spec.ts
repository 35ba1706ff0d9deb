import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hfAws } from '../e2e/admin.ts';
import { groupEnd, home, hostOf, type Json } from '../e2e/plugin.ts';
import { times } from '../times.ts';
import { balanced, createGrid, type Grid, type KillPoint } from './grid.ts';
import { kinds, templatesOf } from './kinds.ts';

const [second, minute] = [1000, 60_000];
const size = 2;
const stateTable = 'hf-state';

type Point = Exclude<KillPoint, { readonly afterMs: number }>;

/** proc(5): the state follows the name in parentheses. */
const isStopped = (pid: number): boolean => {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && readFileSync(file, 'utf8').includes(') T ');
};

/** Moves the state to the table as an administrator does, and tells the scripts. */
const moveState = async ({ plugin, backend }: Grid): Promise<void> => {
  const { exitCode, stderr } = await hfAws(plugin, ['state', 'copy', '--to', 'table', '--table', stateTable, '--yes']);
  expect(exitCode, stderr).toBe(0);
  await plugin.configure({ stateEndpoint: backend.url, stateTable });
};

/** Runs a script that stands still at a point while the state is moved. Undefined where it ends before it comes there. */
const caughtAt = async (grid: Grid, operation: string, input: Json, point: Point): Promise<Json | undefined> => {
  const { env, directory } = grid.plugin;
  const file = join(directory, 'hf_caught');
  await writeFile(file, JSON.stringify(input));
  const stops = 'file' in point ? { HF_AWS_TEST_KILL: `${point.file}:${point.nth}:${point.at}` } : {};
  const child = spawn(join(home, 'scripts', `${operation}.sh`), ['-f', file], {
    env: { ...env, ...stops, HF_AWS_TEST_SIGNAL: 'SIGSTOP' },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${operation} did not start`);
  if ('call' in point) grid.stopAt(pid, point);
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  const closed = once(child, 'close');
  while (child.exitCode === null && !isStopped(pid)) await wait(5);
  const isCaught = child.exitCode === null;
  try {
    if (isCaught) await moveState(grid);
  } finally {
    if (isCaught) process.kill(-pid, 'SIGCONT');
  }
  await closed;
  await groupEnd(pid);
  return isCaught ? JSON.parse(stdout) : undefined;
};

/** What is under way when the state is moved; answers whether it came to the point. As Host Factory it asks again what failed. */
type UnderWay = (grid: Grid, kind: string, point: Point) => Promise<boolean>;

const works: Readonly<Record<string, UnderWay>> = {
  requestMachines: async (grid, kind, point) => {
    const input = { template: { templateId: kind, machineCount: size } };
    const body = await caughtAt(grid, 'requestMachines', input, point);
    if (body === undefined) return false;
    if (body['requestId'] === undefined) await grid.hf.ask(kind, size);
    else grid.hf.accept(body, size);
    return true;
  },
  getRequestStatus: async (grid, kind, point) => {
    const requestId = await grid.hf.ask(kind, size);
    grid.pass(30 * second);
    return (await caughtAt(grid, 'getRequestStatus', { requests: [{ requestId }] }, point)) !== undefined;
  },
  requestReturnMachines: async (grid, kind, point) => {
    await grid.hf.ask(kind, size);
    await grid.hf.settle();
    const machines = [...grid.hf.held.values()].slice(0, size);
    const body = await caughtAt(grid, 'requestReturnMachines', { machines: machines.map(hostOf) }, point);
    if (body === undefined) return false;
    if (body['requestId'] === undefined) await grid.hf.giveBack(machines);
    else grid.hf.acceptReturn(body, machines);
    return true;
  },
};

type Points = readonly ((n: number) => Point)[];

const acted: Points = [(n) => ({ call: n, at: 'acted' })];
const beforeFiles: Points = [(nth) => ({ file: 'link', nth, at: 'before' })];
const all: Points = [
  ...acted,
  ...beforeFiles,
  (n) => ({ call: n, at: 'arrived' }),
  (nth) => ({ file: 'link', nth, at: 'after' }),
];

const isThorough = times > 1;

/** Every point where a request may be caught, of the others those that matter most. */
const pointsOf = (work: string, kind: string): Points => {
  if (isThorough) return all;
  if (kind === 'RunInstances') return work === 'requestMachines' ? all : [...acted, ...beforeFiles];
  return work === 'requestMachines' && ['maintain', 'group'].includes(kind) ? acted : [];
};

const cases = Object.keys(works).flatMap((work) =>
  Object.keys(kinds).flatMap((kind) => {
    const points = pointsOf(work, kind);
    return points.length === 0 ? [] : [{ work, kind, points }];
  }),
);

describe.concurrent('the state moved while a call stands still at any point: the copy goes on, nothing is lost, leaked or double', () => {
  it.each(cases)('$work, $kind', async ({ work, kind, points }) => {
    for (const point of points) {
      for (let n = 1; ; n++) {
        const grid = await createGrid(templatesOf(kind));
        grid.backend.emulator.configure({
          tables: [stateTable],
          subnets: { 'subnet-0000000000000000f': { zone: 'us-east-1a', vpc: 'vpc-1' } },
        });
        await grid.plugin.configure({ stateEndpoint: grid.backend.url });
        await grid.hf.ask(kind, size);
        await grid.hf.settle();
        const isCaught = (await works[work]?.(grid, kind, point(n))) ?? false;
        if (isCaught) {
          await grid.hf.rest();
          expect(await grid.hf.books(), JSON.stringify(point(n))).toEqual(balanced);
          await grid.hf.giveBack([...grid.hf.held.values()]);
          await grid.hf.settle();
          grid.pass(minute);
          expect(await grid.hf.books(), JSON.stringify(point(n))).toEqual(balanced);
        }
        await grid.close();
        if (!isCaught) {
          expect(n, JSON.stringify(point(n))).toBeGreaterThan(1);
          break;
        }
      }
    }
  });
});
