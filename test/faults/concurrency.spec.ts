import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hostOf, isServed, type MachineEntry, tablesAt } from '../e2e/plugin.ts';
import { balanced, createGrid, type Grid, type KillPoint } from './grid.ts';
import { templatesOf } from './kinds.ts';

const second = 1000;

let grid: Grid;
afterEach(() => grid.close());

const idsIn = (value: unknown): readonly string[] => (JSON.stringify(value) ?? '').match(/\bi-[0-9a-f]{17}\b/g) ?? [];

describe('50 processes at once', () => {
  it.each(['RunInstances', 'maintain', 'group'])(
    'over requests, states and returns of the same and of different machines: %s',
    async (kind) => {
      grid = await createGrid(templatesOf(kind));
      // As on two hosts with one directory: half of the processes come to it by another path. On a table they are another host's.
      const other = join(grid.plugin.directory, 'same-work');
      await symlink(grid.plugin.workDir, other);
      const [host = grid.plugin, otherHost] = grid.hosts;
      const otherEnv = otherHost?.env ?? { ...host.env, HF_PROVIDER_WORKDIR: other };
      const known = await Promise.all([grid.hf.ask(kind, 4), grid.hf.ask(kind, 4)]);
      await grid.hf.settle();
      const machines = [...grid.hf.held.values()];
      const fresh = await grid.hf.ask(kind, 2);
      grid.pass(30 * second);

      let inputs = 0;
      const call = async (operation: string, input: object) => {
        const file = join(grid.plugin.directory, `many-${inputs++}`);
        await writeFile(file, JSON.stringify(input));
        const env = inputs % 2 === 0 ? host.env : otherEnv;
        const outcome = await host.run(operation, ['-f', file], { env });
        expect(outcome.exitCode, outcome.stdout).toBe(0);
        return outcome.body;
      };
      const returned = machines.slice(0, 6);
      const pairs = returned.map((machine, index) => [machine, returned[(index + 1) % returned.length]] as const);
      const [asked, returns] = await Promise.all([
        Promise.all(
          Array.from({ length: 12 }, () =>
            call('requestMachines', { template: { templateId: kind, machineCount: 1 } }),
          ),
        ),
        // Each machine is given back twice, in overlapping pairs.
        Promise.all(
          pairs.map(async (pair) => {
            const both = pair.filter((machine): machine is MachineEntry => machine !== undefined);
            return [await call('requestReturnMachines', { machines: both.map(hostOf) }), both] as const;
          }),
        ),
        ...Array.from({ length: 22 }, () =>
          call('getRequestStatus', { requests: [...known, fresh].map((requestId) => ({ requestId })) }),
        ),
        ...Array.from({ length: 10 }, () => call('getReturnRequests', { machines: machines.slice(6).map(hostOf) })),
      ]);
      for (const body of asked) grid.hf.accept(body, 1);
      for (const [body, both] of returns) grid.hf.acceptReturn(body, both);
      await grid.hf.rest();
      expect(grid.hf.held.size).toBe(8 - 6 + 2 + 12);
      expect(await grid.hf.books()).toEqual(balanced);
    },
  );
});

/** While it notes something: in the work folder, or in a table. */
const inTheMiddle = (nth: number): KillPoint =>
  tablesAt === undefined
    ? { file: 'link', nth: (nth % 3) + 1, at: nth % 2 ? 'before' : 'after' }
    : { action: 'PutItem', call: (nth % 3) + 1, at: nth % 2 ? 'arrived' : 'acted' };

// Where a server is killed, the script's own process takes over, which takes its time.
it.skipIf(isServed)('a process that was killed holds nobody up', async () => {
  grid = await createGrid(templatesOf('RunInstances'));
  const time = async (work: () => Promise<unknown>): Promise<number> => {
    const begun = performance.now();
    await work();
    return performance.now() - begun;
  };
  await grid.hf.ask('RunInstances');
  const usual = await time(() => grid.hf.ask('RunInstances'));
  for (let nth = 1; nth <= 8; nth++) {
    const input = { template: { templateId: 'RunInstances', machineCount: 1 } };
    await grid.kill('requestMachines', input, inTheMiddle(nth));
  }
  expect(await time(() => grid.hf.ask('RunInstances'))).toBeLessThan(4 * usual);
  await grid.hf.settle();
  expect(grid.hf.held.size).toBe(3);
});

it('a request that everybody writes to at once ends with a clear word for who has no turn, and with all its machines', async () => {
  grid = await createGrid(templatesOf('RunInstances'));
  grid.takeTurns();
  const requestId = await grid.hf.ask('RunInstances', 20);
  await grid.hf.settle();
  const machines = [...grid.hf.held.values()];
  const returns = await Promise.all(
    machines.map(
      async (machine) =>
        [await grid.plugin.call('requestReturnMachines', { machines: [hostOf(machine)] }), [machine]] as const,
    ),
  );
  for (const [{ exitCode, body }, given] of returns) {
    expect(exitCode, JSON.stringify(body)).toBe(0);
    grid.hf.acceptReturn(body, given);
  }
  await grid.hf.settle();
  expect(grid.hf.held.size).toBe(0);
  expect(new Set(idsIn(await grid.plugin.status(requestId))).size).toBe(20);
  expect(await grid.hf.books()).toEqual(balanced);
});

it('two sweeps at once release each orphan once, and nothing else', async () => {
  grid = await createGrid(templatesOf('RunInstances'));
  grid.takeTurns();
  await grid.hf.ask('RunInstances', 2);
  await grid.hf.settle();
  // Unanswered: killed once EC2 had launched.
  const input = { template: { templateId: 'RunInstances', machineCount: 2 } };
  const { killed } = await grid.kill(
    'requestMachines',
    input,
    { action: 'RunInstances', call: 1, at: 'answered' },
    'both',
  );
  for (const minutes of [61, 16, 16]) {
    grid.pass(minutes * 60 * second);
    await Promise.all(Array.from({ length: 4 }, () => grid.plugin.reclaims([])));
  }
  expect(killed).toBe(true);
  grid.pass(60 * second);
  expect(await grid.hf.books()).toEqual(balanced);
});
