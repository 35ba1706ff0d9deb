import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PluginError } from '../../../src/domain/errors.ts';
import { createFactCache } from '../../../src/storage/fact-cache.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** A cache as each new call would open it, and a source that counts how often it is asked. */
const setUp = async () => {
  const folder = await temporaryFolder();
  const time = { now: 1000 };
  const source = { asked: 0 };
  return {
    folder,
    time,
    source,
    get: (key = 'root-device', lifetimeMs = 100) =>
      createFactCache(folder, 'images', () => time.now).get(
        key,
        () => lifetimeMs,
        async () => `fact ${++source.asked}`,
      ),
  };
};

describe('a fact', () => {
  it('is looked up once and remembered by the next call', async () => {
    const { get } = await setUp();
    expect([await get(), await get()]).toEqual(['fact 1', 'fact 1']);
  });

  it('is looked up again when its time is over', async () => {
    const { get, time } = await setUp();
    await get();
    time.now += 99;
    expect(await get()).toBe('fact 1');
    time.now += 1;
    expect(await get()).toBe('fact 2');
  });

  it('is looked up again when it was noted by a clock that was ahead', async () => {
    const { get, time } = await setUp();
    time.now += 1_000_000;
    await get();
    time.now -= 1_000_000;
    expect([await get(), await get()]).toEqual(['fact 2', 'fact 2']);
  });

  it('may say itself for how long it lasts', async () => {
    const { folder } = await setUp();
    const cache = createFactCache(folder, 'images', () => 0);
    for (const value of ['0', '100']) await cache.get(value, Number, async () => value);
    expect([
      await cache.get('0', Number, async () => 'new'),
      await cache.get('100', Number, async () => 'new'),
    ]).toEqual(['new', '100']);
  });

  it('is neither kept nor dropped for who may only look', async () => {
    const folder = await temporaryFolder();
    const asOwner = createFactCache(folder, 'images', () => 0);
    const asGuest = createFactCache(folder, 'images', () => 0, { looksOnly: () => true });
    const find = (value: string) => async () => value;
    await asOwner.get('known', () => 100, find('first'));
    expect(await asGuest.get('known', () => 100, find('second'))).toBe('first');
    expect(await asGuest.get('new', () => 100, find('second'))).toBe('second');
    await asGuest.forget('first');
    expect([await asOwner.peek('known'), await asOwner.peek('new')]).toEqual(['first', undefined]);
  });

  it('is one of several', async () => {
    const { get } = await setUp();
    await get('a');
    await get('b');
    expect([await get('a'), await get('b')]).toEqual(['fact 1', 'fact 2']);
  });

  it('whose time is over makes room when another is stored', async () => {
    const { get, time, folder } = await setUp();
    await get('old', 10);
    time.now += 50;
    await get('new');
    const cache = createFactCache(folder, 'images', () => 0);
    expect(
      await cache.get(
        'old',
        () => 1,
        async () => 'gone',
      ),
    ).toBe('gone');
  });

  it('that cannot be had is not remembered', async () => {
    const { get, folder } = await setUp();
    const error = new PluginError('provider.throttled', 'DescribeImages failed');
    const cache = createFactCache(folder, 'images', () => 0);
    await expect(
      cache.get(
        'root-device',
        () => 100,
        () => Promise.reject(error),
      ),
    ).rejects.toBe(error);
    expect(await get()).toBe('fact 1');
  });
});

describe('the file', () => {
  it('is for its owner alone: it may hold credentials', async () => {
    const { get, folder } = await setUp();
    await get();
    const { mode } = await stat(join(folder, 'cache', 'images.json'));
    expect((mode & 0o777).toString(8)).toBe('600');
  });

  it.each(['', '{"root-', '[1]', '"text"', '{"root-device":"ebs"}'])('that holds %j is no fault', async (text) => {
    const { get, folder } = await setUp();
    await mkdir(join(folder, 'cache'));
    await writeFile(join(folder, 'cache', 'images.json'), text);
    expect([await get(), await get()]).toEqual(['fact 1', 'fact 1']);
  });

  it('that cannot be written is no fault either', async () => {
    const { get, folder } = await setUp();
    await writeFile(join(folder, 'cache'), '');
    expect([await get(), await get()]).toEqual(['fact 1', 'fact 2']);
  });
});
