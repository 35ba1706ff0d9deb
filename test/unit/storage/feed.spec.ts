import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { listedIds } from '../../../src/application/life-cycle/streams.ts';
import type { RequestStreams } from '../../../src/application/ports/streams.ts';
import { createReadModel } from '../../../src/application/projections/read-model.ts';
import { createIdOf } from '../../../src/domain/ids.ts';
import { createFeedCache } from '../../../src/storage/dynamodb/feed-cache.ts';
import { createTableStore } from '../../../src/storage/dynamodb/table-store.ts';
import { createFactCache } from '../../../src/storage/fact-cache.ts';
import { createLastDone } from '../../../src/storage/noted-times.ts';
import { createProjectionStore } from '../../../src/storage/projection-store.ts';
import { type EmulatedTable, emulatedTable, tableName } from '../../tables.ts';
import { uuid } from '../provider-world.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
const origin = { correlationId: 'c', userId: 'u', role: 'admin' } as const;
const cancelled = { type: 'RequestCancelled', at: 1, reason: 'a test' } as const;
const idOf = (n: number): string => createIdOf(uuid(n));

let table: EmulatedTable;
const time = { now: 0 };
beforeEach(() => {
  table = emulatedTable();
  time.now = Date.parse('2026-11-28T12:00:00Z');
});

interface Host {
  readonly workDir: string;
  /** Milliseconds by which its clock is ahead. */
  readonly ahead?: number;
  readonly owner?: string;
}

/** The next process of a host. */
const processOf = async ({ workDir, ahead = 0, owner = 'cluster/p' }: Host): Promise<RequestStreams> => {
  const clock = (): number => time.now + ahead;
  const store = createTableStore({
    name: tableName,
    owner,
    call: table.call,
    clock,
    facts: createFactCache(workDir, 'table', clock),
    feedCache: createFeedCache({ workDir, table: tableName, owner, looksOnly: () => false }),
    turn: createLastDone(workDir, clock).turn,
    diagnose: async () => [],
  });
  await store.id(true);
  return store.streams;
};

const newHost = async (about: Omit<Host, 'workDir'> = {}): Promise<Host> => ({
  workDir: await temporaryFolder(),
  ...about,
});

const append = async (host: Host, n: number, version = 0): Promise<void> => {
  await (await processOf(host)).append(idOf(n), version, [cancelled], origin);
};

/** The numbers of the streams that a host lists. */
const listed = async (host: Host): Promise<readonly string[]> => [...(await listedIds(await processOf(host)))].sort();

const ids = (...ns: readonly number[]): readonly string[] => ns.map(idOf).sort();

const cacheOf = ({ workDir }: Host): string => join(workDir, 'cache', 'feed.json');

const queriesOf = async (work: () => Promise<unknown>): Promise<number> => {
  const from = table.asked.length;
  await work();
  return table.asked.slice(from).filter((action) => action === 'Query').length;
};

describe('the feed of a table', () => {
  it('shows two hosts what the other did, list after list', async () => {
    const [a, b] = [await newHost(), await newHost()];
    const versionsAt = async (host: Host) => {
      const clock = (): number => time.now;
      const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
      const [streams, store] = [await processOf(host), createProjectionStore(host.workDir)];
      const model = createReadModel({ streams, store, clock, log, pause: async () => undefined });
      await model.refresh();
      const of = async (n: number) => (await model.versionsOf(idOf(n))).requests;
      return [await of(1), await of(2)];
    };
    await append(a, 1);
    expect([await versionsAt(a), await versionsAt(b)]).toEqual([
      [1, 0],
      [1, 0],
    ]);
    time.now += minute;
    await append(b, 1, 1);
    await append(b, 2);
    expect([await versionsAt(a), await versionsAt(b)]).toEqual([
      [2, 1],
      [2, 1],
    ]);
    time.now += 20 * minute;
    await append(a, 2, 1);
    expect([await versionsAt(a), await versionsAt(b)]).toEqual([
      [2, 2],
      [2, 2],
    ]);
  });

  it('of forty days is read once, and then of today and the day before', async () => {
    const host = await newHost();
    await processOf(host);
    for (let n = 0; n < 40; n++) {
      await append(host, n);
      time.now += day;
    }
    expect(await queriesOf(() => listed(host))).toBeGreaterThan(40);
    time.now += 10 * second;
    await append(host, 40);
    expect(await queriesOf(async () => expect(await listed(host)).toHaveLength(41))).toBeLessThanOrEqual(3);
    const streams = await processOf(host);
    expect(await queriesOf(() => streams.changes())).toBeLessThanOrEqual(3);
    time.now += 10 * minute;
    expect(await queriesOf(() => streams.changes())).toBe(1);
    expect(await queriesOf(() => streams.archived())).toBe(1);
  });

  it('takes off the lists of the other host what was set aside', async () => {
    const [a, b] = [await newHost(), await newHost()];
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    const listedAt = async ({ workDir }: Host, streams: RequestStreams) => {
      const store = createProjectionStore(workDir);
      const model = createReadModel({ streams, store, clock: () => time.now, log, pause: async () => undefined });
      await model.read('requests');
      return [...((await store.load('requests'))?.streams.keys() ?? [])].sort();
    };
    for (const n of [1, 2]) await append(a, n);
    const streams = await processOf(b);
    time.now += 20 * minute;
    expect(await listedAt(b, streams)).toEqual(ids(1, 2));
    await (await processOf(a)).archive(idOf(1));
    time.now += minute;
    expect(await listedAt(b, streams)).toEqual(ids(2));
  });

  it('tells by a position also what a host whose clock is behind has written since', async () => {
    const [a, b] = [await newHost(), await newHost({ ahead: -5 * minute })];
    await append(a, 1);
    const streams = await processOf(a);
    const { position } = await streams.changes();
    await append(b, 2);
    const later = await streams.changes({ since: position });
    expect([later.isIncrement, [...later.changed.keys()].sort()]).toEqual([true, ids(1, 2)]);
  });

  it('tells by a position also what this host has written since its clock was set back', async () => {
    const host = await newHost();
    await append(host, 1);
    await listed(host);
    time.now += 30 * minute;
    await append(host, 2);
    const { position } = await (await processOf(host)).changes();
    const setBack = { ...host, ahead: -25 * minute };
    await append(setBack, 3);
    const later = await (await processOf(setBack)).changes({ since: position });
    expect([...later.changed.keys()]).toContain(idOf(3));
  });

  it('tells by a position what is new, until it is read whole again', async () => {
    const [a, b] = [await newHost(), await newHost()];
    for (const n of [1, 2]) await append(a, n);
    const streams = await processOf(a);
    time.now += 20 * minute;
    await append(b, 3);
    const { position } = await streams.changes();
    time.now += 20 * minute;
    await append(b, 4);
    const later = await streams.changes({ since: position });
    expect([later.isIncrement, [...later.changed.keys()].sort()]).toEqual([true, ids(3, 4)]);
    time.now += hour;
    const all = await streams.changes({ since: later.position });
    expect([all.isIncrement, [...all.changed.keys()].sort()]).toEqual([false, ids(1, 2, 3, 4)]);
  });

  it('is read whole once an hour, and for who wants nothing of what was kept', async () => {
    const host = await newHost();
    await append(host, 1);
    const streams = await processOf(host);
    time.now += 5 * day;
    expect(await queriesOf(() => streams.changes())).toBeGreaterThan(5);
    time.now += 59 * minute;
    expect(await queriesOf(() => streams.changes())).toBeLessThanOrEqual(2);
    expect(await queriesOf(() => streams.changes({ anew: true }))).toBeGreaterThan(5);
    expect(await queriesOf(() => streams.changes())).toBeLessThanOrEqual(2);
    time.now += 61 * minute;
    expect(await queriesOf(() => streams.changes())).toBeGreaterThan(5);
  });

  it('shows what a host whose clock is behind has written', async () => {
    const [a, b] = [await newHost(), await newHost({ ahead: -5 * minute })];
    await append(a, 1);
    expect(await listed(a)).toEqual(ids(1));
    await append(b, 2);
    expect(await listed(a)).toEqual(ids(1, 2));
  });

  it('shows what others write after a host whose clock is ahead', async () => {
    const [a, b, c] = [await newHost(), await newHost(), await newHost({ ahead: 14 * minute })];
    await append(a, 1);
    await append(c, 2);
    expect(await listed(a)).toEqual(ids(1, 2));
    time.now += 30 * second;
    await append(b, 3);
    expect(await listed(a)).toEqual(ids(1, 2, 3));
    expect(await listed(c)).toEqual(ids(1, 2, 3));
  });

  it('shows within an hour what came later than any clock or index should be', async () => {
    const [a, b] = [await newHost(), await newHost({ ahead: -15 * minute })];
    await processOf(a);
    time.now += 20 * minute;
    await append(a, 1);
    expect(await listed(a)).toEqual(ids(1));
    await append(b, 2);
    expect(await listed(a)).toEqual(ids(1));
    time.now += 61 * minute;
    expect(await listed(a)).toEqual(ids(1, 2));
  });

  it('gives two versions of a stream two stamps, though they were written within a millisecond', async () => {
    const [a, b] = [await newHost(), await newHost()];
    const streams = await processOf(a);
    const stamps: (number | undefined)[] = [];
    for (const [version, host] of [a, b, a].entries()) {
      await append(host, 1, version);
      stamps.push((await streams.changes()).changed.get(idOf(1)));
    }
    expect(new Set(stamps).size).toBe(3);
    expect(stamps.map((stamp) => Math.floor(stamp ?? 0))).toEqual([time.now, time.now, time.now]);
  });

  it('keeps to the last version, in whatever order clocks make of them', async () => {
    const [a, b] = [await newHost({ ahead: 4 * minute }), await newHost()];
    const reader = await newHost();
    await append(a, 1);
    const first = (await (await processOf(reader)).changes()).changed.get(idOf(1));
    await append(b, 1, 1);
    const second = (await (await processOf(reader)).changes()).changed.get(idOf(1));
    expect(second).toBeLessThan(first ?? 0);
    expect((await (await processOf(await newHost())).changes()).changed.get(idOf(1))).toBe(second);
  });

  it('forgets within an hour what was dropped elsewhere', async () => {
    const [a, b] = [await newHost(), await newHost()];
    await append(a, 1);
    await append(a, 2);
    time.now += 30 * minute;
    await (await processOf(a)).archive(idOf(1));
    const streams = await processOf(a);
    expect([await listedIds(streams), await streams.archived()]).toEqual([ids(2), ids(1)]);
    time.now += minute;
    const elsewhere = await processOf(b);
    await elsewhere.packArchive(time.now);
    expect(await elsewhere.archived()).toEqual([]);
    expect([await streams.archived(), (await streams.load(idOf(1))).version]).toEqual([ids(1), 0]);
    time.now += 61 * minute;
    expect([await listedIds(streams), await streams.archived()]).toEqual([ids(2), []]);
  });

  it('lists and never drops what goes on after it was set aside, by whatever clock', async () => {
    const [a, b] = [await newHost(), await newHost({ ahead: -3 * minute })];
    await append(a, 1);
    time.now += 10 * minute;
    const streams = await processOf(a);
    await streams.archive(idOf(1));
    time.now += minute;
    await append(b, 1, 1);
    expect([await listed(a), await streams.archived()]).toEqual([ids(1), []]);
    await streams.packArchive(time.now + day);
    expect((await streams.load(idOf(1))).version).toBe(2);
  });

  it('drops nothing that has gone on elsewhere, whatever this host has kept', async () => {
    const [a, b] = [await newHost(), await newHost()];
    const streams = await processOf(a);
    await append(a, 1);
    await streams.archive(idOf(1));
    expect(await streams.archived()).toEqual(ids(1));
    time.now += 40 * minute;
    await append(b, 1, 1);
    await streams.packArchive(time.now);
    expect((await streams.load(idOf(1))).version).toBe(2);
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, -20)],
    ['of another format', (text: string) => text.replace('"format":2', '"format":0')],
    ['with a line that is none', (text: string) => text.replace(idOf(1), '../../etc')],
    ['without a time', (text: string) => text.replace(/"position":\d+/, '"position":null')],
    ['of another owner', (text: string) => text.replace('cluster/p', 'cluster/q')],
    ['of another table', (text: string) => text.replace(tableName, 'another')],
    ['of another store', (text: string) => text.replace(/"storeId":"[^"]*"/, '"storeId":"another"')],
    ['empty', () => ''],
  ])('is read whole where what was kept is %s', async (_, damage) => {
    const host = await newHost();
    await append(host, 1);
    time.now += 5 * day;
    expect(await queriesOf(() => listed(host))).toBeGreaterThan(5);
    expect(await queriesOf(() => listed(host))).toBeLessThanOrEqual(2);
    const text = await readFile(cacheOf(host), 'utf8');
    await writeFile(cacheOf(host), damage(text));
    expect(await queriesOf(async () => expect(await listed(host)).toEqual(ids(1)))).toBeGreaterThan(5);
    expect((await stat(cacheOf(host))).mode & 0o777).toBe(0o600);
  });

  it('is another where the table was made anew', async () => {
    const host = await newHost();
    await append(host, 1);
    expect(await listed(host)).toEqual(ids(1));
    table = emulatedTable();
    // By then a host has asked the table again which store it holds.
    time.now += 3 * minute;
    await append(host, 2);
    expect(await listed(host)).toEqual(ids(2));
  });
});
