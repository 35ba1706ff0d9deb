import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StreamEvent } from '../../../src/application/ports.ts';
import { createIdOf, returnIdOf } from '../../../src/domain/ids.ts';
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

describe('the list of streams', () => {
  it('names create and return requests and nothing else', async () => {
    const { folder, streams } = await filled();
    await streams.append(returnIdOf(uuid(2)), 0, [completed(1)], origin);
    await mkdir(join(folder, 'requests', 'lost+found'));
    expect([...(await streams.marks()).keys()].sort()).toEqual([id, returnIdOf(uuid(2))]);
  });

  it('is empty before the first', async () =>
    expect((await createRequestStreams(await temporaryFolder()).marks()).size).toBe(0));
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
    ['of a later version', JSON.stringify({ stream: id, events: [{ ...whole, schemaVersion: 3 }] })],
    ['without times', JSON.stringify({ stream: id, events: [{ ...whole, at: 'now' }] })],
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
    await expect(streams.marks()).rejects.toMatchObject({ code: 'storage.unreadable' });
  });
});
