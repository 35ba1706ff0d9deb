import { hostOf, type MachineEntry } from '../e2e/plugin.ts';
import { forgetFacts, type Grid, type KillPoint, type Victim } from './grid.ts';

const [second, minute] = [1000, 60_000];
const size = 2;

/** A grid with machines in reserve, by kind. */
export interface Field {
  readonly grid: Grid;
  readonly spare: Map<string, MachineEntry[]>;
}

/** Machines of one request, fresh from AWS; several requests are made at a time. */
const freshMachines = async ({ grid, spare }: Field, kind: string, count: number): Promise<readonly MachineEntry[]> => {
  const left = spare.get(kind) ?? [];
  if (left.length === 0) {
    const before = new Set(grid.hf.held.keys());
    for (let n = 0; n < 4; n++) await grid.hf.ask(kind, size);
    await grid.hf.settle();
    left.push(...[...grid.hf.held.values()].filter(({ machineId }) => !before.has(machineId)));
  }
  spare.set(kind, left.slice(count));
  return left.slice(0, count);
};

type Operation = (field: Field, kind: string, point: KillPoint, victim?: Victim) => Promise<boolean>;

/** Each operation, killed there and called again as Host Factory would; answers whether the kill came in time. */
export const operations: Readonly<Record<string, Operation>> = {
  requestMachines: async ({ grid }, kind, point, victim) => {
    await forgetFacts(grid);
    const input = { template: { templateId: kind, machineCount: size } };
    const { killed, body } = await grid.kill('requestMachines', input, point, victim);
    if (body === undefined) await grid.hf.ask(kind, size);
    else grid.hf.accept(body, size);
    return killed;
  },
  getRequestStatus: async ({ grid }, kind, point, victim) => {
    const requestId = await grid.hf.ask(kind, size);
    grid.pass(30 * second);
    let killed = false;
    // A heterogeneous request turns to on demand only after minutes.
    for (let n = 0; n < (kind === 'heterogeneous' ? 6 : 1) && !killed; n++) {
      ({ killed } = await grid.kill('getRequestStatus', { requests: [{ requestId }] }, point, victim));
      grid.pass(30 * second);
    }
    await grid.hf.poll();
    return killed;
  },
  requestReturnMachines: async (field, kind, point, victim) => {
    const { grid } = field;
    const machines = await freshMachines(field, kind, 1);
    const { killed, body } = await grid.kill(
      'requestReturnMachines',
      { machines: machines.map(hostOf) },
      point,
      victim,
    );
    if (body === undefined) await grid.hf.giveBack(machines);
    else grid.hf.acceptReturn(body, machines);
    return killed;
  },
  'getRequestStatus of a return': async (field, kind, point, victim) => {
    const { grid } = field;
    const requestId = await grid.hf.giveBack(await freshMachines(field, kind, size));
    grid.pass(30 * second);
    return (await grid.kill('getRequestStatus', { requests: [{ requestId }] }, point, victim)).killed;
  },
  // Its sweep, which releases what the kills before have left, included.
  getReturnRequests: async ({ grid }, _kind, point, victim) => {
    grid.pass(16 * minute);
    const machines = [...grid.hf.held.values()].map(hostOf);
    return (await grid.kill('getReturnRequests', { machines }, point, victim)).killed;
  },
};
