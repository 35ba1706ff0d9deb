import { expect, it } from 'vitest';
import { balanced, createGrid } from '../faults/grid.ts';
import { kinds, settingsFor, templatesOf } from '../faults/kinds.ts';

const minute = 60_000;

it.each(Object.keys(kinds))(
  'two hosts with work folders, names and clocks of their own, each call on the other one than the last: %s',
  async (kind) => {
    const grid = await createGrid(templatesOf(kind));
    grid.backend.emulator.configure(settingsFor(kind));
    grid.takeTurns();
    const { hf } = grid;
    for (let n = 0; n < 3; n++) await hf.ask(kind, 2);
    await hf.settle();
    const [interrupted, returned] = [...hf.held.values()];
    if (interrupted === undefined || returned === undefined) throw new Error('nothing is held');
    await grid.backend.terminate(interrupted.machineId);
    await hf.giveBack([returned]);
    grid.pass(minute);
    expect(await hf.reclaim()).toEqual([interrupted.machineId]);
    await hf.rest();
    expect(hf.held.size).toBe(4);
    expect(await hf.books()).toEqual(balanced);
    await hf.giveBack([...hf.held.values()]);
    await hf.settle();
    grid.pass(minute);
    expect(await hf.books()).toEqual(balanced);
    await grid.close();
  },
);
