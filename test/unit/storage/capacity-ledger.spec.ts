import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createIdOf } from '../../../src/domain/ids.ts';
import { createCapacityLedger } from '../../../src/storage/capacity-ledger.ts';
import { createRequestStreams } from '../../../src/storage/request-streams.ts';
import { withLedger } from '../../../src/storage/streams-with-ledger.ts';
import { origin, uuid } from '../provider-world.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const claim = (n: number, units: number, templateId = 'od-a') => ({
  templateId,
  requestId: createIdOf(uuid(n)),
  units,
});
const unitsIn = (claims: readonly { readonly units: number }[]): number =>
  claims.reduce((sum, { units }) => sum + units, 0);

describe('a claim', () => {
  it('is granted within the limit and counted', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    expect(await live.reserve(claim(1, 4), 10)).toEqual({ granted: true, live: 4 });
    expect(await live.reserve(claim(2, 6), 10)).toEqual({ granted: true, live: 10 });
  });

  it('above the limit is refused, told what there is, and not in the ledger', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    await live.reserve(claim(1, 4), 10);
    expect(await live.reserve(claim(2, 7), 10)).toEqual({ granted: false, live: 4 });
    expect(await live.list()).toMatchObject([claim(1, 4)]);
  });

  it('without a limit is always granted', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    expect(await live.reserve(claim(1, 1_000_000), undefined)).toMatchObject({ granted: true });
  });

  it('is its template’s own', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    await live.reserve(claim(1, 10), 10);
    expect(await live.reserve(claim(2, 10, 'od-b'), 10)).toMatchObject({ granted: true });
  });

  it('made again by the same request is one claim', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    await live.reserve(claim(1, 6), 10);
    expect(await live.reserve(claim(1, 6), 10)).toEqual({ granted: true, live: 6 });
  });

  it('of twenty at once never exceeds the limit together', async () => {
    const folder = await temporaryFolder();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => createCapacityLedger(folder).reserve(claim(n, 1), 5)),
    );
    const granted = answers.filter((answer) => answer.granted).length;
    expect(granted).toBeLessThanOrEqual(5);
    expect(unitsIn(await createCapacityLedger(folder).list('od-a'))).toBe(granted);
  });

  it('of twenty at once that fit together is granted to each', async () => {
    const folder = await temporaryFolder();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => createCapacityLedger(folder).reserve(claim(n, 1), 20)),
    );
    expect(answers.every(({ granted }) => granted)).toBe(true);
  });
});

describe('settling', () => {
  it.each([
    ['fewer', 2],
    ['more', 9],
    ['as many', 4],
  ])('to %s units replaces the claim', async (_, units) => {
    const live = createCapacityLedger(await temporaryFolder());
    await live.reserve(claim(1, 4), 10);
    await live.update(claim(1, units));
    expect(await live.list()).toMatchObject([claim(1, units)]);
  });

  it('to nothing takes the request out of the ledger, also twice', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    await live.reserve(claim(1, 4), 10);
    await live.update(claim(1, 0));
    await live.update(claim(1, 0));
    expect(await live.list()).toEqual([]);
  });

  it('of a request that is not in the ledger puts it there: a late grant', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    await live.update(claim(1, 3));
    expect(await live.list()).toMatchObject([claim(1, 3)]);
  });

  it.each([
    [3, 5],
    [3, 3],
    [0, 5],
    [6, 5],
  ])('sets it to %i where it was thought to be %i and is something else', async (units, before) => {
    const live = createCapacityLedger(await temporaryFolder());
    await live.reserve(claim(1, 4), undefined);
    await live.update(claim(1, units), before);
    expect(await live.list()).toMatchObject(units === 0 ? [] : [claim(1, units)]);
  });

  it('is set right by the next record, also of one that holds the same', async () => {
    const folder = await temporaryFolder();
    const live = createCapacityLedger(folder);
    await live.reserve(claim(1, 2), undefined);
    const holds = { now: claim(1, 5), before: 5, isUnsure: false };
    const event = { type: 'RequestCancelled', at: 1, reason: 'a test' } as const;
    await withLedger(createRequestStreams(folder), live).append(claim(1, 5).requestId, 0, [event], origin, holds);
    expect(await live.list()).toMatchObject([claim(1, 5)]);
  });

  it('leaves the others alone', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    await live.reserve(claim(1, 4), 10);
    await live.reserve(claim(2, 4), 10);
    await live.update(claim(1, 0));
    expect(await live.list()).toMatchObject([claim(2, 4)]);
  });

  it('by several at once to the same leaves one claim', async () => {
    const folder = await temporaryFolder();
    await createCapacityLedger(folder).reserve(claim(1, 4), 10);
    await Promise.all([1, 2, 3].map(() => createCapacityLedger(folder).update(claim(1, 2))));
    expect(await createCapacityLedger(folder).list()).toMatchObject([claim(1, 2)]);
  });
});

describe('the list', () => {
  it('is of one template or of all', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    await live.reserve(claim(1, 1), 10);
    await live.reserve(claim(2, 2, 'od-b'), 10);
    expect(await live.list('od-b')).toMatchObject([claim(2, 2, 'od-b')]);
    expect(unitsIn(await live.list())).toBe(3);
  });

  it('is empty before the first claim', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    expect([await live.list(), await live.list('od-a')]).toEqual([[], []]);
  });

  it('leaves out what is no claim', async () => {
    const folder = await temporaryFolder();
    const live = createCapacityLedger(folder);
    await live.reserve(claim(1, 1), 10);
    await writeFile(join(folder, 'live', 'od-a', `${createIdOf(uuid(2))}~3.4711-abc.tmp`), '');
    await writeFile(join(folder, 'live', 'od-a', 'README'), '');
    expect(await live.list()).toMatchObject([claim(1, 1)]);
  });

  it('tells since when', async () => {
    const live = createCapacityLedger(await temporaryFolder());
    await live.reserve(claim(1, 1), 10);
    expect(await live.list()).toMatchObject([{ since: expect.any(Number) }]);
  });
});

describe('a disk that refuses', () => {
  it('grants nothing', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'live'), '');
    await expect(createCapacityLedger(folder).reserve(claim(1, 1), 10)).rejects.toMatchObject({
      code: 'storage.unwritable',
    });
  });

  it('is not taken for an empty ledger', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'live'));
    await writeFile(join(folder, 'live', 'od-a'), '');
    await expect(createCapacityLedger(folder).list('od-a')).rejects.toMatchObject({
      code: expect.stringMatching(/^storage\./),
    });
    expect(await readdir(folder)).toEqual(['live']);
  });
});

describe('a list', () => {
  it('never lacks a request whose claim another process changes meanwhile', async () => {
    const folder = await temporaryFolder();
    const live = createCapacityLedger(folder);
    await live.reserve(claim(1, 1), undefined);
    const path = (units: number): string => join(folder, 'live', 'od-a', `${createIdOf(uuid(1))}~${units}`);
    const changing = `
      const { renameSync } = require('node:fs');
      const [one, two] = ${JSON.stringify([path(1), path(2)])};
      const change = () => {
        for (let n = 0; n < 100; n++) { renameSync(one, two); renameSync(two, one); }
        setImmediate(change);
      };
      process.stdout.write('changing');
      change();`;
    const other = spawn(process.execPath, ['-e', changing], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(other.stdout, 'data');
    let missing = 0;
    for (let n = 0; n < 3000; n++) if ((await live.list()).length !== 1) missing++;
    other.kill();
    expect(missing).toBe(0);
  });
});
