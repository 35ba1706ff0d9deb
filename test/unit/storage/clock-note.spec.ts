import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createClockNote } from '../../../src/storage/clock-note.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const hour = 3_600_000;

/** A work folder, and a host of which time passes, the clock is set or the system starts again. */
const startHost = async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'cache'));
  let [wall, sinceBoot] = [Date.UTC(2026, 0, 1), 50 * hour];
  let bootId: string | undefined = 'first';
  const note = createClockNote(folder, { wall: () => wall, sinceBoot: () => sinceBoot, bootId: () => bootId });
  return {
    note,
    folder,
    pass: (ms: number) => {
      wall += ms;
      sinceBoot += ms;
    },
    setClock: (ms: number) => {
      wall += ms;
    },
    startAgain: (id: string | undefined) => {
      bootId = id;
      sinceBoot = 0;
    },
  };
};

it.each([0, -20 * 60_000])('keeps that the clock is %i ms ahead for later calls', async (ahead) => {
  const { note, pass } = await startHost();
  note.write(ahead);
  pass(100 * hour);
  expect(note.read()).toBe(ahead);
});

it.each([
  ['set ahead', 0, 8760 * hour],
  ['set back', 0, -hour],
  ['set right', hour, -hour],
])('knows what the difference is after the clock was %s between two calls', async (_, ahead, jump) => {
  const { note, pass, setClock } = await startHost();
  note.write(ahead);
  pass(hour);
  setClock(jump);
  expect(note.read()).toBe(ahead + jump);
});

it('knows nothing of a clock that shows another time after a start of the system', async () => {
  const { note, startAgain, setClock } = await startHost();
  note.write(0);
  startAgain('second');
  setClock(hour);
  expect(note.read()).toBeUndefined();
});

it('keeps the difference as it was where no start of the system can be told', async () => {
  const { note, startAgain, setClock } = await startHost();
  startAgain(undefined);
  note.write(hour);
  setClock(hour);
  expect(note.read()).toBe(hour);
});

it('reads the real clocks of a host', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'cache'));
  const note = createClockNote(folder);
  note.write(5000);
  expect(note.read()).toBe(5000);
  expect(await readdir(join(folder, 'cache'))).toEqual([`clock.${hostname()}`]);
});

it.each(['', 'yesterday'])('knows nothing where the file holds %j', async (text) => {
  const { note, folder } = await startHost();
  await writeFile(join(folder, 'cache', `clock.${hostname()}`), text);
  expect(note.read()).toBeUndefined();
});

it('is done without where nothing can be written', () => {
  const note = createClockNote('/nowhere');
  note.write(5000);
  expect(note.read()).toBeUndefined();
});
