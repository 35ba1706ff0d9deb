import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { projectionNames } from '../../../../src/application/ports/read-model.ts';
import { loadingAll, type RequestStreams, type StreamEvent } from '../../../../src/application/ports/streams.ts';
import { createReadModel, type ReadModelPace } from '../../../../src/application/projections/read-model.ts';
import { PluginError } from '../../../../src/domain/errors.ts';
import { createProjectionStore } from '../../../../src/storage/projection-store.ts';
import { startWorld, type World } from '../../provider-world.ts';

/** An event as an error of ours in applying it would look. */
const beyondApplying = <E extends StreamEvent>(event: E): E =>
  new Proxy(event, {
    get: (target, name) => {
      if (name === 'template') throw new Error('cannot be applied');
      return Reflect.get(target, name);
    },
  });

/** A read model as a new process would make it, and which streams it loads. */
const reader = (
  world: World,
  pace?: ReadModelPace,
  broken?: string,
  /** Of which stream the first reading fails, and how. */
  failing?: { readonly id: string; readonly error: PluginError },
) => {
  let hasFailed = false;
  const time = { ahead: 3_600_000 };
  const loaded: string[] = [];
  const sweeps = { count: 0 };
  const load: RequestStreams['load'] = async (id) => {
    loaded.push(id);
    if (failing?.id === id && !hasFailed) {
      hasFailed = true;
      throw failing.error;
    }
    const stream = await world.streams.load(id);
    return id === broken ? { ...stream, events: stream.events.map(beyondApplying) } : stream;
  };
  const streams: RequestStreams = {
    ...world.streams,
    load,
    loadAll: loadingAll(load),
    changes: async (look) => {
      const changes = await world.streams.changes(look);
      if (!changes.isIncrement) sweeps.count++;
      return changes;
    },
  };
  // An hour ahead of the disk: no stamp is too fresh to be believed.
  const clock = () => Date.now() + time.ahead;
  const ports = { streams, store: createProjectionStore(world.workDir), clock, pause: async () => {}, log: world.log };
  return { readModel: createReadModel(ports, pace), loaded, sweeps, time };
};

/** After what is under way has taken its first step. */
const later = async <A>(work: () => Promise<A>): Promise<A> => {
  await new Promise((resolve) => setImmediate(resolve));
  return work();
};

const created = async (count: number) => {
  const world = await startWorld();
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    ids.push((await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 })).requestId);
    world.pass(1000);
  }
  // As if it had been written a minute ago: the store's position can be believed.
  const ago = new Date(Date.now() - 60_000);
  for (const folder of ['appending', 'requests']) await utimes(join(world.workDir, folder), ago, ago);
  return { world, ids };
};

describe('a projection', () => {
  it('reads each stream once, also over several processes', async () => {
    const { world, ids } = await created(3);
    const first = reader(world);
    await first.readModel.read('requests');
    expect(first.loaded.sort()).toEqual([...ids].sort());
    const second = reader(world);
    expect((await second.readModel.read('requests')).rows).toHaveLength(3);
    expect([second.loaded, second.sweeps.count]).toEqual([[], 0]);
  });

  it('reads only what has changed since', async () => {
    const { world, ids } = await created(3);
    await reader(world).readModel.read('requests');
    world.hosts.boot();
    await world.service.syncRequests({ requestIds: [ids[1] ?? ''] });
    const next = reader(world);
    const { rows } = await next.readModel.read('requests');
    expect(next.loaded).toEqual([ids[1]]);
    expect(rows.map((row) => JSON.parse(row).status)).toEqual(['running', 'complete', 'running']);
  });

  it('reads once more what had changed just before it was read: more may have come within the grain of the file’s time', async () => {
    const { world, ids } = await created(2);
    const [fresh = '', other = ''] = ids;
    // By the clock of the reader, which is an hour ahead.
    const now = new Date(Date.now() + 61 * 60_000);
    await utimes(join(world.workDir, 'requests', fresh), now, now);
    await reader(world).readModel.read('requests');
    world.hosts.boot();
    await world.service.syncRequests({ requestIds: [other] });
    const next = reader(world);
    await next.readModel.read('requests');
    expect(next.loaded.toSorted()).toEqual(ids.toSorted());
  });

  it.each(projectionNames)('answers the same after its file is deleted, damaged or rebuilt: %s', async (name) => {
    const { world } = await created(3);
    const file = join(world.workDir, 'projections', `${name}.ndjson`);
    const before = await reader(world).readModel.read(name);
    await rm(file);
    expect(await reader(world).readModel.read(name)).toEqual(before);
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, -30));
    expect(await reader(world).readModel.read(name)).toEqual(before);
    await reader(world).readModel.rebuild(name);
    expect(await reader(world).readModel.read(name)).toEqual(before);
  });

  it('tells how far rebuilding has come', async () => {
    const { world } = await created(3);
    await world.service.rebuildProjection({ name: 'machines' });
    expect(world.steps).toEqual([1, 2, 3].map((done) => ['machines: requests', done, 3]));
  });

  it('forgets archived requests, but their metrics count on', async () => {
    const { world, ids } = await created(2);
    const metrics = async () => (await reader(world).readModel.read('counters')).rows.toSorted();
    const before = await metrics();
    await reader(world).readModel.read('requests');
    await world.streams.archive(ids[0] ?? '');
    expect((await reader(world).readModel.read('requests')).rows).toHaveLength(1);
    expect(await metrics()).toEqual(before);
    await reader(world).readModel.rebuild('counters');
    expect(await metrics()).toEqual(before);
  });

  it('counts what came and was set aside while nobody looked', async () => {
    const { world } = await created(1);
    const metrics = async () => (await reader(world).readModel.read('counters')).rows.toSorted();
    await metrics();
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    await world.streams.archive(requestId);
    const seen = await metrics();
    await reader(world).readModel.rebuild('counters');
    expect(seen).toEqual(await metrics());
    expect(seen).toHaveLength(2);
  });

  it('tries an event that cannot be applied three times, then skips it for good, and shows the rest', async () => {
    const { world, ids } = await created(2);
    const [bad = ''] = ids;
    const tries: unknown[] = [];
    for (let n = 0; n < 5; n++) {
      const { readModel } = reader(world, undefined, bad);
      const { rows, warnings } = await readModel.read('requests');
      expect([rows.length, warnings]).toEqual([
        1,
        [expect.stringContaining(`event 0 (RequestCreated) of ${bad} is skipped`)],
      ]);
      tries.push((await readModel.status())[0]?.failures[0]?.tries);
    }
    expect(tries).toEqual([1, 2, 3, 3, 3]);
    const last = reader(world, undefined, bad);
    await last.readModel.read('requests');
    expect(last.loaded).toEqual([]);
  });

  it('has the newest first, also where one could not be read at first', async () => {
    const { world, ids } = await created(3);
    const file = join(world.workDir, 'requests', ids[2] ?? '', '000000000.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, 20));
    await reader(world).readModel.read('requests');
    await writeFile(file, text);
    const { rows } = await reader(world).readModel.read('requests');
    const order = rows.map((row) => ids.findIndex((id) => row.includes(id)));
    expect(order).toEqual([2, 1, 0]);
  });

  it('answers nobody by what an earlier process has stored while the store is first looked at', async () => {
    const { world } = await created(1);
    await reader(world).readModel.read('requests');
    await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    const { changes } = world.streams;
    vi.spyOn(world.streams, 'changes').mockImplementation(async (look) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return changes(look);
    });
    const { readModel } = reader(world, { scan: 450, answer: 100, save: 10_000 });
    const [first, second] = await Promise.all([readModel.read('requests'), later(() => readModel.read('requests'))]);
    expect([first.rows.length, second.rows.length]).toEqual([2, 2]);
  });

  it('waits for what is expected, and says when it does not come', async () => {
    const { world, ids } = await created(1);
    const [requestId = ''] = ids;
    const { readModel } = reader(world);
    expect(await readModel.read('requests', { requestId, version: 3 })).not.toHaveProperty('stale');
    expect(await readModel.read('requests', { requestId, version: 4, wait: 0 })).toMatchObject({
      stale: 'Data may be stale',
    });
  });
});

describe('a read model in a server', () => {
  const pace = { scan: 60_000, answer: 0, save: 0 };

  it('sees its own appends at once, without a look at all streams', async () => {
    const { world } = await created(2);
    const { readModel, sweeps } = reader(world, pace);
    await readModel.read('requests');
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    readModel.touch(requestId);
    expect((await readModel.read('requests')).rows[0]).toContain(requestId);
    expect(sweeps.count).toBe(1);
  });

  it.each([0, 60_000])(
    'shows what it could not read before as soon as it can: a look believed for %i ms',
    async (scan) => {
      const { world, ids } = await created(3);
      const [fails = '', ...others] = ids;
      const away = new PluginError('storage.unavailable', 'the store does not answer');
      const { readModel, loaded } = reader(world, { ...pace, scan }, undefined, { id: fails, error: away });
      await expect(readModel.read('requests')).rejects.toBe(away);
      expect((await readModel.read('requests')).rows).toHaveLength(3);
      expect(loaded).toEqual(expect.arrayContaining(others));
      await readModel.save();
      expect((await reader(world).readModel.read('requests')).rows).toHaveLength(3);
    },
  );

  it('looks again at once when its clock was set back', async () => {
    const { world } = await created(1);
    const { readModel, time } = reader(world, { ...pace, answer: 60_000 });
    await readModel.read('requests');
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    time.ahead = 0;
    expect((await readModel.read('requests')).rows[0]).toContain(requestId);
  });

  it('saves what it holds when it ends', async () => {
    const { world } = await created(2);
    const { readModel } = reader(world, { scan: 0, answer: 0, save: Number.POSITIVE_INFINITY });
    await readModel.read('requests');
    await readModel.save();
    const next = reader(world);
    await next.readModel.read('requests');
    expect(next.loaded).toEqual([]);
  });
});
