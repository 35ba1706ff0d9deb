import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { hostOf } from '../e2e/plugin.ts';
import { type ScriptServer, serveScripts } from '../e2e/script-server.ts';
import { balanced, createGrid, type Grid } from '../faults/grid.ts';
import { templatesOf } from '../faults/kinds.ts';

// The servers of these tests are their own.
beforeAll(() => {
  vi.stubEnv('HF_AWS_TEST_SERVER', undefined);
});

let grid: Grid;
let server: ScriptServer | undefined;
afterEach(async () => {
  await server?.stop('SIGKILL');
  await grid.close();
});

const [second, minute] = [1000, 60_000];
const kind = 'RunInstances';

/** Each operation once, as Host Factory calls it: its answer is to be had whatever becomes of the server. */
const operations: Readonly<Record<string, () => Promise<unknown>>> = {
  requestMachines: () => grid.hf.ask(kind, 2),
  getRequestStatus: async () => {
    grid.pass(30 * second);
    await grid.hf.poll();
  },
  requestReturnMachines: async () => {
    const [first] = [...grid.hf.held.values()];
    if (first === undefined) throw new Error('no machine is held');
    await grid.hf.giveBack([first]);
  },
  getReturnRequests: () => grid.plugin.reclaims([...grid.hf.held.values()].map(hostOf)),
};

const restart = async (env: Readonly<Record<string, string>> = {}): Promise<number> => {
  await server?.stop('SIGKILL');
  server = await serveScripts({ ...grid.plugin.env, ...env });
  return server.child.pid ?? 0;
};

const expectBalance = async (): Promise<void> => {
  await server?.stop('SIGKILL');
  await grid.hf.rest();
  expect(await grid.hf.books()).toEqual(balanced);
  await grid.hf.giveBack([...grid.hf.held.values()]);
  await grid.hf.settle();
  grid.pass(minute);
  expect(await grid.hf.books()).toEqual(balanced);
};

const begin = async (): Promise<void> => {
  grid = await createGrid(templatesOf(kind));
  for (let n = 0; n < 4; n++) await grid.hf.ask(kind, 2);
  await grid.hf.settle();
};

describe('a server that is killed while it does a call: the script answers, nothing is lost, leaked or doubled', () => {
  it.each(['requestMachines', 'requestReturnMachines'])('at any file operation of %s', async (name) => {
    await begin();
    let kills = 0;
    for (const file of ['link', 'unlink', 'rm', 'writeFile'] as const) {
      for (const at of ['before', 'after'] as const) {
        for (let nth = 1; nth <= 4; nth++) {
          const before = await restart({ HF_AWS_TEST_KILL: `${file}:${nth}:${at}` });
          await operations[name]?.();
          if (isAlive(before)) break;
          kills += 1;
        }
      }
    }
    expect(kills).toBeGreaterThanOrEqual(4);
    await expectBalance();
  });

  it('before a call and after one: the next is done by its script, at once and once', async () => {
    await begin();
    for (const operation of Object.values(operations)) {
      await restart();
      await server?.stop('SIGKILL');
      await operation();
      await restart();
      await operation();
      await server?.stop('SIGKILL');
      await operation();
    }
    await expectBalance();
  });
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
