import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createClockNote } from '../../../src/storage/clock-note.ts';
import { temporaryFolder } from '../temporary-folder.ts';

it('keeps a difference for the next call until there is none any more', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'cache'));
  createClockNote(folder).write(-1_200_000);
  expect(createClockNote(folder).read()).toBe(-1_200_000);
  createClockNote(folder).write(0);
  expect(createClockNote(folder).read()).toBeUndefined();
  expect(await readdir(join(folder, 'cache'))).toEqual([]);
});

it.each(['', 'yesterday'])('knows of none where the file holds %j', async (text) => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'cache'));
  await writeFile(join(folder, 'cache', 'clock'), text);
  expect(createClockNote(folder).read() ?? 0).toBe(0);
});

it('is done without where nothing can be written', () => {
  const note = createClockNote('/nowhere');
  note.write(5000);
  expect(note.read()).toBeUndefined();
});
