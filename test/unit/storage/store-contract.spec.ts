import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listedIds } from '../../../src/application/life-cycle/streams.ts';
import type { Store } from '../../../src/application/ports/store.ts';
import type { CapacityClaim } from '../../../src/application/ports/streams.ts';
import { fileStore } from '../../../src/boot/stores.ts';
import { createIdOf, returnIdOf } from '../../../src/domain/ids.ts';
import { createFeedCache } from '../../../src/storage/dynamodb/feed-cache.ts';
import { createTable, type TableCall, text } from '../../../src/storage/dynamodb/table.ts';
import { createTableStore } from '../../../src/storage/dynamodb/table-store.ts';
import { createFactCache } from '../../../src/storage/fact-cache.ts';
import { createLastDone } from '../../../src/storage/noted-times.ts';
import { memoryStore } from '../../histories/memory-store.ts';
import { dynaliteTable, emulatedTable, motoTable, type TestTable, tableName } from '../../tables.ts';
import { uuid } from '../provider-world.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { observed } from './observed-machines.ts';

interface Ground {
  /** The store as another host, or the next process, opens it. */
  readonly open: () => Promise<Store>;
  readonly time: { now: number };
  /** What the first append wrote is no JSON any more. */
  readonly damage: (id: string) => Promise<void>;
}

let made = 0;

/** A provider of its own in the table, so that one table serves all tests. */
const groundOn = (call: TableCall): Ground => {
  made += 1;
  const owner = `cluster/p${made}`;
  const time = { now: Date.now() };
  const clock = (): number => time.now;
  const open = async (): Promise<Store> => {
    const folder = await temporaryFolder();
    return createTableStore({
      name: tableName,
      owner,
      call,
      clock,
      facts: createFactCache(folder, 'table', clock),
      feedCache: createFeedCache({ workDir: folder, table: tableName, owner, looksOnly: () => false }),
      turn: createLastDone(folder, clock).turn,
      diagnose: async () => [],
    });
  };
  const damage: Ground['damage'] = (id) =>
    createTable(tableName, call).put({ pk: text(`${owner}#${id}`), sk: text('000000000'), e: text('[{') });
  return { open, time, damage };
};

/** The project `moto` plays it once more. */
const isMoto = process.env['HF_AWS_TEST_BACKEND'] === 'moto';

let table: TestTable;
beforeAll(async () => {
  table = await (isMoto ? motoTable() : dynaliteTable());
});
afterAll(() => table.close());

const usualGrounds = [
  {
    name: 'the work folder',
    make: async () => {
      const workDir = await temporaryFolder();
      const time = { now: Date.now() };
      return {
        open: async () => fileStore({ workDir, clock: () => time.now }),
        time,
        damage: (id: string) => writeFile(join(workDir, 'requests', id, '000000000.json'), '[{'),
      };
    },
  },
  {
    name: 'the memory of a test',
    make: async () => {
      const time = { now: Date.now() };
      const { damage, ...store } = memoryStore(() => time.now);
      return { open: async () => store, time, damage: async (each: string) => damage(each) };
    },
  },
  { name: 'a table on dynalite', make: async () => groundOn(table.call) },
  { name: "the emulator's table", make: async () => groundOn(emulatedTable().call) },
];
const grounds: readonly { readonly name: string; readonly make: () => Promise<Ground> }[] = isMoto
  ? [{ name: 'a table on moto', make: async () => groundOn(table.call) }]
  : usualGrounds;

const hour = 3_600_000;
const id = createIdOf(uuid(1));
const other = createIdOf(uuid(2));
const returned = returnIdOf(uuid(3));
const origin = { correlationId: 'c', userId: 'u', role: 'admin' } as const;
const cancelled = { type: 'RequestCancelled', at: 1, reason: 'a test' } as const;
const completed = { type: 'RequestCompleted', at: 2 } as const;

const claim = (n: number, units: number, templateId = 'od-a'): CapacityClaim => ({
  templateId,
  requestId: createIdOf(uuid(n)),
  units,
});

describe.each(grounds)('on $name', ({ make }) => {
  describe('a stream', () => {
    it('nobody has written is empty', async () => {
      const store = await (await make()).open();
      expect(await store.streams.load(id)).toEqual({ version: 0, events: [] });
      expect(await store.streams.load('req-nonsense')).toEqual({ version: 0, events: [] });
    });

    it('holds what was appended, for whoever reads it', async () => {
      const { open } = await make();
      const { streams } = await open();
      expect(await streams.append(id, 0, [cancelled], origin)).toBe(1);
      expect(await streams.append(id, 1, [completed, completed], origin)).toBe(3);
      const { version, events } = await (await open()).streams.load(id);
      expect([version, events.map(({ type, at, correlationId }) => [type, at, correlationId])]).toEqual([
        3,
        [
          ['RequestCancelled', 1, 'c'],
          ['RequestCompleted', 2, 'c'],
          ['RequestCompleted', 2, 'c'],
        ],
      ]);
    });

    it('refuses a second append at a version', async () => {
      const { open } = await make();
      await (await open()).streams.append(id, 0, [cancelled], origin);
      await expect((await open()).streams.append(id, 0, [completed], origin)).rejects.toMatchObject({
        code: 'storage.conflict',
        retryable: true,
      });
      expect((await (await open()).streams.load(id)).events).toMatchObject([cancelled]);
    });

    it('takes the append of exactly one of fifty hosts', async () => {
      const { open } = await make();
      const hosts = await Promise.all(Array.from({ length: 50 }, open));
      const outcomes = await Promise.allSettled(
        hosts.map(({ streams }, n) => streams.append(id, 0, [{ ...cancelled, reason: `by ${n}` }], origin)),
      );
      const winners = outcomes.flatMap(({ status }, n) => (status === 'fulfilled' ? [`by ${n}`] : []));
      expect(winners).toHaveLength(1);
      expect((await (await open()).streams.load(id)).events).toMatchObject([{ reason: winners[0] }]);
    });

    it('takes no id that is none of a request', async () => {
      const store = await (await make()).open();
      await expect(store.streams.append('../x', 0, [cancelled], origin)).rejects.toMatchObject({
        code: 'input.invalid',
      });
    });

    it.each([1000, 20_000])('brings %i machines back whole', async (count) => {
      const { open } = await make();
      const event = observed(count);
      await (await open()).streams.append(id, 0, [event], origin);
      await (await open()).streams.append(id, 1, [completed], origin);
      const { events } = await (await open()).streams.load(id);
      expect(events).toMatchObject([event, completed]);
    });

    it('that is damaged hides none of those asked for with it', async () => {
      const { open, damage } = await make();
      const { streams } = await open();
      for (const each of [id, other, returned]) await streams.append(each, 0, [cancelled], origin);
      await damage(other);
      const loaded = await (await open()).streams.loadAll([id, other, id, 'req-nonsense', returned]);
      expect([...loaded.keys()]).toEqual([id, other, 'req-nonsense', returned]);
      expect(loaded.get(other)).toMatchObject({ code: 'storage.unreadable', message: expect.stringContaining(other) });
      expect(loaded.get('req-nonsense')).toEqual({ version: 0, events: [] });
      for (const whole of [id, returned]) expect(loaded.get(whole)).toEqual(await streams.load(whole));
      expect(loaded.get(id)).toMatchObject({ version: 1, events: [cancelled] });
      expect(await streams.loadAll([])).toEqual(new Map());
    });

    it('is listed with a stamp that changes with each append', async () => {
      const { open, time } = await make();
      const { streams, id: idOf } = await open();
      await idOf(true);
      await streams.append(id, 0, [cancelled], origin);
      const first = await (await open()).streams.changes();
      expect([first.isIncrement, [...first.changed.keys()]]).toEqual([false, [id]]);
      time.now += 60_000;
      await new Promise((resolve) => setTimeout(resolve, 5));
      await streams.append(id, 1, [completed], origin);
      await streams.append(returned, 0, [completed], origin);
      const second = await (await open()).streams.changes();
      expect([...second.changed.keys()].sort()).toEqual([id, returned].sort());
      expect(second.changed.get(id)).not.toBe(first.changed.get(id));
    });

    it('that has changed or was set aside since a position is told by it', async () => {
      const { open, time } = await make();
      await (await open()).id(true);
      const { streams } = await open();
      for (const each of [id, other]) await streams.append(each, 0, [cancelled], origin);
      time.now += hour / 4;
      const { position, changed } = await streams.changes();
      await streams.append(returned, 0, [completed], origin);
      await streams.archive(other);
      const later = await streams.changes({ since: position });
      const known = new Map([...(later.isIncrement ? changed : []), ...later.changed]);
      for (const each of later.setAside) known.delete(each);
      expect([...known.keys()].sort()).toEqual([id, returned].sort());
      expect(known).toEqual((await streams.changes()).changed);
      const all = await streams.changes({ since: 'no position of any store' });
      expect([all.isIncrement, all.changed]).toEqual([false, known]);
    });

    it('set aside is answered and no longer listed, until it goes on', async () => {
      const { open, time } = await make();
      const { streams, id: idOf } = await open();
      await idOf(true);
      await streams.append(id, 0, [cancelled], origin);
      await streams.append(other, 0, [cancelled], origin);
      time.now += 60_000;
      await streams.archive(id);
      expect(await listedIds(streams)).toEqual([other]);
      expect(await streams.archived()).toEqual([id]);
      expect((await (await open()).streams.load(id)).version).toBe(1);
      time.now += 60_000;
      expect(await (await open()).streams.append(id, 1, [completed], origin)).toBe(2);
      expect([...(await listedIds(streams))].sort()).toEqual([id, other].sort());
      expect((await streams.load(id)).events).toMatchObject([cancelled, completed]);
    });

    it('set aside stays so when the archive is packed', async () => {
      const { open } = await make();
      const { streams, id: idOf } = await open();
      await idOf(true);
      await streams.append(id, 0, [cancelled], origin);
      await streams.archive(id);
      await streams.packArchive(0);
      expect((await (await open()).streams.load(id)).events).toMatchObject([cancelled]);
      expect(await (await open()).streams.archived()).toEqual([id]);
    });
  });

  describe('an append that says what the request holds', () => {
    const holding = (now: number, before: number, isUnsure = false) => ({ now: claim(1, now), before, isUnsure });

    it('has the ledger say so', async () => {
      const { open } = await make();
      const { streams, live } = await open();
      await live.reserve(claim(1, 4), undefined);
      const held = async () => (await (await open()).live.list()).map(({ units }) => units);
      await streams.append(id, 0, [cancelled], origin, holding(4, 4));
      expect(await held()).toEqual([4]);
      await streams.append(id, 1, [cancelled], origin, holding(6, 4));
      expect(await held()).toEqual([6]);
      await streams.append(id, 2, [cancelled], origin, holding(3, 6));
      expect(await held()).toEqual([3]);
      await streams.append(id, 3, [completed], origin);
      expect(await held()).toEqual([3]);
      await streams.append(id, 4, [completed], origin, holding(0, 3));
      expect(await held()).toEqual([]);
    });

    it('never leaves it too low when another process was faster', async () => {
      const { open } = await make();
      const { streams, live } = await open();
      await live.reserve(claim(1, 4), undefined);
      await streams.append(id, 0, [cancelled], origin, holding(4, 4));
      for (const units of [6, 1])
        await expect(streams.append(id, 0, [completed], origin, holding(units, 4))).rejects.toMatchObject({
          code: 'storage.conflict',
        });
      expect(await live.list()).toMatchObject([claim(1, 6)]);
    });

    it('writes nothing else where it has no events', async () => {
      const { open } = await make();
      const { streams, live } = await open();
      await streams.append(id, 0, [cancelled], origin);
      expect(await streams.append(id, 1, [], origin, holding(3, 0, true))).toBe(1);
      expect(await live.list()).toMatchObject([claim(1, 3)]);
      expect(await (await open()).streams.load(id)).toMatchObject({ version: 1, events: [cancelled] });
    });

    it('sets it right where it may say something else', async () => {
      const { open } = await make();
      const { streams, live } = await open();
      await live.reserve(claim(1, 9), undefined);
      await streams.append(id, 0, [cancelled], origin, holding(4, 4, true));
      expect(await live.list()).toMatchObject([claim(1, 4)]);
      await streams.append(id, 1, [completed], origin, holding(0, 0, true));
      expect(await live.list()).toEqual([]);
    });
  });

  describe('the ledger', () => {
    it('grants within the limit, and tells what there is above it', async () => {
      const { open } = await make();
      const { live } = await open();
      expect(await live.reserve(claim(1, 4), 10)).toEqual({ granted: true, live: 4 });
      expect(await live.reserve(claim(2, 7), 10)).toEqual({ granted: false, live: 4 });
      expect(await live.reserve(claim(3, 10, 'od-b'), 10)).toEqual({ granted: true, live: 10 });
      expect(await live.reserve(claim(1, 4), 10)).toEqual({ granted: true, live: 4 });
      expect(await (await open()).live.list('od-a')).toMatchObject([claim(1, 4)]);
    });

    it('never grants more than the limit to twenty hosts at once', async () => {
      const { open } = await make();
      const hosts = await Promise.all(Array.from({ length: 20 }, open));
      const answers = await Promise.all(hosts.map(({ live }, n) => live.reserve(claim(n, 1), 5)));
      const granted = answers.filter((answer) => answer.granted).length;
      const listed = await (await open()).live.list('od-a');
      expect(granted).toBeLessThanOrEqual(5);
      expect(listed.reduce((sum, { units }) => sum + units, 0)).toBe(granted);
    });

    it('grants to each of twenty hosts at once where they fit together', async () => {
      const { open } = await make();
      const hosts = await Promise.all(Array.from({ length: 20 }, open));
      const answers = await Promise.all(hosts.map(({ live }, n) => live.reserve(claim(n, 1), 20)));
      expect(answers.every(({ granted }) => granted)).toBe(true);
    });

    it('says what a request holds now, since when, and forgets who holds nothing', async () => {
      const { open } = await make();
      const { live } = await open();
      await live.update(claim(1, 5));
      const [first] = await live.list();
      await live.update(claim(1, 3), 5);
      await live.update(claim(2, 2), 0);
      const now = await (await open()).live.list();
      expect(now.toSorted((a, b) => (a.requestId < b.requestId ? -1 : 1))).toMatchObject([claim(1, 3), claim(2, 2)]);
      expect(now.find(({ requestId }) => requestId === id)?.since).toBe(first?.since);
      await live.update(claim(1, 0), 3);
      expect(await live.list('od-a')).toMatchObject([claim(2, 2)]);
    });

    it('of a group is its own', async () => {
      const { open } = await make();
      const store = await open();
      await store.ledger('grid one/#~').reserve(claim(1, 4), 10);
      expect(await (await open()).ledger('grid one/#~').list()).toMatchObject([claim(1, 4)]);
      expect([await store.ledger('grid two').list(), await store.live.list()]).toEqual([[], []]);
    });
  });

  it('failures of a template are counted once each, and forgotten together', async () => {
    const { open } = await make();
    const { failures } = await open();
    expect(await failures.of('od-a')).toEqual({ machineIds: [], age: Number.POSITIVE_INFINITY });
    await failures.note('od-a', ['i-1', 'i-2']);
    await (await open()).failures.note('od-a', ['i-2', 'i-3']);
    const noted = await (await open()).failures.of('od-a');
    expect([[...noted.machineIds].sort(), noted.age < 10_000]).toEqual([['i-1', 'i-2', 'i-3'], true]);
    const later = (await open()).failures;
    expect(await later.templateIds()).toEqual(['od-a']);
    await later.clear('od-a');
    expect(await (await open()).failures.templateIds()).toEqual([]);
  });

  it('failures stand beside the claims of their template without counting', async () => {
    const { open } = await make();
    const store = await open();
    await store.failures.note('od-a', ['i-1']);
    const host = await open();
    expect(await host.live.reserve(claim(1, 4), 4)).toEqual({ granted: true, live: 4 });
    expect((await host.failures.of('od-a')).machineIds).toEqual(['i-1']);
    expect(await host.live.list()).toMatchObject([claim(1, 4)]);
  });

  it('the first answer under a command id stands', async () => {
    const { open } = await make();
    const { answers } = await open();
    const answered = (answer: number) => ({ type: 'CreateRequest', asked: 'x', answer });
    expect(await answers.find(uuid(5))).toBeUndefined();
    expect(await answers.keep(uuid(5), answered(1))).toEqual(answered(1));
    expect(await (await open()).answers.keep(uuid(5), answered(2))).toEqual(answered(1));
    expect(await (await open()).answers.find(uuid(5))).toEqual(answered(1));
    await expect(answers.find('../x')).rejects.toMatchObject({ code: 'input.invalid' });
  });

  it('a sweep finds what the one before it has noted, on whatever host', async () => {
    const { open } = await make();
    expect((await (await open()).sweepMemory.read()).orphans.size).toBe(0);
    await (await open()).sweepMemory.write({ orphans: new Map([['i-1', 7]]) });
    expect([...(await (await open()).sweepMemory.read()).orphans]).toEqual([['i-1', 7]]);
  });

  it('an event noted twice is there once, and only while it matters', async () => {
    const { open, time } = await make();
    const event = { machineId: 'i-1', kind: 'interruption', due: time.now + 60_000 } as const;
    await (await open()).notices.note([event]);
    await (await open()).notices.note([event, { ...event, machineId: 'i-2' }]);
    const { notices } = await open();
    expect(await notices.of(['i-1', 'i-3'])).toEqual([event]);
    time.now += 2 * 3_600_000;
    expect(await notices.of(['i-1', 'i-2'])).toEqual([]);
  });

  it('one of many hosts has its turn, and not again within the interval', async () => {
    const { open, time } = await make();
    const turns = async (): Promise<number> => {
      const hosts = await Promise.all(Array.from({ length: 5 }, open));
      let taken = 0;
      for (const { turn } of hosts) if (await turn('sweep', 60_000)) taken += 1;
      return taken;
    };
    expect(await turns()).toBe(1);
    time.now += 30_000;
    expect(await turns()).toBe(0);
    time.now += 30_000;
    expect(await turns()).toBe(1);
    // A clock that was set back: the last time lies ahead and says nothing.
    time.now -= 3_600_000;
    expect(await turns()).toBe(1);
    expect(await (await open()).turn('never', 0)).toBe(false);
  });

  it('all hosts make one id', async () => {
    const { open } = await make();
    expect(await (await open()).id(false)).toBeUndefined();
    const hosts = await Promise.all(Array.from({ length: 20 }, open));
    const ids = new Set(await Promise.all(hosts.map((host) => host.id(true))));
    expect([ids.size, await (await open()).id(false)]).toEqual([1, [...ids][0]]);
  });
});
