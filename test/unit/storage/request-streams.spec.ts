import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listedIds } from '../../../src/application/life-cycle/streams.ts';
import type { StreamEvent } from '../../../src/application/ports/streams.ts';
import { createIdOf, returnIdOf } from '../../../src/domain/ids.ts';
import { createFile } from '../../../src/storage/atomic-file.ts';
import { createRequestStreams } from '../../../src/storage/request-streams.ts';
import { origin, uuid } from '../provider-world.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const id = createIdOf(uuid(1));
const completed = (at: number): StreamEvent => ({ type: 'RequestCompleted', at });

/** A store with a stream of three events in two appends. */
const filled = async () => {
  const folder = await temporaryFolder();
  const streams = createRequestStreams(folder);
  await streams.append(id, 0, [completed(1), completed(2)], origin);
  await streams.append(id, 2, [completed(3)], origin);
  return { folder, streams, pathOf: (version: number) => join(folder, 'requests', id, `00000000${version}.json`) };
};

it('its position is told only once nothing can change any more within the grain of the folders’ times', async () => {
  const { folder, streams } = await filled();
  const touch = async (ms: number): Promise<void> => {
    const time = new Date(Date.now() + ms);
    for (const name of ['appending', 'requests']) await utimes(join(folder, name), time, time);
  };
  await touch(-60_000);
  expect((await streams.changes()).position).toEqual(expect.any(String));
  await touch(10_000);
  expect((await streams.changes()).position).toBeUndefined();
});

describe('a stream', () => {
  it('gives back what was appended, in order, with who asked', async () => {
    const { streams } = await filled();
    const { version, events } = await streams.load(id);
    expect([version, events.map(({ at }) => at)]).toEqual([3, [1, 2, 3]]);
    expect(events[0]).toMatchObject({ type: 'RequestCompleted', correlationId: 'test' });
  });

  it('that was set aside goes on whole', async () => {
    const { streams, folder } = await filled();
    await streams.archive(id);
    expect(await streams.append(id, 3, [completed(4)], origin)).toBe(4);
    expect((await createRequestStreams(folder).load(id)).events.map(({ at }) => at)).toEqual([1, 2, 3, 4]);
    expect(await streams.archived()).toEqual([]);
  });

  it.each(['load', 'append'] as const)('in a pack is as it was: %s', async (use) => {
    const { streams, folder } = await filled();
    const before = await streams.load(id);
    await streams.archive(id);
    await streams.packArchive(0);
    const other = createRequestStreams(folder);
    expect(await readdir(join(folder, 'requests'))).toEqual([]);
    if (use === 'append') {
      expect(await other.append(id, 3, [completed(4)], origin)).toBe(4);
      expect(await listedIds(other)).toEqual([id]);
    }
    const times = use === 'append' ? [1, 2, 3, 4] : [1, 2, 3];
    for (const each of [other, streams]) {
      const { events } = await each.load(id);
      expect(events.map(({ at }) => at)).toEqual(times);
      expect(events.slice(0, 3)).toEqual(before.events);
    }
  });

  it('is told its new version', async () => {
    const streams = createRequestStreams(await temporaryFolder());
    expect(await streams.append(id, 0, [completed(1), completed(2)], origin)).toBe(2);
  });

  it.each([id, returnIdOf(uuid(1)), 'r-0a1b2c3d', '../../../etc/passwd', ''])(
    'that nobody wrote is empty: %j',
    async (absent) => {
      const streams = createRequestStreams(await temporaryFolder());
      expect(await streams.load(absent)).toEqual({ version: 0, events: [] });
    },
  );

  it.each(['../escape', 'req-1', ''])('is never written under the name %j', async (bad) => {
    const folder = await temporaryFolder();
    await expect(createRequestStreams(folder).append(bad, 0, [completed(1)], origin)).rejects.toMatchObject({
      code: 'input.invalid',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('costs the same however many others there are: it is a folder of its own', async () => {
    const { folder, streams } = await filled();
    await streams.append(createIdOf(uuid(2)), 0, [completed(1)], origin);
    expect(await readdir(join(folder, 'requests', id))).toEqual(['000000000.json', '000000002.json']);
  });

  it('is for its owner alone', async () => {
    const { folder, pathOf } = await filled();
    const paths = [join(folder, 'requests'), join(folder, 'requests', id), pathOf(0)];
    const modes = await Promise.all(paths.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)));
    expect(modes).toEqual(['700', '700', '600']);
  });

  it('ignores what a killed process left half written beside it', async () => {
    const { streams, pathOf } = await filled();
    await writeFile(`${pathOf(3)}.4711-abcdef.tmp`, '{"stre');
    expect((await streams.load(id)).version).toBe(3);
  });
});

describe('the archive', () => {
  const other = createIdOf(uuid(2));
  const packsIn = async (folder: string): Promise<readonly string[]> => (await readdir(join(folder, 'archive'))).sort();

  it('is two files for all streams of a day, which zcat shows', async () => {
    const { streams, folder } = await filled();
    await streams.append(other, 0, [completed(9)], origin);
    for (const each of [id, other]) await streams.archive(each);
    await streams.packArchive(0);
    const [index = '', pack = '', ...more] = await packsIn(folder);
    expect([index, pack, more]).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\d-[0-9a-f]{16}\.index\.json$/),
      expect.stringMatching(/\.jsonl\.gz$/),
      [],
    ]);
    const text = execFileSync('zcat', [join(folder, 'archive', pack)], { encoding: 'utf8' });
    const lines = text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ stream: id }, { stream: other }]);
    expect([...(await createRequestStreams(folder).archived())].sort()).toEqual([id, other].sort());
  });

  it('takes over what an earlier version has set aside', async () => {
    const { streams, folder } = await filled();
    await mkdir(join(folder, 'archive'));
    await rename(join(folder, 'requests', id), join(folder, 'archive', id));
    expect((await streams.load(id)).version).toBe(3);
    expect(await streams.archived()).toEqual([id]);
    await streams.packArchive(0);
    expect((await packsIn(folder)).includes(id)).toBe(false);
    expect((await streams.load(id)).version).toBe(3);
  });

  it('that was killed while it packed loses and doubles nothing', async () => {
    const { streams, folder } = await filled();
    const kept = join(folder, 'kept');
    await streams.archive(id);
    await cp(join(folder, 'archive'), kept, { recursive: true });
    await streams.packArchive(0);
    // Killed before the folders went, and before the index of another pack was written.
    await cp(kept, join(folder, 'archive'), { recursive: true });
    await writeFile(join(folder, 'archive', '2026-01-01-0123456789abcdef.jsonl.gz'), 'half');
    await mkdir(join(folder, 'archive', 'trash-1', '0'), { recursive: true });
    const after = createRequestStreams(folder);
    expect([(await after.load(id)).version, await after.archived()]).toEqual([3, [id]]);
    await after.packArchive(0);
    const next = createRequestStreams(folder);
    expect([(await next.load(id)).version, await next.archived()]).toEqual([3, [id]]);
    expect((await packsIn(folder)).filter((name) => /^(batch|trash)/.test(name))).toEqual([]);
  });

  it('gives the later of two packs that hold a stream', async () => {
    const { streams, folder } = await filled();
    for (const version of [3, 4, 5]) {
      await streams.archive(id);
      await streams.packArchive(0);
      await streams.append(id, version, [completed(version + 1)], origin);
    }
    await streams.archive(id);
    await streams.packArchive(0);
    expect((await createRequestStreams(folder).load(id)).events.map(({ at }) => at)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('drops the packs of one day at a time, and only those that are old enough', async () => {
    const { streams, folder } = await filled();
    await streams.archive(id);
    await streams.packArchive(0);
    for (const day of ['2026-01-01', '2026-01-02'])
      for (const end of ['index.json', 'jsonl.gz']) {
        const text = end === 'index.json' ? '{}' : '';
        await writeFile(join(folder, 'archive', `${day}-0123456789abcdef.${end}`), text);
      }
    const count = async (before: number): Promise<number> => {
      await streams.packArchive(before);
      return (await packsIn(folder)).length;
    };
    const midnight = Date.parse('2026-01-03');
    expect([await count(0), await count(midnight), await count(midnight), await count(midnight)]).toEqual([6, 4, 2, 2]);
    expect((await streams.load(id)).version).toBe(3);
  });

  it('whose index is damaged is named, and nothing in it is taken for absent', async () => {
    const { streams, folder } = await filled();
    await streams.archive(id);
    await streams.packArchive(0);
    const [index = ''] = await packsIn(folder);
    await writeFile(join(folder, 'archive', index), '');
    await expect(createRequestStreams(folder).load(id)).rejects.toMatchObject({
      code: 'storage.unreadable',
      message: expect.stringContaining(index),
    });
  });
});

it('a document whose folder has just been moved is refused: the folder is not made again', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'requests', id, '000000003.json');
  await expect(
    createFile(path, '{}', { asideIn: join(folder, 'appending'), makesFolder: false }),
  ).rejects.toMatchObject({
    code: 'storage.conflict',
  });
  expect(await readdir(folder)).toEqual(['appending']);
});

describe('in a process that lives on', () => {
  it('a document is read once, and again when it is no longer as it was', async () => {
    const { folder, pathOf } = await filled();
    const streams = createRequestStreams(folder, { remembers: true });
    const [first] = (await streams.load(id)).events;
    expect((await streams.load(id)).events[0]).toBe(first);
    await streams.append(id, 3, [completed(4)], origin);
    expect((await streams.load(id)).events.map(({ at }) => at)).toEqual([1, 2, 3, 4]);
    await writeFile(pathOf(0), (await readFile(pathOf(0), 'utf8')).replace('{', '<'));
    await expect(streams.load(id)).rejects.toMatchObject({ message: expect.stringContaining(pathOf(0)) });
  });

  it('of version 2 tells of a returned machine which request launched it', async () => {
    const { folder, streams } = await filled();
    const item = { key: 'i-1', machineId: 'i-1', name: '', verdict: 'gone', message: '', instanceTags: '', owner: id };
    const returnId = returnIdOf(uuid(9));
    const event = {
      type: 'ReturnRequested',
      at: 1,
      schemaVersion: 2,
      correlationId: 'c',
      role: 'admin',
      items: [item],
    };
    await mkdir(join(folder, 'requests', returnId));
    const text = JSON.stringify({ stream: returnId, events: [event] });
    await writeFile(join(folder, 'requests', returnId, '000000000.json'), text);
    const { owner: _owner, ...rest } = item;
    expect((await streams.load(returnId)).events).toEqual([
      { ...event, schemaVersion: 3, items: [{ ...rest, requestId: id }] },
    ]);
  });

  it('no more of them are kept than fit', async () => {
    const { folder } = await filled();
    const streams = createRequestStreams(folder, { remembers: true });
    const [first] = (await streams.load(id)).events;
    const long = { type: 'RequestCancelled', at: 4, reason: 'x'.repeat(5_000_000) } as const;
    await streams.append(id, 3, [long], origin);
    await streams.load(id);
    expect((await streams.load(id)).events[0]).not.toBe(first);
  });
});

describe('the list of streams', () => {
  it('names create and return requests and nothing else', async () => {
    const { folder, streams } = await filled();
    await streams.append(returnIdOf(uuid(2)), 0, [completed(1)], origin);
    await mkdir(join(folder, 'requests', 'lost+found'));
    expect([...(await streams.changes()).changed.keys()].sort()).toEqual([id, returnIdOf(uuid(2))]);
  });

  it('is empty before the first', async () =>
    expect((await createRequestStreams(await temporaryFolder()).changes()).changed.size).toBe(0));
});

describe('two appends at one version', () => {
  it('one wins and the other is told', async () => {
    const { streams } = await filled();
    await streams.append(id, 3, [completed(4)], origin);
    await expect(streams.append(id, 3, [completed(5)], origin)).rejects.toMatchObject({ code: 'storage.conflict' });
    expect((await streams.load(id)).events.at(-1)?.at).toBe(4);
  });

  it('of twenty at once from as many stores exactly one wins, whole', async () => {
    const folder = await temporaryFolder();
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        createRequestStreams(folder).append(id, 0, [completed(n), completed(n)], origin),
      ),
    );
    const winners = attempts.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []));
    expect(winners).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'storage.conflict' });
    }
    const { events } = await createRequestStreams(folder).load(id);
    expect(events.map(({ at }) => at)).toEqual([winners[0], winners[0]]);
  });

  it('leave no temporary file behind', async () => {
    const { folder, streams } = await filled();
    await Promise.allSettled([1, 2, 3].map((at) => streams.append(id, 3, [completed(at)], origin)));
    const names = await readdir(join(folder, 'requests', id));
    expect(names.filter((name) => !/^\d{9}\.json$/.test(name))).toEqual([]);
  });
});

describe('a document that is not what was written', () => {
  const whole = { type: 'RequestCompleted', at: 1, schemaVersion: 1, correlationId: 'c' };

  it.each([
    ['empty', ''],
    ['cut off', '{"stream":"req-'],
    ['of another stream', JSON.stringify({ stream: createIdOf(uuid(2)), events: [whole] })],
    ['without events', JSON.stringify({ stream: id, events: [] })],
    ['of no known event', JSON.stringify({ stream: id, events: [{ ...whole, type: 'Surprise' }] })],
    ['of a later version', JSON.stringify({ stream: id, events: [{ ...whole, schemaVersion: 4 }] })],
    ['without times', JSON.stringify({ stream: id, events: [{ ...whole, at: 'now' }] })],
    ['of a time that no date has', JSON.stringify({ stream: id, events: [{ ...whole, at: -8.64e15 - 1 }] })],
    ['no object', '[]'],
    ['null', 'null'],
  ])('because it is %s is unreadable, named, and left as it is', async (_, text) => {
    const { streams, pathOf } = await filled();
    await writeFile(pathOf(0), text);
    await expect(streams.load(id)).rejects.toMatchObject({
      code: 'storage.unreadable',
      message: expect.stringContaining(pathOf(0)),
    });
    expect(await readFile(pathOf(0), 'utf8')).toBe(text);
  });

  it('because it is not there is named when later ones are', async () => {
    const { streams, pathOf } = await filled();
    await rm(pathOf(0));
    await expect(streams.load(id)).rejects.toMatchObject({
      code: 'storage.unreadable',
      message: expect.stringContaining(pathOf(0)),
    });
  });

  it('because it is a folder is named', async () => {
    const { streams, pathOf } = await filled();
    await rm(pathOf(0));
    await mkdir(pathOf(0));
    await expect(streams.load(id)).rejects.toMatchObject({
      code: 'storage.unreadable',
      message: expect.stringContaining(pathOf(0)),
    });
  });
});

describe('a disk that refuses', () => {
  it.each(['.', 'requests', `requests/${id}`])('with a file in place of the folder %s is named', async (place) => {
    const folder = join(await temporaryFolder(), 'work');
    const path = join(folder, place);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, '');
    await expect(createRequestStreams(folder).append(id, 0, [completed(1)], origin)).rejects.toMatchObject({
      code: 'storage.unwritable',
      message: expect.stringContaining(join(folder, 'requests', id)),
    });
  });

  it('to be read is not an empty stream', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'requests'), '');
    const streams = createRequestStreams(folder);
    await expect(streams.load(id)).rejects.toMatchObject({ code: 'storage.unreadable' });
    await expect(streams.changes()).rejects.toMatchObject({ code: 'storage.unreadable' });
  });
});
