import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { copyStateHandler } from '../../../src/application/commands/copy-state.ts';
import { listedIds } from '../../../src/application/life-cycle/streams.ts';
import type { StateEnd, StatePlaces } from '../../../src/application/ports/state-copy.ts';
import type { Store } from '../../../src/application/ports/store.ts';
import { verifyStateHandler } from '../../../src/application/queries/verify-state.ts';
import { hostMemory } from '../../../src/boot/host-memory.ts';
import { statePlaces } from '../../../src/boot/parts/state-places.ts';
import { fileStore, tableStore } from '../../../src/boot/stores.ts';
import { createIdOf, returnIdOf } from '../../../src/domain/ids.ts';
import { type EmulatedTable, emulatedTable, tableName } from '../../tables.ts';
import { uuid } from '../provider-world.ts';
import { createRecordingLog } from '../recording-log.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { observed } from './observed-machines.ts';

const owner = 'cluster/awsinst';
const origin = { correlationId: 'c', userId: 'u', role: 'admin', commandId: uuid(900) } as const;
const cancelled = { type: 'RequestCancelled', at: 1, reason: 'a test' } as const;
const completed = { type: 'RequestCompleted', at: 2 } as const;
const requestOf = (n: number): string => createIdOf(uuid(n));

const launchedInto = {
  type: 'ResourceCreated',
  at: 3,
  clientToken: 't',
  resource: { kind: 'ASG', id: 'grid/one', refills: true, ours: false, expiresAt: 4, seeks: false },
} as const;

type Direction = 'table' | 'folder';

let table: EmulatedTable;
let workDir: string;
let time: { now: number };
let log: ReturnType<typeof createRecordingLog>;
const clock = (): number => time.now;
const pause = async (ms: number): Promise<void> => {
  time.now += ms;
};

beforeEach(async () => {
  table = emulatedTable();
  workDir = await temporaryFolder();
  time = { now: Date.now() };
  log = createRecordingLog();
});

const places = (): StatePlaces<StateEnd> => statePlaces({ workDir, clock, table: tableName, owner, call: table.call });

/** The store as a script opens it, in a process of its own on a host of its own. */
const opened = async (where: Direction): Promise<Store> => {
  if (where === 'folder') return fileStore({ workDir, clock });
  const call = table.call;
  const folder = await temporaryFolder();
  const home = join(import.meta.dirname, '..', '..', '..');
  const memory = hostMemory({ workDir: folder, home, clock, region: undefined });
  return tableStore({ workDir: folder, clock, table: tableName, owner, call, looksOnly: () => false, memory });
};

const copy = (to: Direction, finish = true, ends = places()) =>
  copyStateHandler({ statePlaces: async () => ends, clock, log, pause })({ type: 'CopyState', to, finish }, origin);

const verify = () => verifyStateHandler({ statePlaces: async () => places() })({ type: 'VerifyState' }, origin);

/** Something of everything that must survive. */
const fill = async (store: Store): Promise<void> => {
  await store.id(true);
  const { streams } = store;
  for (let n = 1; n <= 5; n++) {
    await streams.append(requestOf(n), 0, [cancelled], origin);
    await streams.append(requestOf(n), 1, [{ ...cancelled, reason: `number ${n}` }, completed], origin);
  }
  await streams.append(requestOf(6), 0, [launchedInto, observed(3)], origin);
  await streams.append(returnIdOf(uuid(7)), 0, [{ type: 'ReturnCompleted', at: 5 }], origin);
  await streams.archive(requestOf(1));
  await streams.packArchive(0);
  await streams.archive(requestOf(2));
  await store.live.update({ templateId: 'od-a', requestId: requestOf(3), units: 4 });
  await store.live.update({ templateId: 'od-b', requestId: requestOf(4), units: 2 });
  await store.ledger('grid/one').update({ templateId: 'wanted', requestId: requestOf(6), units: 3 });
  await store.failures.note('od-a', ['i-1', 'i-2']);
  await store.answers.keep(uuid(900), { type: 'CreateRequest', asked: 'x', answer: 'y' });
  await store.sweepMemory.write({ orphans: new Map([['i-9', 7]]) });
  await store.notices.note([
    { machineId: observed(1).machines[0]?.machineId ?? '', kind: 'interruption', due: time.now },
  ]);
};

/** Everything that a store answers. */
const contentOf = async (store: Store) => {
  const open = [...(await listedIds(store.streams))].sort();
  const archived = [...(await store.streams.archived())].sort();
  const streams: unknown[] = [];
  for (const id of [...open, ...archived]) streams.push([id, await store.streams.load(id)]);
  const claims = async (ledger: Store['live']) =>
    (await ledger.list()).map(({ since: _since, ...claim }) => JSON.stringify(claim)).sort();
  return {
    id: await store.id(false),
    open,
    archived,
    streams,
    live: await claims(store.live),
    group: await claims(store.ledger('grid/one')),
    failures: [...(await store.failures.of('od-a')).machineIds].sort(),
    answer: await store.answers.find(uuid(900)),
    orphans: [...(await store.sweepMemory.read()).orphans],
    notices: await store.notices.of(observed(1).machines.map(({ machineId }) => machineId)),
  };
};

class Killed extends Error {}

/** The same, until so many calls of it were made: then all fail, as for a process that was killed. */
const dyingAfter = <T extends object>(calls: number, whole: T): { readonly mortal: T; readonly made: () => number } => {
  let made = 0;
  const mortal = <O extends object>(object: O): O =>
    new Proxy(object, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value === 'object' && value !== null) return mortal(value);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]) => {
          if (made >= calls) throw new Killed();
          made += 1;
          const result: unknown = Reflect.apply(value, target, args);
          return typeof result === 'object' && result !== null && !(result instanceof Promise)
            ? mortal(result)
            : result;
        };
      },
    });
  return { mortal: mortal(whole), made: () => made };
};

const ways: readonly (readonly [to: Direction, from: Direction])[] = [
  ['table', 'folder'],
  ['folder', 'table'],
];

describe.each(ways)('a copy to the %s', (to, from) => {
  it('brings everything that must survive, under the id of the same store', async () => {
    await fill(await opened(from));
    const before = await contentOf(await opened(from));
    expect(await copy(to)).toMatchObject({ isFinished: true, requests: 7, events: 18, id: before.id });
    expect(await contentOf(await opened(to))).toEqual(before);
    expect(await verify()).toMatchObject({
      isSame: true,
      requests: 7,
      [to]: { stands: 'used' },
      [from]: { stands: 'left' },
    });
  });

  it('lets what is left refuse work, and says where the state is', async () => {
    await fill(await opened(from));
    await copy(to);
    const left = await opened(from);
    const refusal = { code: 'storage.moved', message: expect.stringContaining(places()[to].name) };
    await expect(left.id(true)).rejects.toMatchObject(refusal);
    await expect(left.streams.load(requestOf(3))).rejects.toMatchObject(refusal);
    await expect(left.streams.changes()).rejects.toMatchObject(refusal);
    await expect(left.streams.append(requestOf(30), 0, [cancelled], origin)).rejects.toMatchObject(refusal);
    const wanted = { templateId: 'wanted', requestId: requestOf(6), units: 9 };
    for (const ledger of [left.live, left.ledger('grid/one')]) {
      await expect(ledger.reserve(wanted, 9)).rejects.toMatchObject(refusal);
      await expect(ledger.update(wanted)).rejects.toMatchObject(refusal);
    }
    const machineId = 'i-0123456789abcdef0';
    await expect(left.notices.note([{ machineId, kind: 'interruption', due: 1 }])).rejects.toMatchObject(refusal);
    const there = await opened(to);
    expect(await verify()).toMatchObject({ isSame: true });
    expect(await there.streams.append(requestOf(3), 3, [completed], origin)).toBe(4);
  });

  it('that is not complete refuses work, while what it is made of goes on', async () => {
    await fill(await opened(from));
    expect(await copy(to, false)).toMatchObject({ isFinished: false, isMarked: false });
    await expect((await opened(to)).streams.load(requestOf(3))).rejects.toMatchObject({ code: 'storage.moved' });
    const source = await opened(from);
    await source.streams.append(requestOf(3), 3, [completed], origin);
    await source.live.update({ templateId: 'od-a', requestId: requestOf(3), units: 0 }, 4);
    await source.failures.clear('od-a');
    const before = await contentOf(source);
    expect(await copy(to)).toMatchObject({ isFinished: true, events: 1 });
    expect(await contentOf(await opened(to))).toEqual(before);
  });

  it('can be killed at any point: the next one completes it, and nothing is there twice', async () => {
    await fill(await opened(from));
    const whole = dyingAfter(Number.POSITIVE_INFINITY, places());
    await copy(to, true, whole.mortal);
    let killed = 0;
    for (let calls = 0; calls < whole.made(); calls += Math.ceil(whole.made() / 17)) {
      [table, workDir] = [emulatedTable(), await temporaryFolder()];
      await fill(await opened(from));
      const before = await contentOf(await opened(from));
      await expect(copy(to, true, dyingAfter(calls, places()).mortal)).rejects.toBeInstanceOf(Killed);
      const ids = await Promise.all(ways.map(async ([each]) => (await opened(each)).id(false).catch(() => undefined)));
      // One of the two may be used, or none, never both.
      expect(ids.filter((each) => each !== undefined).length).toBeLessThanOrEqual(1);
      expect(await copy(to)).toMatchObject({ isFinished: true });
      expect(await contentOf(await opened(to))).toEqual(before);
      killed += 1;
    }
    expect(killed).toBeGreaterThan(12);
  });

  it('can be copied back, with what happened since', async () => {
    await fill(await opened(from));
    await copy(to);
    const there = await opened(to);
    await there.streams.append(requestOf(3), 3, [completed], origin);
    await there.streams.append(requestOf(40), 0, [cancelled], origin);
    await there.streams.archive(requestOf(4));
    await there.live.update({ templateId: 'od-b', requestId: requestOf(4), units: 0 }, 2);
    const before = await contentOf(await opened(to));
    expect(await copy(from)).toMatchObject({ isFinished: true, events: 2 });
    time.now += 3 * 60_000;
    expect(await contentOf(await opened(from))).toEqual(before);
    await expect((await opened(to)).id(true)).rejects.toMatchObject({ code: 'storage.moved' });
  });

  it('holds a request of 20,000 machines whole', async () => {
    const store = await opened(from);
    await store.id(true);
    await store.streams.append(requestOf(1), 0, [observed(20_000)], origin);
    await store.streams.append(requestOf(1), 1, [completed], origin);
    await copy(to);
    expect((await (await opened(to)).streams.load(requestOf(1))).events).toMatchObject([observed(20_000), completed]);
    expect(await verify()).toMatchObject({ isSame: true });
  });

  it('is refused where the target holds another store, and changes nothing there', async () => {
    await fill(await opened(from));
    const other = await opened(to);
    await other.id(true);
    await other.streams.append(requestOf(50), 0, [cancelled], origin);
    const before = await contentOf(await opened(to));
    await expect(copy(to)).rejects.toMatchObject({ code: 'storage.foreign' });
    expect(await contentOf(await opened(to))).toEqual(before);
    expect(await (await opened(from)).streams.load(requestOf(3))).toMatchObject({ version: 3 });
  });

  it.each(['left', 'filling'] as const)('is refused where the target is %s of some other place', async (kind) => {
    await fill(await opened(from));
    const ends = places();
    const { id = '' } = (await ends[from].head()) ?? {};
    const head = { id, mark: { kind, other: 'some other place', at: clock() } };
    await ends[to].setHead(head);
    await expect(copy(to)).rejects.toMatchObject({
      code: 'storage.foreign',
      message: expect.stringContaining('some other place'),
    });
    expect(await places()[to].head()).toMatchObject(head);
    expect((await places()[from].head())?.mark).toBeUndefined();
  });

  it('is refused while calls are under way, and marks nothing', async () => {
    await fill(await opened(from));
    const source = await opened(from);
    const busy = copyStateHandler({
      statePlaces: async () => places(),
      clock,
      log,
      pause: async (ms) => {
        await pause(ms);
        await source.streams.append(requestOf(60), 0, [cancelled], origin);
      },
    });
    await expect(busy({ type: 'CopyState', to, finish: true }, origin)).rejects.toMatchObject({
      code: 'storage.conflict',
    });
    expect(await (await opened(from)).streams.load(requestOf(60))).toMatchObject({ version: 1 });
    expect(await copy(to)).toMatchObject({ isFinished: true, requests: 8 });
  });

  it('takes along what a call that had not heard of the mark has still written', async () => {
    await fill(await opened(from));
    const late = places()[from].store.streams;
    const ends = places();
    let isMarked = false;
    const source = {
      ...ends[from],
      setHead: async (...head: Parameters<StateEnd['setHead']>) => {
        await ends[from].setHead(...head);
        isMarked = true;
      },
    };
    const copying = copyStateHandler({
      statePlaces: async () => ({ ...ends, [from]: source }),
      clock,
      log,
      pause: async (ms) => {
        await pause(ms);
        if (isMarked) await late.append(requestOf(61), (await late.load(requestOf(61))).version, [cancelled], origin);
      },
    });
    await copying({ type: 'CopyState', to, finish: true }, origin);
    const written = await late.load(requestOf(61));
    expect(written.version).toBeGreaterThan(0);
    expect(await (await opened(to)).streams.load(requestOf(61))).toEqual(written);
  });

  it('done again once it is complete does nothing', async () => {
    await fill(await opened(from));
    await copy(to);
    const there = await opened(to);
    await there.live.update({ templateId: 'od-a', requestId: requestOf(3), units: 0 }, 4);
    expect(await copy(to)).toMatchObject({ isFinished: true, isMarked: true, events: 0 });
    expect(await there.live.list('od-a')).toEqual([]);
  });

  it('of nothing is refused', async () => {
    await expect(copy(to)).rejects.toMatchObject({ code: 'input.invalid' });
    expect(await places()[to].head()).toBeUndefined();
  });
});
