import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RefusedOffering } from '../../../src/domain/offering.ts';
import { createOfferingMemory } from '../../../src/storage/offering-memory.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const start = async () => {
  const folder = await temporaryFolder();
  const time = { now: 1000 };
  const open = () => createOfferingMemory(folder, () => time.now);
  return { folder, time, open };
};

const refusedUntil = (expiresAt: number, fields: Partial<RefusedOffering> = {}): RefusedOffering => ({
  market: 'spot',
  instanceType: 'm5.large',
  subnetId: 'subnet-1',
  code: 'InsufficientInstanceCapacity',
  seenAt: 1000,
  expiresAt,
  ...fields,
});

it('is shared by all who open it, until entries expire', async () => {
  const { time, open } = await start();
  await open().remember([refusedUntil(2000), refusedUntil(3000, { market: 'ondemand', instanceType: 'c5.large' })]);
  expect(await open().refused()).toHaveLength(2);
  time.now = 2000;
  expect(await open().refused()).toMatchObject([{ market: 'ondemand', instanceType: 'c5.large', expiresAt: 3000 }]);
  time.now = 3000;
  expect(await open().refused()).toEqual([]);
});

it('holds for no longer than a refusal ever counts, whatever the clock that dated it', async () => {
  const { folder, time, open } = await start();
  const day = 24 * 3_600_000;
  await open().remember([refusedUntil(time.now + 10 * day)]);
  expect([await open().refused(), await open().list()]).toEqual([[], []]);
  await open().remember([refusedUntil(time.now + 1000)]);
  expect(await readdir(join(folder, 'offerings'))).toHaveLength(1);
});

it('removes the files of expired entries', async () => {
  const { folder, time, open } = await start();
  await open().remember([refusedUntil(2000), refusedUntil(2500, { instanceType: 'c5.large' })]);
  time.now = 2000;
  await open().remember([refusedUntil(9000, { instanceType: 'r5.large' })]);
  expect((await readdir(join(folder, 'offerings'))).sort()).toEqual([
    expect.stringContaining('c5.large'),
    expect.stringContaining('r5.large'),
  ]);
});

it('keeps the latest word on an offering, and on whole markets', async () => {
  const { open } = await start();
  await open().remember([refusedUntil(2000)]);
  await open().remember([refusedUntil(2500)]);
  const { instanceType: _type, subnetId: _subnet, ...market } = refusedUntil(9000);
  await open().remember([{ ...market, code: 'MaxSpotInstanceCountExceeded' }]);
  const listed = await open().list();
  expect(listed.map(({ expiresAt }) => expiresAt).sort()).toEqual([2500, 9000]);
  expect(listed.find(({ expiresAt }) => expiresAt === 9000)).not.toHaveProperty('instanceType');
});

it('forgets what is meant, and tells how much', async () => {
  const { open } = await start();
  await open().remember([refusedUntil(2000), refusedUntil(2000, { instanceType: 'c5.large' })]);
  expect(await open().forget(({ instanceType }) => instanceType === 'c5.large')).toBe(1);
  expect(await open().refused()).toMatchObject([{ instanceType: 'm5.large' }]);
});

it('reads past files of others, and is empty where nothing was ever refused', async () => {
  const { folder, open } = await start();
  expect(await open().refused()).toEqual([]);
  await mkdir(join(folder, 'offerings'));
  await writeFile(join(folder, 'offerings', 'notes.txt'), '');
  expect(await open().refused()).toEqual([]);
});

it('that cannot be kept holds nobody up', async () => {
  const { folder, open } = await start();
  await writeFile(join(folder, 'offerings'), 'in the way');
  await open().remember([refusedUntil(2000)]);
  expect(await open().refused()).toEqual([]);
});
