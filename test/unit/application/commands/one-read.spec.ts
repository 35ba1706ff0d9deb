import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadingAll, type RequestStreams } from '../../../../src/application/ports/streams.ts';
import { createRequestStreams } from '../../../../src/storage/request-streams.ts';
import { startWorld, type World } from '../../provider-world.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

interface CountedWorld extends World {
  readonly reads: () => readonly string[];
  readonly forget: () => void;
  /** Before the next append another process does this. */
  readonly interfere: (work: (store: RequestStreams) => Promise<unknown>) => void;
}

/** A world on the real store, and how often each stream of it was read. */
const countedWorld = async (): Promise<CountedWorld> => {
  const folder = await temporaryFolder();
  const streams = createRequestStreams(join(folder, 'work'));
  let reads: string[] = [];
  let interference: Parameters<CountedWorld['interfere']>[0] | undefined;
  const load: RequestStreams['load'] = (id) => {
    reads.push(id);
    return streams.load(id);
  };
  const counting: RequestStreams = {
    ...streams,
    load,
    loadAll: loadingAll(load),
    append: async (...appended) => {
      const work = interference;
      interference = undefined;
      await work?.(streams);
      return streams.append(...appended);
    },
  };
  const world = await startWorld({}, undefined, { folder, store: { streams: counting } });
  const forget = (): void => {
    reads = [];
  };
  const interfere: CountedWorld['interfere'] = (work) => {
    interference = work;
  };
  return { ...world, reads: () => [...reads].sort(), forget, interfere };
};

/** As Host Factory's script asks. */
const status = async ({ service }: World, ...requestIds: readonly string[]) => {
  await service.syncRequests({ requestIds: [...requestIds], claims: true });
  return Promise.all(requestIds.map((requestId) => service.getRequestStatus({ requestId, includeMachines: true })));
};

describe('a status call reads each stream once', () => {
  it('while its machines start, when it settles, and after', async () => {
    const world = await countedWorld();
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 2 });
    world.forget();
    expect(await status(world, requestId)).toMatchObject([{ status: 'running', version: 4 }]);
    expect(world.reads()).toEqual([requestId]);
    world.hosts.boot();
    world.forget();
    expect(await status(world, requestId)).toMatchObject([{ status: 'complete', counts: { succeed: 2 } }]);
    expect(world.reads()).toEqual([requestId]);
    world.forget();
    expect(await status(world, requestId)).toMatchObject([{ status: 'complete', counts: { succeed: 2 } }]);
    expect(world.reads()).toEqual([requestId]);
  });

  it('and tells what is on record', async () => {
    const world = await countedWorld();
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 2, userId: 'ann' });
    world.hosts.boot();
    const told = await status(world, requestId);
    expect(told).toEqual([await world.service.getRequestStatus({ requestId, includeMachines: true })]);
    expect(told).toMatchObject([{ userId: 'ann' }]);
  });

  it('also those of a return and of the requests that launched its hosts, until it is over', async () => {
    const world = await countedWorld();
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 2 });
    world.hosts.boot();
    await status(world, requestId);
    const machines = world.hosts.ids().map((machineId) => ({ machineId, name: '' }));
    world.forget();
    const { requestId: returnId } = await world.service.returnMachines({ machines });
    expect(world.reads()).toEqual([requestId]);
    world.forget();
    expect(await status(world, returnId)).toMatchObject([{ status: 'running' }]);
    // EC2 shows that the hosts are going: noted on their request, should that have failed before.
    expect(world.reads()).toEqual([requestId, returnId]);
    world.forget();
    expect(await status(world, returnId)).toMatchObject([{ status: 'running' }]);
    expect(world.reads()).toEqual([returnId]);
    for (const id of world.hosts.ids()) world.hosts.end(id);
    world.forget();
    expect(await status(world, returnId)).toMatchObject([{ status: 'complete' }]);
    expect(world.reads()).toEqual([requestId, returnId]);
  });

  it('but anew when another process was faster', async () => {
    const world = await countedWorld();
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    world.hosts.boot();
    world.interfere(async (store) => {
      const { version } = await store.load(requestId);
      await store.append(requestId, version, [{ type: 'RequestClaimed', at: world.now() }], { correlationId: 'other' });
    });
    world.forget();
    expect(await status(world, requestId)).toMatchObject([{ status: 'complete' }]);
    expect(world.reads()).toEqual([requestId, requestId]);
  });

  it('and an answer is never that of an earlier call', async () => {
    const world = await countedWorld();
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    await status(world, requestId);
    await world.service.cancelRequest({ requestId, reason: 'a test' });
    expect(await world.service.getRequestStatus({ requestId })).toMatchObject({ status: 'cancelled' });
  });
});
