import { readdirSync } from 'node:fs';
import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createListingMemory } from '../../../src/storage/document-memory.ts';
import { temporaryFolder } from '../temporary-folder.ts';

let folder: string;
let lists: number;
let list: (folder: string) => readonly string[];
/** As if nothing had come or gone for an hour. */
const rest = (): Promise<void> => utimes(folder, new Date(), new Date(Date.now() - 3_600_000));
beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, '1'), '');
  lists = 0;
  list = createListingMemory((path) => {
    lists++;
    return readdirSync(path);
  });
});

describe('a folder in mind', () => {
  it('is not listed again while nothing comes or goes', async () => {
    await rest();
    expect([list(folder), list(folder), list(folder)]).toEqual([['1'], ['1'], ['1']]);
    expect(lists).toBe(1);
  });

  it('is listed again once something has come or gone', async () => {
    await rest();
    list(folder);
    await writeFile(join(folder, '2'), '');
    expect(list(folder)).toEqual(['1', '2']);
    await rm(join(folder, '1'));
    expect(list(folder)).toEqual(['2']);
  });

  it('that has just changed is listed each time: what comes within the same tick of the clock leaves the same time', () => {
    expect([list(folder), list(folder)]).toEqual([['1'], ['1']]);
    expect(lists).toBe(2);
  });

  it('that is not there is asked for each time', () => {
    const gone = createListingMemory(() => {
      lists++;
      return [];
    });
    expect([gone(join(folder, 'gone')), gone(join(folder, 'gone'))]).toEqual([[], []]);
    expect(lists).toBe(2);
  });
});
