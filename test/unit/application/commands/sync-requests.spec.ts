import { describe, expect, it } from 'vitest';
import { loadingAll } from '../../../../src/application/ports/streams.ts';
import { PluginError } from '../../../../src/domain/errors.ts';
import { createIdOf } from '../../../../src/domain/ids.ts';
import { damage } from '../../damaged-document.ts';
import { onDemandTemplate } from '../../domain/template/template-fixture.ts';
import { origin, startWorld, uuid, type World } from '../../provider-world.ts';

const second = 1000;

const create = async (world: World, maxNumber: number): Promise<string> =>
  (await world.service.createRequest({ templateId: 'od-a', maxNumber })).requestId;
const sync = (world: World, ...requestIds: readonly string[]) => world.service.syncRequests({ requestIds });
const statusOf = async (world: World, requestId: string) =>
  (await world.service.getRequestStatus({ requestId })).status;
const machinesOf = async (world: World, requestId: string) =>
  (await world.service.getRequestStatus({ requestId, includeMachines: true })).machines ?? [];
const callsOf = (world: World) => world.hosts.calls.map(([method]) => method);

/** A request whose launch call was cut off after so many hosts had come up. */
const lostLaunch = async (world: World, wanted: number, launched: number): Promise<string> => {
  world.capacity.pools.set('subnet-a', { kind: 'lost', launched });
  const requestId = await create(world, wanted);
  world.capacity.pools.delete('subnet-a');
  return requestId;
};

describe('a look at EC2', () => {
  it('takes one call for several requests, whatever their kind', async () => {
    const world = await startWorld();
    const first = await create(world, 2);
    const other = await create(world, 3);
    const { requestId: given } = await world.service.returnMachines({
      machines: [{ name: '', machineId: world.hosts.add() }],
    });
    const before = callsOf(world).length;
    await sync(world, first, other, given, first);
    expect(world.hosts.calls.slice(before).map(([method, ids]) => [method, ids.length])).toEqual([['describe', 6]]);
  });

  it('completes a request once all its hosts can be used', async () => {
    const world = await startWorld();
    const id = await create(world, 2);
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('running');
    world.hosts.boot();
    expect((await sync(world, id)).unverified).toEqual({});
    expect(await statusOf(world, id)).toBe('complete');
  });

  it('costs a final request nothing', async () => {
    const world = await startWorld();
    const id = await create(world, 2);
    world.hosts.boot();
    await sync(world, id);
    const before = [callsOf(world).length, (await world.streams.load(id)).version];
    await sync(world, id);
    expect([callsOf(world).length, (await world.streams.load(id)).version]).toEqual(before);
  });

  it('writes nothing when nothing changed', async () => {
    const world = await startWorld();
    const id = await create(world, 2);
    await sync(world, id);
    const { version } = await world.streams.load(id);
    await sync(world, id);
    expect((await world.streams.load(id)).version).toBe(version);
  });

  it('is not taken for requests nobody knows', async () => {
    const world = await startWorld();
    expect((await sync(world, createIdOf(uuid(9)), 'r-0a1b2c3d', '../etc')).unverified).toEqual({});
    expect(world.hosts.calls).toEqual([]);
  });

  it('at the hosts of a settled request, where asked for, takes the dead out of the ledger', async () => {
    const world = await startWorld();
    const id = await create(world, 2);
    world.hosts.boot();
    await sync(world, id);
    world.hosts.end(world.hosts.ids()[0] ?? '');
    await world.service.syncRequests({ requestIds: [id], includeSettled: true });
    expect(await world.live.list()).toMatchObject([{ requestId: id, units: 1 }]);
    expect(await statusOf(world, id)).toBe('complete');
  });

  it('tags hosts with their own id as they become usable, where configured', async () => {
    const world = await startWorld({ tagInstanceId: true });
    const id = await create(world, 2);
    await sync(world, id);
    world.hosts.boot();
    await sync(world, id);
    await world.service.syncRequests({ requestIds: [id], includeSettled: true });
    expect(world.hosts.calls.filter(([method]) => method === 'tagWithOwnId')).toEqual([
      ['tagWithOwnId', world.hosts.ids()],
    ]);
  });
});

describe('a host EC2 does not show', () => {
  it('is believed gone only when missed again after the consistency window', async () => {
    const world = await startWorld({ pendingTimeout: 3_600_000 });
    const id = await create(world, 1);
    world.hosts.change(world.hosts.ids()[0] ?? '', { hidden: true });
    await sync(world, id);
    world.pass(119 * second);
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('running');
    world.pass(second);
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('complete_with_error');
    expect(await machinesOf(world, id)).toMatchObject([
      { result: 'fail', message: expect.stringContaining('no longer') },
    ]);
  });
});

describe('a launch whose answer was lost', () => {
  it('is adopted by the request in its tags', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 2, 2);
    await sync(world, id);
    expect((await machinesOf(world, id)).map(({ machineId }) => machineId)).toEqual(world.hosts.ids());
    expect(world.capacity.launches).toHaveLength(1);
  });

  it('that got part is adopted with a word on what is missing, once no other subnet has it', async () => {
    const world = await startWorld();
    const full = { kind: 'refusal', code: 'InsufficientInstanceCapacity', fault: 'provider.capacity' } as const;
    world.capacity.pools.set('subnet-b', full);
    const id = await lostLaunch(world, 3, 1);
    world.pass(121 * second);
    await sync(world, id);
    world.hosts.boot();
    await sync(world, id);
    expect(await world.service.getRequestStatus({ requestId: id })).toMatchObject({
      status: 'complete',
      message: expect.stringMatching(/^1 of 3 machines granted\. Error Code: PartialGrant/),
    });
  });

  it('is adopted as a whole though EC2 shows only part of it at first', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 3, 3);
    for (const late of world.hosts.ids().slice(1)) world.hosts.change(late, { hidden: true });
    await sync(world, id);
    for (const late of world.hosts.ids()) world.hosts.change(late, { hidden: false });
    world.pass(121 * second);
    await sync(world, id);
    await sync(world, id);
    expect((await machinesOf(world, id)).map(({ machineId }) => machineId)).toEqual(world.hosts.ids());
  });

  it('is not taken for what another request launched, nor for another’s hosts', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 1, 0);
    world.hosts.add({ requestId: createIdOf(uuid(50)) });
    world.hosts.add({ requestId: id, ours: false });
    await sync(world, id);
    expect(await machinesOf(world, id)).toEqual([]);
  });

  it('is not sent again while EC2 may only not show it yet', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 2, 0);
    world.pass(119 * second);
    await sync(world, id);
    expect(world.capacity.launches).toHaveLength(1);
    expect(await statusOf(world, id)).toBe('running');
  });

  it('is sent again after the window, as it was and under the same token', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 2, 0);
    world.pass(120 * second);
    await sync(world, id);
    const [first, again] = world.capacity.launches;
    expect(again).toMatchObject({ ...first });
    expect(await machinesOf(world, id)).toHaveLength(2);
  });

  it('never launches twice, though EC2 showed nothing of it', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 2, 2);
    for (const hidden of world.hosts.ids()) world.hosts.change(hidden, { hidden: true });
    world.pass(120 * second);
    world.capacity.onLaunch = async () => {
      for (const shown of world.hosts.ids()) world.hosts.change(shown, { hidden: false });
    };
    await sync(world, id);
    expect(world.hosts.ids()).toHaveLength(2);
    expect(await machinesOf(world, id)).toHaveLength(2);
  });

  it('that is lost again stays open', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 2, 0);
    world.capacity.pools.set('subnet-a', { kind: 'lost', launched: 0 });
    world.pass(120 * second);
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('running');
  });

  it('is not given up before the same call has gone out again, whatever the clock says', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 2, 0);
    world.pass(15 * 60 * second + 1);
    await sync(world, id);
    expect(world.capacity.launches).toHaveLength(2);
    expect(await world.service.getRequestStatus({ requestId: id })).toMatchObject({
      message: '2 of 2 machines granted.',
    });
  });

  it('is given up at the deadline, with an error and out of the ledger', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 2, 0);
    world.capacity.pools.set('subnet-a', { kind: 'lost', launched: 0 });
    world.pass(121 * second);
    await sync(world, id);
    world.pass(15 * 60 * second + 1);
    await sync(world, id);
    expect(await world.service.getRequestStatus({ requestId: id })).toMatchObject({
      status: 'complete_with_error',
      message: expect.stringContaining('Error Code: LaunchUnconfirmed'),
    });
    expect([world.capacity.launches.length, await world.live.list()]).toEqual([2, []]);
  });

  it('has all of its time from when AWS was first heard about it, by whatever clock it was dated before', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 2, 0);
    world.capacity.pools.set('subnet-a', { kind: 'lost', launched: 0 });
    world.pass(365 * 24 * 3600 * second);
    for (const seconds of [0, 121, 121]) {
      world.pass(seconds * second);
      await sync(world, id);
      expect([seconds, await statusOf(world, id)]).toEqual([seconds, 'running']);
    }
  });
});

describe('a launch AWS turned away for too many calls', () => {
  const turnedAway = async (): Promise<{ readonly world: World; readonly id: string }> => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'throttled' });
    return { world, id: await create(world, 2) };
  };

  it('is sent again after a pause of its own, which doubles', async () => {
    const { world, id } = await turnedAway();
    const sentAfter = async (ms: number): Promise<number> => {
      world.pass(ms);
      await sync(world, id);
      return world.capacity.launches.length;
    };
    expect([await sentAfter(9 * second), await sentAfter(second)]).toEqual([1, 2]);
    expect([await sentAfter(19 * second), await sentAfter(second)]).toEqual([2, 3]);
    world.capacity.pools.delete('subnet-a');
    expect(await sentAfter(40 * second)).toBe(4);
    expect(await machinesOf(world, id)).toHaveLength(2);
  });

  it('says so meanwhile', async () => {
    const { world, id } = await turnedAway();
    expect((await world.service.getRequestStatus({ requestId: id })).message).toBe(
      '0 of 2 machines granted. AWS throttled the launch; it will be sent again.',
    );
  });

  it('waits for the whole window when an earlier send may have been heard', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 2, 0);
    world.capacity.pools.set('subnet-a', { kind: 'throttled' });
    world.pass(120 * second);
    await sync(world, id);
    world.pass(119 * second);
    await sync(world, id);
    expect(world.capacity.launches).toHaveLength(2);
  });
});

describe('a fleet whose search ends short', () => {
  it('has what it brought at that very moment adopted: nothing of it is in no record', async () => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'fleet' });
    const id = await create(world, 2);
    world.capacity.onEnd = async () => void world.hosts.add({ requestId: id });
    await sync(world, id);
    expect(world.hosts.ids()).toHaveLength(1);
    expect((await machinesOf(world, id)).map(({ machineId }) => machineId)).toEqual(world.hosts.ids());
    expect(await world.live.list()).toMatchObject([{ requestId: id, units: 1 }]);
  });
});

describe('the clock of this host, while AWS does not tell the time', () => {
  const wrong = 3_600_000;

  it('makes no host overdue', async () => {
    const world = await startWorld();
    const id = await create(world, 1);
    world.hideAwsTime(wrong);
    await sync(world, id);
    expect([callsOf(world).includes('terminate'), await statusOf(world, id)]).toEqual([false, 'running']);
  });

  it('makes no host gone, neither of a request nor of a return', async () => {
    const world = await startWorld();
    const id = await create(world, 1);
    const machineId = world.hosts.ids()[0] ?? '';
    world.hosts.change(machineId, { hidden: true });
    const { requestId: given } = await world.service.returnMachines({ machines: [{ name: '', machineId }] });
    await sync(world, id, given);
    world.hideAwsTime(wrong);
    await sync(world, id, given);
    expect([await statusOf(world, id), await statusOf(world, given)]).toEqual(['running', 'running']);
  });

  it('gives no launch up', async () => {
    const world = await startWorld();
    const id = await lostLaunch(world, 2, 0);
    world.hideAwsTime(wrong);
    await sync(world, id);
    expect(await machinesOf(world, id)).toHaveLength(2);
  });
});

describe('a host that is not usable in time', () => {
  const late = 181 * second;

  it('is left alone while EC2 does not show it: it may be usable by now', async () => {
    const world = await startWorld();
    const id = await create(world, 1);
    const [machineId = ''] = world.hosts.ids();
    world.pass(late);
    world.hosts.boot();
    world.hosts.change(machineId, { hidden: true });
    await sync(world, id);
    world.hosts.change(machineId, { hidden: false });
    await sync(world, id);
    expect([world.hosts.stateOf(machineId), await statusOf(world, id)]).toEqual(['running', 'complete']);
  });

  it('is terminated and reported as failed, with the reason', async () => {
    const world = await startWorld();
    const id = await create(world, 1);
    world.pass(late);
    await sync(world, id);
    expect(world.hosts.stateOf(world.hosts.ids()[0] ?? '')).toBe('shutting-down');
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('complete_with_error');
    expect(await machinesOf(world, id)).toMatchObject([
      { result: 'fail', message: expect.stringContaining('not usable within 180 s') },
    ]);
  });

  it('is waited for until then', async () => {
    const world = await startWorld();
    const id = await create(world, 1);
    world.pass(180 * second);
    await sync(world, id);
    expect(callsOf(world)).not.toContain('terminate');
  });

  it('for want of a name is told what gives names', async () => {
    const world = await startWorld();
    const id = await create(world, 1);
    world.hosts.change(world.hosts.ids()[0] ?? '', { state: 'running', privateIpAddress: '10.0.0.1' });
    world.pass(late);
    await sync(world, id);
    expect(await machinesOf(world, id)).toMatchObject([{ message: expect.stringContaining('DNS hostnames') }]);
  });

  it('does not take the usable hosts with it', async () => {
    const world = await startWorld();
    const id = await create(world, 2);
    world.hosts.change(world.hosts.ids()[0] ?? '', { state: 'running', name: 'host-1', privateIpAddress: '10.0.0.1' });
    world.pass(late);
    await sync(world, id);
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('complete');
    expect((await machinesOf(world, id)).map(({ result }) => result)).toEqual(['succeed', 'fail']);
  });

  it('is on record as given up before EC2 is asked, and asked for again until EC2 shows the end', async () => {
    const world = await startWorld();
    const id = await create(world, 1);
    world.pass(late);
    world.hosts.failWith(new PluginError('provider.throttled', 'TerminateInstances failed'), 'terminate');
    expect((await sync(world, id)).unverified[id]).toContain('TerminateInstances failed');
    expect(await world.eventsOf(id)).toContain('MachinesGivenUp');
    expect(await statusOf(world, id)).toBe('running');
    world.hosts.failWith(undefined);
    await sync(world, id);
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('complete_with_error');
    expect((await world.eventsOf(id)).filter((type) => type === 'MachinesGivenUp')).toHaveLength(1);
  });
});

describe('a fault while reading', () => {
  it('leaves every request unverified, with the reason, and changes nothing', async () => {
    const world = await startWorld();
    const ids = [await create(world, 1), await create(world, 2), await lostLaunch(world, 1, 0)];
    const before = await Promise.all(ids.map((id) => world.streams.load(id)));
    world.pass(200 * second);
    world.hosts.failWith(new PluginError('provider.throttled', 'DescribeInstances failed'));
    const { unverified } = await sync(world, ...ids);
    expect(Object.entries(unverified)).toEqual(ids.map((id) => [id, 'DescribeInstances failed']));
    expect(await Promise.all(ids.map((id) => world.streams.load(id)))).toEqual(before);
  });

  it('that is ours, not AWS’s, ends the call', async () => {
    const world = await startWorld();
    const id = await create(world, 1);
    world.hosts.failWith(new TypeError('a defect'));
    await expect(sync(world, id)).rejects.toThrow('a defect');
  });

  it('is told in the log', async () => {
    const world = await startWorld();
    const id = await create(world, 1);
    world.hosts.failWith(new PluginError('provider.denied', 'not you'));
    await sync(world, id);
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', code: 'sync.unverified', text: 'not you' }),
    );
  });
});

describe('a document that cannot be read', () => {
  it('is told by its name and does not hold up the other requests', async () => {
    const world = await startWorld();
    const [bad, good] = [await create(world, 1), await create(world, 1)];
    world.hosts.boot();
    const path = await damage(world.workDir, bad);
    const { unverified } = await sync(world, bad, good);
    expect(Object.keys(unverified)).toEqual([bad]);
    expect(unverified[bad]).toContain(path);
    expect(await statusOf(world, good)).toBe('complete');
  });
});

describe('a return', () => {
  const giveBack = async (world: World, ...ids: readonly string[]): Promise<string> =>
    (await world.service.returnMachines({ machines: ids.map((machineId) => ({ name: '', machineId })) })).requestId;

  it('completes when EC2 shows the end', async () => {
    const world = await startWorld();
    const host = world.hosts.add();
    const id = await giveBack(world, host);
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('running');
    world.hosts.end(host);
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('complete');
  });

  it('asks EC2 again for a host that still stands', async () => {
    const world = await startWorld();
    const host = world.hosts.add({ refusal: 'OperationNotPermitted: protected' });
    const id = await giveBack(world, host);
    await sync(world, id);
    expect(world.hosts.stateOf(host)).toBe('running');
    world.hosts.change(host, { refusal: '' });
    await sync(world, id);
    expect(world.hosts.stateOf(host)).toBe('shutting-down');
  });

  it('of a host EC2 shows only later is carried out then, and marks who launched it', async () => {
    const world = await startWorld();
    const owner = await create(world, 1);
    const host = world.hosts.ids()[0] ?? '';
    world.hosts.change(host, { hidden: true });
    const id = await giveBack(world, host);
    world.hosts.change(host, { hidden: false });
    await sync(world, id);
    expect(world.hosts.stateOf(host)).toBe('shutting-down');
    expect(await world.eventsOf(owner)).toContain('MachinesReturned');
  });

  it('marks who launched a late host also when EC2 refused to answer in between', async () => {
    const world = await startWorld();
    const owner = await create(world, 1);
    const host = world.hosts.ids()[0] ?? '';
    world.hosts.change(host, { hidden: true });
    const id = await giveBack(world, host);
    world.hosts.change(host, { hidden: false });
    world.hosts.failWith(new PluginError('provider.throttled', 'TerminateInstances failed'), 'terminate');
    await sync(world, id);
    world.hosts.failWith(undefined);
    await sync(world, id);
    expect(world.hosts.stateOf(host)).toBe('shutting-down');
    expect(await world.eventsOf(owner)).toContain('MachinesReturned');
  });

  it('leaves a foreign host alone also when EC2 shows it only later', async () => {
    const world = await startWorld();
    const host = world.hosts.add({ ours: false, hidden: true });
    const id = await giveBack(world, host);
    world.hosts.change(host, { hidden: false });
    await sync(world, id);
    expect(world.hosts.stateOf(host)).toBe('running');
    expect(await statusOf(world, id)).toBe('complete_with_error');
  });

  it('of a host EC2 does not show is complete after the window', async () => {
    const world = await startWorld();
    const id = await giveBack(world, 'i-0000000000000abcd');
    await sync(world, id);
    world.pass(119 * second);
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('running');
    world.pass(second);
    await sync(world, id);
    expect(await statusOf(world, id)).toBe('complete');
  });
});

describe('a request whose process ended between two subnets', () => {
  const cutOff = async (world: World): Promise<string> => {
    world.capacity.pools.set('subnet-a', { kind: 'room', most: 1 });
    world.capacity.onPrepare = async (attempt) => {
      if (attempt === 1) throw new PluginError('provider.throttled', 'the process ends here');
    };
    const requestId = await create(world, 3);
    world.capacity.onPrepare = async () => undefined;
    return requestId;
  };

  it('has the next subnet asked for the rest at the next look', async () => {
    const world = await startWorld();
    const requestId = await cutOff(world);
    await sync(world, requestId);
    expect(await machinesOf(world, requestId)).toHaveLength(3);
    expect(world.capacity.launches.map(({ clientToken, count }) => [clientToken, count])).toEqual([
      [`${requestId}.0`, 3],
      [`${requestId}.1`, 2],
    ]);
  });

  it('settles with what it has when nobody has waited for so long', async () => {
    const world = await startWorld();
    const requestId = await cutOff(world);
    world.hosts.boot();
    world.pass(16 * 60 * second);
    await sync(world, requestId);
    expect([await statusOf(world, requestId), world.capacity.launches.length]).toEqual(['complete', 1]);
  });
});

const gate = () => {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
};

describe('a heterogeneous request', () => {
  const soldOut = { kind: 'refusal', code: 'InsufficientInstanceCapacity', fault: 'provider.capacity' } as const;
  const minute = 60 * second;

  /** Three machines of which the spot fleet has brought none. */
  const seeking = async (world: World, minutes: number, ...more: readonly string[]): Promise<string> => {
    const requestId = createIdOf(uuid(77));
    const at = world.now();
    const clientToken = `${requestId}.0`;
    const subnetIds = ['subnet-a', 'subnet-b', 'subnet-c', ...more];
    const template = { ...onDemandTemplate, subnetIds, priceType: 'heterogeneous' } as const;
    const expiresAt = at + minutes * minute;
    const fleet = { kind: 'EC2Fleet', id: 'fleet-1', refills: false, seeks: true, ours: true, expiresAt } as const;
    const launch = { clientToken, count: 3, makesResource: true, pool: 'spot', call: { requestId } };
    await world.streams.append(
      requestId,
      0,
      [
        { type: 'RequestCreated', at, template, providerApi: 'EC2Fleet', wanted: 3, attributes: {} },
        { type: 'LaunchIntended', at, launch },
        { type: 'ResourceCreated', at, clientToken, resource: fleet },
      ],
      origin,
    );
    return requestId;
  };
  const launches = ({ capacity }: World) => capacity.launches.map(({ clientToken, count }) => [clientToken, count]);

  it.each([
    [1, 30],
    [3, 120],
    [30, 29 * 60],
  ])('whose spot fleet has %i min turns to on demand after %i s', async (minutes, seconds) => {
    const world = await startWorld();
    world.capacity.keeper.look = async () => ({ state: 'active', machineIds: [] });
    const requestId = await seeking(world, minutes);
    world.pass(seconds * second - 1);
    await sync(world, requestId);
    expect(launches(world)).toEqual([]);
    world.pass(1);
    await sync(world, requestId);
    expect(launches(world)).toEqual([[`${requestId}.1`, 3]]);
  });

  it('asks for its on-demand rest as long as another try may help', async () => {
    const world = await startWorld();
    const requestId = await seeking(world, 30);
    world.capacity.pools.set('subnet-b', { kind: 'room', most: 1 });
    await sync(world, requestId);
    expect(launches(world)).toEqual([
      [`${requestId}.1`, 3],
      [`${requestId}.2`, 2],
    ]);
    expect(await machinesOf(world, requestId)).toHaveLength(3);
  });

  it('goes on with it at the next look where the process ended in between, long as the search for spot was', async () => {
    const world = await startWorld();
    const requestId = await seeking(world, 30);
    world.pass(29 * minute);
    world.capacity.pools.set('subnet-b', { kind: 'room', most: 1 });
    const templates: unknown[] = [];
    const { prepare } = world.capacity;
    world.capacity.prepare = async (order) => {
      templates.push(order.template.priceType);
      return prepare(order);
    };
    world.capacity.onPrepare = async (attempt) => {
      if (attempt === 2) throw new PluginError('provider.throttled', 'the process ends here');
    };
    await sync(world, requestId);
    expect(launches(world)).toHaveLength(1);
    world.capacity.onPrepare = async () => undefined;
    await sync(world, requestId);
    expect(launches(world).slice(1)).toEqual([[`${requestId}.2`, 2]]);
    expect(templates).toEqual(['ondemand', 'ondemand', 'ondemand']);
    expect(await machinesOf(world, requestId)).toHaveLength(3);
  });

  it('launches its on-demand rest once, however two looks at once take turns', async () => {
    const world = await startWorld();
    const requestId = await seeking(world, 30, 'subnet-d');
    world.capacity.pools.set('subnet-b', soldOut);
    const [both, next, over] = [gate(), gate(), gate()];
    // The second to send .1 hears of its refusal while .2 is under way, which is answered when that look is over.
    let first = 0;
    world.capacity.onLaunch = async ({ clientToken }) => {
      if (clientToken.endsWith('.1')) {
        first++;
        if (first === 2) both.open();
        await (first === 1 ? both : next).passed;
      }
      if (!clientToken.endsWith('.2')) return;
      next.open();
      await over.passed;
    };
    await Promise.all([0, 1].map(() => sync(world, requestId).then(over.open)));
    expect(launches(world).toSorted()).toEqual([1, 1, 2].map((n) => [`${requestId}.${n}`, 3]));
    expect(await machinesOf(world, requestId)).toHaveLength(3);
  });

  it('is not settled short by a look between the refusal of a try and the next', async () => {
    const world = await startWorld();
    const requestId = await seeking(world, 30);
    world.capacity.pools.set('subnet-b', soldOut);
    // The other look has loaded the request while the first try is under way, and ends before the second.
    const [loaded, go] = [gate(), gate()];
    const describe = world.hosts.describeByRequest.bind(world.hosts);
    let other: Promise<unknown> | undefined;
    world.hosts.describeByRequest = async (ids) => {
      if (other !== undefined) {
        loaded.open();
        await go.passed;
      }
      return describe(ids);
    };
    world.capacity.onLaunch = async ({ clientToken }) => {
      if (!clientToken.endsWith('.1')) return;
      other = sync(world, requestId);
      await loaded.passed;
    };
    world.capacity.onPrepare = async (attempt) => {
      if (attempt !== 2) return;
      go.open();
      await other;
    };
    await sync(world, requestId);
    expect(await machinesOf(world, requestId)).toHaveLength(3);
  });

  it('withholds no machine that is there because another try cannot be made', async () => {
    const world = await startWorld();
    const requestId = await seeking(world, 30);
    world.capacity.pools.set('subnet-b', { kind: 'room', most: 2 });
    world.capacity.onPrepare = async (attempt) => {
      if (attempt === 2) throw new PluginError('provider.denied', 'CreateLaunchTemplate denied');
    };
    await sync(world, requestId);
    world.hosts.boot();
    await sync(world, requestId);
    expect(await machinesOf(world, requestId)).toMatchObject([{ result: 'succeed' }, { result: 'succeed' }]);
    expect(await statusOf(world, requestId)).toBe('complete');
  });
});

describe('a stream', () => {
  /** How often each request was read while something was done. */
  const readsOf = async (world: World, act: () => Promise<unknown>): Promise<readonly string[]> => {
    const reads: string[] = [];
    const { load, loadAll } = world.streams;
    const noting: typeof load = (id) => {
      reads.push(id);
      return load(id);
    };
    Object.assign(world.streams, { load: noting, loadAll: loadingAll(noting) });
    await act();
    Object.assign(world.streams, { load, loadAll });
    return reads;
  };

  it('is read once for a look, whatever follows from it', async () => {
    const world = await startWorld();
    const [first, other] = [await create(world, 2), await create(world, 1)];
    expect(await readsOf(world, () => sync(world, first, other))).toEqual([first, other]);
    world.hosts.boot();
    expect(await readsOf(world, () => sync(world, first, other))).toEqual([first, other]);
    const lost = await lostLaunch(world, 2, 1);
    world.pass(120 * second);
    expect(await readsOf(world, () => sync(world, lost))).toEqual([lost]);
  });

  it('is not read to ask for machines, however many pools are tried: its id is new', async () => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'refusal', code: 'none', fault: 'provider.capacity' });
    expect(await readsOf(world, () => create(world, 2))).toEqual([]);
    expect(world.capacity.launches).toHaveLength(2);
  });

  it('is read once to cancel its request', async () => {
    const world = await startWorld();
    const requestId = await create(world, 2);
    expect(await readsOf(world, () => world.service.cancelRequest({ requestId, reason: 'x' }))).toEqual([requestId]);
  });

  it('is read again after the look only where AWS is told what a fleet is to hold: it may have been returned meanwhile', async () => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'fleet' });
    const requestId = await create(world, 2);
    const { keeper } = world.capacity;
    const { look } = keeper;
    Object.assign(keeper, { look: async () => ({ state: 'active', machineIds: [] }) });
    expect(await readsOf(world, () => sync(world, requestId))).toEqual([requestId]);
    Object.assign(keeper, { look });
    expect(await readsOf(world, () => sync(world, requestId))).toEqual([requestId, requestId]);
  });
});
