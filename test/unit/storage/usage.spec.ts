import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createUsage } from '../../../src/storage/usage.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const hour = 3_600_000;

const start = async () => {
  const folder = await temporaryFolder();
  const time = { now: 1000 * hour };
  return { folder, time, open: () => createUsage(folder, () => time.now), files: () => readdir(join(folder, 'usage')) };
};

describe('figures', () => {
  it('add up over processes', async () => {
    const { open } = await start();
    await Promise.all(Array.from({ length: 20 }, () => open().add({ calls: 1, errors: 2 })));
    expect(await open().total()).toEqual({ calls: 20, errors: 40 });
  });

  it('are the same after the hours before are folded into one document, by many at once', async () => {
    const { open, time, files } = await start();
    for (let n = 0; n < 5; n++) {
      await open().add({ calls: 1 });
      time.now += hour;
    }
    await open().add({ calls: 1 });
    time.now += hour / 2;
    await Promise.all(Array.from({ length: 10 }, () => open().compact()));
    await open().compact();
    expect(await open().total()).toEqual({ calls: 6 });
    time.now += 3 * hour;
    await open().compact();
    expect(await open().total()).toEqual({ calls: 6 });
    // The total before stays for those who are just reading it.
    expect(await files()).toEqual(['total-1.json', 'total-2.json']);
  });

  it('that tell when something was last so are the latest of all processes, also once they are folded', async () => {
    const { open, time } = await start();
    for (const last of [20, 30, 10]) await open().add({ 'last_call_timestamp_seconds{entry="a"}': last });
    time.now += 2 * hour;
    await open().compact();
    await open().add({ 'last_call_timestamp_seconds{entry="a"}': 25 });
    expect(await open().total()).toEqual({ 'last_call_timestamp_seconds{entry="a"}': 30 });
  });

  it('go on to be counted after a clock that was ahead has folded them', async () => {
    const { open, time } = await start();
    await open().add({ calls: 1 });
    time.now += 10_000 * hour;
    await open().compact();
    time.now -= 9_000 * hour;
    await open().add({ calls: 1 });
    await open().compact();
    time.now += hour;
    await open().add({ calls: 1 });
    await open().compact();
    expect(await open().total()).toEqual({ calls: 3 });
  });

  it('are those of the total before where a full disk has cut off the last', async () => {
    const { open, time, folder } = await start();
    await open().add({ calls: 1 });
    time.now += 2 * hour;
    await open().compact();
    await writeFile(join(folder, 'usage', 'total-2.json'), '');
    await open().add({ calls: 1 });
    expect(await open().total()).toEqual({ calls: 2 });
    time.now += 2 * hour;
    await open().compact();
    expect(await open().total()).toEqual({ calls: 2 });
  });

  it('are none before the first, and cost no file when nothing was counted', async () => {
    const { open, folder } = await start();
    await open().add({});
    expect([await open().total(), await readdir(folder)]).toEqual([{}, []]);
  });
});
