import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PluginError } from '../../../../src/domain/errors.ts';
import { createIdOf } from '../../../../src/domain/ids.ts';
import { damage } from '../../damaged-document.ts';
import { startWorld, uuid, type World } from '../../provider-world.ts';

const minute = 60_000;
const unknown = createIdOf(uuid(999));

const create = async (world: World, maxNumber: number): Promise<string> =>
  (await world.service.createRequest({ templateId: 'od-a', maxNumber })).requestId;
const sweep = (world: World, apply = true) => world.service.reconcile({ apply });
/** A request whose hosts are up, all of it known to its caller. */
const settle = async (world: World, count = 1): Promise<string> => {
  const requestId = await create(world, count);
  world.hosts.boot();
  await world.service.syncRequests({ requestIds: [requestId], claims: true });
  return requestId;
};
const standing = (world: World): readonly string[] =>
  world.hosts.ids().filter((id) => world.hosts.stateOf(id) === 'running' || world.hosts.stateOf(id) === 'pending');

describe('an instance with our ownership tag that belongs to no request', () => {
  it.each([
    ['whose request is not on record', async () => unknown],
    ['whose request ended without it', (world: World) => settle(world)],
    ['that names no request', async () => ''],
  ])('%s is seen by one sweep and released by a later one', async (_what, requestOf) => {
    const world = await startWorld();
    const owner = await requestOf(world);
    const orphan = world.hosts.add(owner === '' ? {} : { requestId: owner });
    world.pass(60 * minute);
    expect((await sweep(world)).findings).toMatchObject([{ kind: 'instance', id: orphan, verdict: 'wait' }]);
    world.pass(15 * minute - 1);
    expect((await sweep(world)).released).toEqual([]);
    expect(world.hosts.stateOf(orphan)).toBe('running');
    world.pass(1);
    expect((await sweep(world)).released).toEqual([orphan]);
    expect(world.hosts.stateOf(orphan)).toBe('shutting-down');
    expect((await sweep(world)).findings).toEqual([]);
  });

  it('tells how far the sweep has come', async () => {
    const world = await startWorld();
    await settle(world);
    world.hosts.add({ requestId: unknown });
    await sweep(world);
    world.pass(15 * minute);
    await sweep(world);
    expect(world.steps).toEqual(
      expect.arrayContaining([
        ['looks at AWS', 3, 4],
        ['records read', 1, 2],
        ['released', 0, 2],
        ['released', 1, 2],
      ]),
    );
  });

  it('is only told of where nothing is to be applied', async () => {
    const world = await startWorld();
    const orphan = world.hosts.add({ requestId: unknown });
    await sweep(world);
    world.pass(15 * minute);
    expect(await sweep(world, false)).toMatchObject({ findings: [{ id: orphan, verdict: 'release' }], released: [] });
    expect(world.hosts.stateOf(orphan)).toBe('running');
  });

  it('is not due for having been looked at: only a sweep remembers what it has seen', async () => {
    const world = await startWorld();
    world.hosts.add({ requestId: unknown });
    await sweep(world, false);
    world.pass(15 * minute);
    expect(await sweep(world)).toMatchObject({ findings: [{ verdict: 'wait' }], released: [] });
  });

  it('waits anew when the clock was set back, and when its caller holds it meanwhile', async () => {
    const world = await startWorld();
    const orphan = world.hosts.add({ requestId: unknown });
    world.pass(600 * minute);
    await sweep(world);
    world.pass(-500 * minute);
    await sweep(world);
    world.pass(14 * minute);
    expect((await sweep(world)).released).toEqual([]);
    const held = [{ name: '', machineId: orphan }];
    world.pass(14 * minute);
    expect((await world.service.reconcile({ apply: true, held })).findings).toEqual([]);
    expect((await sweep(world)).findings).toMatchObject([{ verdict: 'wait' }]);
  });

  it.each([
    ['of another installation', { ofOtherStore: true as const, requestId: unknown }, 1],
    ['without our ownership tag', { ours: false, requestId: unknown }, 0],
  ])('%s is never touched', async (_what, host, findings) => {
    const world = await startWorld();
    const id = world.hosts.add(host);
    for (let n = 0; n < 3; n++) {
      expect((await sweep(world)).findings).toHaveLength(findings);
      world.pass(60 * minute);
    }
    expect(world.hosts.stateOf(id)).toBe('running');
  });

  it('is left alone while its record cannot be read', async () => {
    const world = await startWorld();
    const requestId = await settle(world);
    await damage(world.workDir, requestId);
    for (let n = 0; n < 3; n++) {
      expect((await sweep(world)).findings).toMatchObject([{ verdict: 'leave', why: 'its record cannot be read' }]);
      world.pass(60 * minute);
    }
    expect(standing(world)).toHaveLength(1);
  });

  it('is no orphan while its launch is under way, however long that takes', async () => {
    const world = await startWorld({ unclaimed: 0 });
    world.capacity.pools.set('subnet-a', { kind: 'lost', launched: 2 });
    await create(world, 2);
    for (let n = 0; n < 3; n++) {
      expect((await sweep(world)).findings).toEqual([]);
      world.pass(60 * minute);
    }
    expect(standing(world)).toHaveLength(2);
  });

  it('is seen for the first time again when what was remembered cannot be read', async () => {
    const world = await startWorld();
    world.hosts.add({ requestId: unknown });
    await sweep(world);
    const file = join(world.workDir, 'cache', 'sweep.json');
    expect(Object.keys(JSON.parse(await readFile(file, 'utf8')).orphans)).toHaveLength(1);
    await writeFile(file, '{');
    world.pass(60 * minute);
    expect((await sweep(world)).released).toEqual([]);
  });
});

describe('what was to end and stands', () => {
  it('a return nobody asks about any more is asked of EC2 again', async () => {
    const world = await startWorld();
    await settle(world);
    const [machineId = ''] = standing(world);
    world.hosts.failWith(new PluginError('provider.throttled', 'slow down'), 'terminate');
    await world.service.returnMachines({ machines: [{ name: '', machineId }] });
    world.hosts.failWith(undefined, 'terminate');
    await sweep(world);
    expect(standing(world)).toEqual([]);
  });

  it('a machine that ended on record and runs at EC2 is an orphan', async () => {
    const world = await startWorld();
    await settle(world);
    const [machineId = ''] = standing(world);
    await world.service.updateMachineStatus({ machineId, status: 'terminated' });
    expect((await sweep(world)).findings).toMatchObject([{ id: machineId, verdict: 'wait' }]);
    world.pass(16 * minute);
    expect((await sweep(world)).released).toEqual([machineId]);
    expect(standing(world)).toEqual([]);
  });
});

describe('a machine that was given back and runs', () => {
  /** EC2 did not show it for so long that its return is complete. */
  const taken = async (): Promise<{ readonly world: World; readonly machineId: string; readonly id: string }> => {
    const world = await startWorld();
    const id = await settle(world);
    const [machineId = ''] = standing(world);
    world.hosts.change(machineId, { hidden: true });
    const { requestId } = await world.service.returnMachines({ machines: [{ name: '', machineId }] });
    for (let look = 0; look < 2; look++) {
      await world.service.syncRequests({ requestIds: [requestId] });
      world.pass(2 * minute);
    }
    expect((await world.service.getRequestStatus({ requestId })).status).toBe('complete');
    world.hosts.change(machineId, { hidden: false });
    return { world, machineId, id };
  };

  it('is noted on its request when its return ends without having seen it', async () => {
    const { world, id } = await taken();
    expect(await world.eventsOf(id)).toContain('MachinesReturned');
    expect(await world.live.list()).toEqual([]);
  });

  it('is an orphan once its return is over', async () => {
    const { world, machineId } = await taken();
    expect((await sweep(world)).findings).toMatchObject([{ id: machineId, why: 'its return ended without it' }]);
    world.pass(15 * minute);
    expect((await sweep(world)).released).toEqual([machineId]);
    expect(standing(world)).toEqual([]);
  });

  it('is none while its return asks EC2 again and again', async () => {
    const world = await startWorld();
    await settle(world);
    const [machineId = ''] = standing(world);
    world.hosts.change(machineId, { refusal: 'OperationNotPermitted: protected' });
    await world.service.returnMachines({ machines: [{ name: '', machineId }] });
    for (let n = 0; n < 3; n++) {
      expect((await sweep(world)).findings).toEqual([]);
      world.pass(60 * minute);
    }
  });

  it('is none while EC2 has taken the call and shows it running still', async () => {
    const world = await startWorld();
    await settle(world);
    const [machineId = ''] = standing(world);
    await world.service.returnMachines({ machines: [{ name: '', machineId }] });
    world.hosts.change(machineId, { state: 'running' });
    expect((await sweep(world, false)).findings).toEqual([]);
  });
});

it('nothing is judged while AWS does not tell the time', async () => {
  const world = await startWorld();
  const orphan = world.hosts.add({ requestId: unknown });
  await create(world, 1);
  await sweep(world);
  world.hideAwsTime(24 * 60 * minute);
  expect(await sweep(world)).toMatchObject({ findings: [], released: [], warnings: [expect.any(String)] });
  expect(world.hosts.stateOf(orphan)).toBe('running');
});

describe('a request nobody asked about', () => {
  it.each([
    ['ahead', 24 * 60],
    ['behind', -24 * 60],
  ])('has its time also when it was dated by a clock that was %s', async (_what, off) => {
    const world = await startWorld();
    world.pass(off * minute);
    world.capacity.onLaunch = async () => world.pass(-off * minute);
    await create(world, 1);
    for (const [passed, standingThen] of [
      [0, 1],
      [59, 1],
      [1, off > 0 ? 0 : 1],
      [16, 0],
    ] as const) {
      world.pass(passed * minute);
      await sweep(world);
      expect(standing(world)).toHaveLength(standingThen);
    }
  });

  it('is released when its time is over, and says so to who asks after all', async () => {
    const world = await startWorld();
    const requestId = await create(world, 3);
    world.hosts.boot();
    world.pass(60 * minute - 1);
    expect((await sweep(world)).findings).toEqual([]);
    world.pass(1);
    expect((await sweep(world)).findings).toMatchObject([{ id: requestId, verdict: 'wait' }]);
    world.pass(15 * minute);
    expect((await sweep(world)).released).toEqual([requestId]);
    expect(standing(world)).toEqual([]);
    for (const id of world.hosts.ids()) world.hosts.end(id);
    await sweep(world);
    const view = await world.service.getRequestStatus({ requestId, includeMachines: true });
    expect(view).toMatchObject({ status: 'cancelled', counts: { fail: 3 } });
    expect(view.machines?.[0]?.message).toBe('Cancelled: nobody asked about it within 60 minutes');
    expect(await world.live.list()).toEqual([]);
  });

  it('is released also when it has settled: its machines are nobody’s', async () => {
    const world = await startWorld();
    const requestId = await create(world, 2);
    world.hosts.boot();
    await world.service.syncRequests({ requestIds: [requestId] });
    expect((await world.service.getRequestStatus({ requestId })).status).toBe('complete');
    world.pass(60 * minute);
    await sweep(world);
    world.pass(15 * minute);
    expect((await sweep(world)).released).toEqual([requestId]);
    expect(standing(world)).toEqual([]);
  });

  it.each(['the sweep', 'its caller'])(
    'and which %s could not cancel at once is released by the next sweep',
    async (who) => {
      const world = await startWorld();
      const requestId = await create(world, 2);
      world.pass(60 * minute);
      await sweep(world);
      world.pass(15 * minute);
      world.hosts.failWith(new PluginError('provider.unreachable', 'no network'), 'terminate');
      await (who === 'the sweep' ? sweep(world) : world.service.cancelRequest({ requestId, reason: 'mistake' }));
      expect(standing(world)).toHaveLength(2);
      world.hosts.failWith(undefined, 'terminate');
      await sweep(world);
      expect(standing(world)).toEqual([]);
      for (const id of world.hosts.ids()) world.hosts.end(id);
      await sweep(world);
      expect(await world.live.list()).toEqual([]);
    },
  );

  it('is left alone, and taken for claimed, when its caller holds a machine of it', async () => {
    const world = await startWorld();
    await create(world, 2);
    const [machineId = ''] = standing(world);
    for (let n = 0; n < 3; n++) {
      world.pass(61 * minute);
      await world.service.reconcile({ apply: true, held: [{ name: '', machineId }] });
    }
    expect((await sweep(world)).findings).toEqual([]);
    expect(standing(world)).toHaveLength(2);
  });

  it('is left alone when somebody asks between two sweeps', async () => {
    const world = await startWorld();
    const requestId = await create(world, 2);
    world.hosts.boot();
    world.pass(61 * minute);
    expect((await sweep(world)).findings).toMatchObject([{ verdict: 'wait' }]);
    await world.service.syncRequests({ requestIds: [requestId], claims: true });
    world.pass(61 * minute);
    expect((await sweep(world)).findings).toEqual([]);
    expect(standing(world)).toHaveLength(2);
  });

  it.each([0, 1, 2])(
    'whose launch was lost after %i of 2 hosts: they go, and nothing is launched again',
    async (launched) => {
      const world = await startWorld();
      world.capacity.pools.set('subnet-a', { kind: 'lost', launched });
      await create(world, 2);
      world.capacity.pools.delete('subnet-a');
      world.pass(61 * minute);
      await sweep(world);
      world.pass(15 * minute);
      await sweep(world);
      await sweep(world);
      expect([standing(world), world.capacity.launches.length]).toEqual([[], 1]);
      expect(await world.live.list()).toEqual([]);
    },
  );

  it.each([
    ['somebody asked about', { claimsIt: true, unclaimed: 60 * minute }],
    ['with the limit switched off', { claimsIt: false, unclaimed: 0 }],
  ])('but %s stays for ever', async (_what, { claimsIt, unclaimed }) => {
    const world = await startWorld({ unclaimed });
    const requestId = await create(world, 2);
    world.hosts.failWith(new PluginError('provider.throttled', 'slow down'), 'describe');
    await world.service.syncRequests({ requestIds: [requestId], claims: claimsIt });
    world.hosts.failWith(undefined);
    world.pass(600 * minute);
    expect((await sweep(world)).findings).toEqual([]);
    expect(standing(world)).toHaveLength(2);
  });

  it('stays for ever once its caller claims it by its id, without a look at EC2 and also after a look has settled it', async () => {
    for (const isSettled of [false, true]) {
      const world = await startWorld();
      const requestId = await create(world, 2);
      world.hosts.boot();
      if (isSettled) await world.service.syncRequests({ requestIds: [requestId] });
      world.hosts.failWith(new PluginError('provider.throttled', 'slow down'));
      await world.service.claimRequest({ requestId });
      world.hosts.failWith(undefined);
      world.pass(600 * minute);
      expect([(await sweep(world)).findings, standing(world).length]).toEqual([[], 2]);
    }
  });

  it('is released although a server looks at it all the time: that is nobody who asks', async () => {
    const world = await startWorld();
    const requestId = await create(world, 2);
    world.hosts.boot();
    for (let round = 0; round < 5; round++) {
      await world.service.syncRequests({ requestIds: [requestId] });
      world.pass(20 * minute);
      await sweep(world);
    }
    expect(standing(world)).toEqual([]);
  });

  it('claiming what is not on record, or a return, writes nothing', async () => {
    const world = await startWorld();
    for (const requestId of [unknown, `ret-${uuid(7)}`]) {
      expect((await world.service.claimRequest({ requestId })).version).toBe(0);
      expect((await world.streams.load(requestId)).events).toEqual([]);
    }
  });

  it('is claimed also when it has settled before anybody asked', async () => {
    const world = await startWorld();
    const requestId = await create(world, 1);
    world.hosts.boot();
    await world.service.syncRequests({ requestIds: [requestId] });
    await world.service.syncRequests({ requestIds: [requestId], claims: true });
    world.pass(600 * minute);
    expect((await sweep(world)).findings).toEqual([]);
  });
});

describe('a fleet with our ownership tag', () => {
  const fleet = (id: string, requestId: string) => ({
    requestId,
    resource: { kind: 'EC2Fleet' as const, id, refills: true, seeks: true, ours: true, expiresAt: 0 },
  });

  it('that no request knows goes before its instances, both after the wait', async () => {
    const world = await startWorld();
    world.capacity.fleets.set('fleet-1', fleet('fleet-1', unknown));
    const orphan = world.hosts.add({ requestId: unknown });
    await sweep(world);
    world.pass(15 * minute);
    expect((await sweep(world)).released).toEqual(['fleet-1', orphan]);
    expect(world.capacity.fleets.size).toBe(0);
  });

  it('that its open request will adopt stays', async () => {
    const world = await startWorld();
    const requestId = await create(world, 1);
    await world.service.syncRequests({ requestIds: [requestId], claims: true });
    world.capacity.fleets.set('fleet-1', fleet('fleet-1', requestId));
    expect((await sweep(world)).findings).toEqual([]);
  });
});

it('what AWS would not say or do is told, and tried again by the next sweep', async () => {
  const world = await startWorld();
  const orphan = world.hosts.add({ requestId: unknown });
  await sweep(world);
  world.pass(15 * minute);
  world.hosts.failWith(new PluginError('provider.throttled', 'slow down'), 'ours');
  await expect(sweep(world)).rejects.toMatchObject({ code: 'provider.throttled' });
  world.hosts.failWith(undefined);
  expect((await sweep(world)).released).toEqual([orphan]);
});

describe('the capacity ledger', () => {
  it('says after a sweep what requests that are over hold by their records, and keeps the others', async () => {
    const world = await startWorld();
    const over = await settle(world, 3);
    const open = await create(world, 2);
    const unitsOf = async () => new Map((await world.live.list()).map(({ requestId, units }) => [requestId, units]));
    await world.live.update({ templateId: 'od-a', requestId: over, units: 5 });
    await world.live.update({ templateId: 'od-a', requestId: open, units: 4 });
    await sweep(world, false);
    expect((await unitsOf()).get(over)).toBe(5);
    await sweep(world);
    expect(await unitsOf()).toEqual(
      new Map([
        [over, 3],
        [open, 4],
      ]),
    );
  });

  it('forgets after a while who claimed capacity and never came to be', async () => {
    const world = await startWorld();
    await world.live.reserve({ templateId: 'od-a', requestId: unknown, units: 2 }, undefined);
    await sweep(world);
    expect(await world.live.list()).toHaveLength(1);
    world.pass(24 * 60 * minute * 365);
    await sweep(world);
    expect(await world.live.list()).toEqual([]);
  });
});
