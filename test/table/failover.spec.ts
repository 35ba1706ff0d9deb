import { describe, expect, it } from 'vitest';
import { hfAws } from '../e2e/admin.ts';
import { hostOf, type MachineEntry } from '../e2e/plugin.ts';
import { balanced, createGrid, type Grid, type KillPoint } from '../faults/grid.ts';
import { templatesOf } from '../faults/kinds.ts';
import { times } from '../times.ts';

const [second, minute] = [1000, 60_000];
const kind = 'RunInstances';
const size = 2;

/** What is done on host A, which is killed there, and then once on host B. Answers whether the kill came in time. */
type FailOver = (grid: Grid, point: KillPoint) => Promise<boolean>;

const standing = ({ backend }: Grid): Promise<readonly string[]> => backend.instanceIds('pending', 'running');

const idsOf = (machines: readonly MachineEntry[]): readonly string[] => machines.map(({ machineId }) => machineId);

/** Machines of one request that Host Factory holds. */
const running = async ({ hf }: Grid): Promise<readonly MachineEntry[]> => {
  const before = new Set(hf.held.keys());
  await hf.ask(kind, size);
  await hf.settle();
  return [...hf.held.values()].filter(({ machineId }) => !before.has(machineId));
};

/** As one call tells it. */
const statusOf = async ({ plugin }: Grid, requestId: string): Promise<string> =>
  (await plugin.status(requestId))[0]?.status ?? '';

const failOvers: Readonly<Record<string, FailOver>> = {
  requestMachines: async (grid, point) => {
    const input = { template: { templateId: kind, machineCount: size } };
    const { killed, body } = await grid.kill('requestMachines', input, point);
    if (body === undefined) await grid.hf.ask(kind, size);
    else grid.hf.accept(body, size);
    return killed;
  },

  getRequestStatus: async (grid, point) => {
    const requestId = await grid.hf.ask(kind, size);
    grid.pass(30 * second);
    const { killed } = await grid.kill('getRequestStatus', { requests: [{ requestId }] }, point);
    expect(await statusOf(grid, requestId)).toBe('complete');
    return killed;
  },

  requestReturnMachines: async (grid, point) => {
    const machines = await running(grid);
    const { killed, body } = await grid.kill('requestReturnMachines', { machines: machines.map(hostOf) }, point);
    if (body === undefined) await grid.hf.giveBack(machines);
    else grid.hf.acceptReturn(body, machines);
    expect((await standing(grid)).filter((id) => idsOf(machines).includes(id))).toEqual([]);
    return killed;
  },

  'getRequestStatus of a return': async (grid, point) => {
    const requestId = await grid.hf.giveBack(await running(grid));
    grid.pass(30 * second);
    const { killed } = await grid.kill('getRequestStatus', { requests: [{ requestId }] }, point);
    expect(await statusOf(grid, requestId)).toBe('complete');
    return killed;
  },

  getReturnRequests: async (grid, point) => {
    const held = [...grid.hf.held.values()];
    await grid.backend.terminate(...idsOf(held));
    // A sweep follows the answer.
    grid.pass(16 * minute);
    const { killed } = await grid.kill('getReturnRequests', { machines: held.map(hostOf) }, point);
    const taken = (await grid.plugin.reclaims(held.map(hostOf))).map(({ machineId }) => String(machineId));
    expect(taken.toSorted()).toEqual(idsOf(held).toSorted());
    return killed;
  },

  'hf-aws requests cancel': async (grid, point) => {
    // Nobody of Host Factory's asks for it any more.
    const before = await standing(grid);
    const requestId = await grid.plugin.request(kind, size);
    const cancel = ['requests', 'cancel', requestId, '--reason', 'not wanted'];
    const killed = await grid.killCommand(cancel, point);
    if (killed) {
      const { exitCode, stderr } = await hfAws(grid.plugin, cancel);
      expect(exitCode, stderr).toBe(0);
    }
    expect(await standing(grid)).toEqual(before);
    return killed;
  },

  'hf-aws reconcile': async (grid, point) => {
    const before = await standing(grid);
    await grid.plugin.request(kind, size);
    const sweep = ['reconcile', '--apply'];
    // Released is what an earlier sweep has found as well.
    grid.pass(61 * minute);
    await hfAws(grid.plugin, sweep);
    grid.pass(16 * minute);
    const killed = await grid.killCommand(sweep, point);
    if (killed) {
      const { exitCode, stderr } = await hfAws(grid.plugin, sweep);
      expect(exitCode, stderr).toBe(0);
    }
    expect(await standing(grid)).toEqual(before);
    return killed;
  },
};

/** When the other side has acted and nobody has heard of it; before it acts is much the same as after the call before. */
const moments = times > 1 ? (['arrived', 'acted', 'answered'] as const) : (['acted'] as const);

describe.concurrent('a host that is killed at any call of AWS or the table: the other one goes on within one call', () => {
  it.each(Object.keys(failOvers))('%s', async (name) => {
    const grid = await createGrid(templatesOf(kind));
    const subnets = { 'subnet-0000000000000000f': { zone: 'us-east-1a', vpc: 'vpc-1' } };
    grid.backend.emulator.configure({ subnets, invisibleForCalls: 0 });
    await running(grid);
    for (const at of moments) {
      let kills = 0;
      while (await failOvers[name]?.(grid, { call: kills + 1, at })) kills += 1;
      expect(kills, `kills when a call has ${at}`).toBeGreaterThan(0);
    }
    await grid.hf.reclaim();
    await grid.hf.rest();
    expect(await grid.hf.books()).toEqual(balanced);
    await grid.hf.giveBack([...grid.hf.held.values()]);
    await grid.hf.settle();
    grid.pass(minute);
    expect(await grid.hf.books()).toEqual(balanced);
    await grid.close();
  });
});
