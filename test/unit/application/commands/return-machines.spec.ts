import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { MessageOf } from '../../../../src/application/bus/operation.ts';
import type { returnMachines } from '../../../../src/application/commands/return-machines.ts';
import { listedIds } from '../../../../src/application/life-cycle/streams.ts';
import { PluginError } from '../../../../src/domain/errors.ts';
import { returnIdOf } from '../../../../src/domain/ids.ts';
import { damage } from '../../damaged-document.ts';
import { nameOf } from '../../fake-hosts.ts';
import { startWorld, uuid, type World } from '../../provider-world.ts';

type Host = { readonly name?: string; readonly machineId?: string };

const giveBack = (
  world: World,
  hosts: readonly Host[],
  fields: Partial<Omit<MessageOf<typeof returnMachines>, 'type'>> = {},
) =>
  world.service.returnMachines({
    machines: hosts.map(({ name = '', machineId = '' }) => ({ name, machineId })),
    ...fields,
  });
const status = (world: World, requestId: string) =>
  world.service.getRequestStatus({ requestId, includeMachines: true });
const terminateCalls = (world: World) =>
  world.hosts.calls.filter(([method]) => method === 'terminate').map(([, ids]) => ids);

/** A request with its hosts up. */
const running = async (world: World, count: number): Promise<string> => {
  const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: count });
  world.hosts.boot();
  await world.service.syncRequests({ requestIds: [requestId] });
  return requestId;
};

describe('a return', () => {
  it('terminates exactly the named hosts and answers with an id to ask about', async () => {
    const world = await startWorld();
    const [first, other] = [world.hosts.add(), world.hosts.add()];
    const { requestId, message } = await giveBack(world, [{ machineId: first }]);
    expect([requestId, message]).toEqual([returnIdOf(uuid(1)), '1 of 1 machines are being terminated.']);
    expect([world.hosts.stateOf(first), world.hosts.stateOf(other)]).toEqual(['shutting-down', 'running']);
    expect(await status(world, requestId)).toMatchObject({ status: 'running', machines: [{ result: 'executing' }] });
  });

  it('is marked on the request that launched the host, and takes it out of the ledger', async () => {
    const world = await startWorld();
    const owner = await running(world, 2);
    await giveBack(world, [{ machineId: world.hosts.ids()[0] ?? '' }]);
    expect(await world.eventsOf(owner)).toContain('MachinesReturned');
    expect(await world.live.list()).toMatchObject([{ requestId: owner, units: 1 }]);
  });

  it('of machines of several requests reads and marks these side by side: a store may be far away', async () => {
    const world = await startWorld();
    const owners = [await running(world, 1), await running(world, 1), await running(world, 1)];
    const most = { load: 0, append: 0 };
    for (const method of ['load', 'append'] as const) {
      let underWay = 0;
      const real = world.streams[method];
      vi.spyOn(world.streams, method).mockImplementation(async (...given: readonly unknown[]) => {
        underWay += 1;
        most[method] = Math.max(most[method], underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return Reflect.apply(real, world.streams, given);
      });
    }
    await giveBack(
      world,
      world.hosts.ids().map((machineId) => ({ machineId })),
    );
    expect(most).toEqual({ load: 3, append: 3 });
    for (const owner of owners) expect(await world.eventsOf(owner)).toContain('MachinesReturned');
  });

  it('is on record before EC2 is asked', async () => {
    const world = await startWorld();
    const host = world.hosts.add();
    world.hosts.failWith(new PluginError('provider.transient', 'socket hang up'), 'terminate');
    const { requestId, message } = await giveBack(world, [{ machineId: host }]);
    expect(message).toMatch(/^0 of 1 machines are being terminated\. .*asked again later\. socket hang up$/);
    expect((await status(world, requestId)).status).toBe('running');
  });

  it('asked for twice under one command id is one return', async () => {
    const world = await startWorld();
    const host = world.hosts.add();
    const answers = [
      await giveBack(world, [{ machineId: host }], { commandId: uuid(7) }),
      await giveBack(world, [{ machineId: host }], { commandId: uuid(7) }),
    ];
    expect(answers.map(({ requestId }) => requestId)).toEqual([returnIdOf(uuid(7)), returnIdOf(uuid(7))]);
    expect(terminateCalls(world)).toHaveLength(1);
  });

  it('under a command id that is no UUID is refused', async () => {
    const world = await startWorld();
    const host = world.hosts.add();
    await expect(giveBack(world, [{ machineId: host }], { commandId: 'seven' })).rejects.toMatchObject({
      code: 'input.invalid',
    });
    expect(world.hosts.stateOf(host)).toBe('running');
  });
});

describe('the cases of the contract', () => {
  it('all hosts gone already: complete, with success for each', async () => {
    const world = await startWorld();
    const host = world.hosts.add();
    world.hosts.end(host);
    const { requestId, message } = await giveBack(world, [{ machineId: host, name: 'host-1' }]);
    expect(message).toBe('0 of 1 machines are being terminated. 1 gone already.');
    expect(await status(world, requestId)).toMatchObject({
      status: 'complete',
      machines: [{ machineId: host, name: 'host-1', result: 'succeed', status: 'terminated' }],
    });
    expect(terminateCalls(world)).toEqual([]);
  });

  it('a host going already is not asked for again and completes when it is gone', async () => {
    const world = await startWorld();
    const host = world.hosts.add({ state: 'shutting-down' });
    const { requestId } = await giveBack(world, [{ machineId: host }]);
    expect([terminateCalls(world), (await status(world, requestId)).status]).toEqual([[], 'running']);
  });

  it.each(['stopped', 'stopping', 'pending'] as const)('a host that is %s is terminated', async (state) => {
    const world = await startWorld();
    const host = world.hosts.add({ state });
    await giveBack(world, [{ machineId: host }]);
    expect(world.hosts.stateOf(host)).toBe('shutting-down');
  });

  it('an empty list: a valid id that is complete', async () => {
    const world = await startWorld();
    const { requestId } = await giveBack(world, []);
    expect(await status(world, requestId)).toMatchObject({ status: 'complete', machines: [] });
    expect(world.hosts.calls).toEqual([]);
  });

  it('a host without our ownership tag is not terminated, and told', async () => {
    const world = await startWorld();
    const [foreign, ours] = [world.hosts.add({ ours: false }), world.hosts.add()];
    const { requestId, message } = await giveBack(world, [{ machineId: foreign }, { machineId: ours }]);
    expect(message).toBe(
      "1 of 2 machines are being terminated. 1 not terminated: without this provider's ownership tag, or ambiguous.",
    );
    expect([world.hosts.stateOf(foreign), world.hosts.stateOf(ours)]).toEqual(['running', 'shutting-down']);
    world.hosts.end(ours);
    await world.service.syncRequests({ requestIds: [requestId] });
    expect(await status(world, requestId)).toMatchObject({
      status: 'complete_with_error',
      machines: [{ result: 'fail', message: expect.stringContaining('ownership tag') }, { result: 'succeed' }],
    });
  });

  describe('a host of ours whose ownership tag EC2 does not show', () => {
    const untagged = async () => {
      const world = await startWorld();
      const owner = await running(world, 1);
      const [host = ''] = world.hosts.ids();
      world.pass(60 * 60_000);
      world.hosts.change(host, { ours: false });
      const { requestId } = await giveBack(world, [{ machineId: host }]);
      expect(await status(world, requestId)).toMatchObject({ status: 'running', machines: [{ result: 'executing' }] });
      return { world, owner, host, requestId };
    };

    it('is terminated once it does', async () => {
      const { world, host, requestId } = await untagged();
      world.hosts.change(host, { ours: true });
      world.pass(10_000);
      await world.service.syncRequests({ requestIds: [requestId] });
      expect(world.hosts.stateOf(host)).toBe('shutting-down');
    });

    it('is left after a while, and terminated by a sweep when the tag shows later', async () => {
      const { world, owner, host, requestId } = await untagged();
      world.pass(world.policy.consistencyWindow);
      await world.service.syncRequests({ requestIds: [requestId] });
      expect(await status(world, requestId)).toMatchObject({
        status: 'complete_with_error',
        machines: [{ result: 'fail', message: expect.stringContaining('ownership tag') }],
      });
      await world.service.reconcile({ apply: true });
      expect(world.hosts.stateOf(host)).toBe('running');
      world.hosts.change(host, { ours: true, requestId: owner });
      await world.service.reconcile({ apply: true });
      world.pass(world.policy.orphanAge);
      await world.service.reconcile({ apply: true });
      expect(world.hosts.stateOf(host)).toBe('shutting-down');
    });
  });

  it('a host of ours that no record knows is terminated and tracked', async () => {
    const world = await startWorld();
    const host = world.hosts.add({ requestId: 'req-lost' });
    const { requestId } = await giveBack(world, [{ machineId: host }]);
    expect(world.hosts.stateOf(host)).toBe('shutting-down');
    expect((await status(world, requestId)).machines).toMatchObject([{ machineId: host }]);
  });

  it('only a name: the host is found by it', async () => {
    const world = await startWorld();
    const host = world.hosts.add();
    const { requestId } = await giveBack(world, [{ name: nameOf(host) }]);
    expect(world.hosts.stateOf(host)).toBe('shutting-down');
    expect((await status(world, requestId)).machines).toMatchObject([{ machineId: host, name: nameOf(host) }]);
  });

  it('only a name nobody knows is not told as a machine that has ended', async () => {
    const world = await startWorld();
    const { requestId, message } = await giveBack(world, [{ name: 'nobody' }]);
    expect(message).toBe('0 of 1 machines are being terminated. 1 known neither to EC2 nor to our records.');
    expect((await status(world, requestId)).message).toBe(
      '0 of 1 machines are gone. 1 known neither to EC2 nor to our records.',
    );
  });

  it('only a name nobody knows: the host is gone', async () => {
    const world = await startWorld();
    const { requestId } = await giveBack(world, [{ name: 'nobody.ec2.internal' }]);
    expect(await status(world, requestId)).toMatchObject({
      status: 'complete',
      machines: [{ name: 'nobody.ec2.internal', result: 'succeed', message: 'no instance has this name' }],
    });
  });

  it('only the name of a host that has ended: our own record knows its id', async () => {
    const world = await startWorld();
    await running(world, 1);
    const [host = ''] = world.hosts.ids();
    world.hosts.end(host);
    const { requestId } = await giveBack(world, [{ name: nameOf(host) }]);
    expect(await status(world, requestId)).toMatchObject({
      status: 'complete',
      machines: [{ machineId: host, name: nameOf(host), result: 'succeed' }],
    });
  });

  it('a name and another host’s id: the id counts', async () => {
    const world = await startWorld();
    const [named, meant] = [world.hosts.add(), world.hosts.add()];
    await giveBack(world, [{ name: nameOf(named), machineId: meant }]);
    expect([world.hosts.stateOf(named), world.hosts.stateOf(meant)]).toEqual(['running', 'shutting-down']);
  });

  it('an id EC2 could not have given out, with a name: the name counts', async () => {
    const world = await startWorld();
    const host = world.hosts.add();
    await giveBack(world, [{ name: nameOf(host), machineId: 'vm-17' }]);
    expect(world.hosts.stateOf(host)).toBe('shutting-down');
  });

  it.each([
    ['an id in capitals', (id: string) => id.toUpperCase()],
    ['an id EC2 could not have given out', () => 'i-17'],
  ])('%s beside another host’s name: the name does not count', async (_what, write) => {
    const world = await startWorld();
    const [named, meant] = [world.hosts.add(), world.hosts.add({ machineId: 'i-0123456789abcdef0' })];
    const { requestId } = await giveBack(world, [{ name: nameOf(named), machineId: write(meant) }]);
    expect(world.hosts.stateOf(named)).toBe('running');
    const isMeant = write(meant).toLowerCase() === meant;
    expect(world.hosts.stateOf(meant)).toBe(isMeant ? 'shutting-down' : 'running');
    expect((await status(world, requestId)).machines).toMatchObject([{ machineId: isMeant ? meant : 'i-17' }]);
  });

  it('an id EC2 could not have given out, without a name: gone, and said why', async () => {
    const world = await startWorld();
    const { requestId } = await giveBack(world, [{ machineId: 'vm-17' }]);
    expect(await status(world, requestId)).toMatchObject({
      status: 'complete',
      machines: [{ machineId: 'vm-17', message: '"vm-17" is not an EC2 instance id' }],
    });
  });

  it('an id EC2 does not show among others: these are terminated, that one is looked for again', async () => {
    const world = await startWorld();
    const host = world.hosts.add();
    const { requestId, message } = await giveBack(world, [{ machineId: 'i-0000000000000dead' }, { machineId: host }]);
    expect(message).toBe(
      '1 of 2 machines are being terminated. 1 not shown by EC2 yet, or not with their tags; looked up again.',
    );
    expect(world.hosts.stateOf(host)).toBe('shutting-down');
    expect((await status(world, requestId)).status).toBe('running');
  });

  it('a host EC2 refuses to terminate among others: these go, that one is told by name and asked for again', async () => {
    const world = await startWorld();
    const [bad, good] = [world.hosts.add({ refusal: 'OperationNotPermitted: protected' }), world.hosts.add()];
    const { requestId, message } = await giveBack(world, [{ machineId: bad }, { machineId: good }]);
    expect(message).toBe('1 of 2 machines are being terminated. 1 not accepted by EC2 yet; asked again later.');
    expect(await status(world, requestId)).toMatchObject({
      status: 'running',
      machines: [{ machineId: bad, message: 'OperationNotPermitted: protected' }, { machineId: good }],
    });
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({ code: 'return.refused', fields: expect.objectContaining({ machineId: bad }) }),
    );
  });

  it('a host that EC2 refused at an earlier look is asked for apart, after the others', async () => {
    const world = await startWorld();
    const [bad, late] = [world.hosts.add({ refusal: 'OperationNotPermitted: protected' }), world.hosts.add()];
    world.hosts.change(late, { hidden: true });
    const { requestId } = await giveBack(world, [{ machineId: bad }, { machineId: late }]);
    world.hosts.change(late, { hidden: false });
    await world.service.syncRequests({ requestIds: [requestId] });
    expect(terminateCalls(world)).toEqual([[bad], [late], [bad]]);
  });

  it('the same host twice in one call: once', async () => {
    const world = await startWorld();
    const host = world.hosts.add();
    const { message } = await giveBack(world, [{ machineId: host }, { machineId: host, name: 'again' }]);
    expect(message).toBe('1 of 1 machines are being terminated.');
    expect(terminateCalls(world)).toEqual([[host]]);
  });

  it('the same host returned twice: both ids resolve', async () => {
    const world = await startWorld();
    await running(world, 1);
    const [host = ''] = world.hosts.ids();
    const ids = [
      (await giveBack(world, [{ machineId: host }])).requestId,
      (await giveBack(world, [{ machineId: host }])).requestId,
    ];
    world.hosts.end(host);
    await world.service.syncRequests({ requestIds: ids });
    expect([await status(world, ids[0] ?? ''), await status(world, ids[1] ?? '')]).toMatchObject([
      { status: 'complete' },
      { status: 'complete' },
    ]);
  });
});

describe('a name that a new host has taken over from an old one', () => {
  /** The first host has ended, `isNoted` or not; the second came up under its name. */
  const renamed = async (isNoted: boolean) => {
    const world = await startWorld();
    const first = await running(world, 1);
    const [old = ''] = world.hosts.ids();
    world.hosts.end(old);
    if (isNoted) await world.service.syncRequests({ requestIds: [first], includeSettled: true });
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    const [, young = ''] = world.hosts.ids();
    world.hosts.change(young, { state: 'running', name: nameOf(old), privateIpAddress: '10.0.0.1' });
    await world.service.syncRequests({ requestIds: [requestId] });
    return { world, first, old, young, name: nameOf(old) };
  };

  it.each([true, false])('never ends the new one while the old one has not been given back', async (isNoted) => {
    const { world, old, young, name } = await renamed(isNoted);
    const { requestId } = await giveBack(world, [{ name }]);
    expect(world.hosts.stateOf(young)).toBe('running');
    expect(await status(world, requestId)).toMatchObject({
      status: 'complete_with_error',
      machines: [{ result: 'fail', message: expect.stringContaining(`(${young}, ${old})`) }],
    });
    await giveBack(world, [{ name, machineId: young }]);
    expect(world.hosts.stateOf(young)).toBe('shutting-down');
  });

  it('is the new one’s when Host Factory has had an hour to give back the old one, whose end is on record', async () => {
    const { world, young, name } = await renamed(true);
    world.pass(60 * 60_000);
    await giveBack(world, [{ name }]);
    expect(world.hosts.stateOf(young)).toBe('shutting-down');
  });

  it('is the new one’s an hour after the old one was seen shutting down, which nobody has looked at since', async () => {
    const { world, first, old, young, name } = await renamed(false);
    world.hosts.change(old, { state: 'shutting-down', name });
    await world.service.syncRequests({ requestIds: [first], includeSettled: true });
    world.hosts.end(old);
    await giveBack(world, [{ name }]);
    expect(world.hosts.stateOf(young)).toBe('running');
    world.pass(60 * 60_000);
    await giveBack(world, [{ name }]);
    expect(world.hosts.stateOf(young)).toBe('shutting-down');
  });

  it('stays that of both as long as the end of the old one is not on record', async () => {
    const { world, young, name } = await renamed(false);
    world.pass(24 * 60 * 60_000);
    await giveBack(world, [{ name }]);
    expect(world.hosts.stateOf(young)).toBe('running');
  });

  it('is that of the last one when all have ended and been given back', async () => {
    const { world, old, young, name } = await renamed(true);
    await giveBack(world, [{ machineId: old }, { machineId: young }]);
    world.hosts.end(young);
    const { requestId } = await giveBack(world, [{ name }]);
    expect(await status(world, requestId)).toMatchObject({ status: 'complete', machines: [{ result: 'succeed' }] });
  });

  it('is the new one’s once the old one has been given back', async () => {
    const { world, old, young, name } = await renamed(true);
    await giveBack(world, [{ machineId: old }]);
    await giveBack(world, [{ name }]);
    expect(world.hosts.stateOf(young)).toBe('shutting-down');
  });
});

describe('the records read for a return', () => {
  /** Requests of the past, whose hosts have ended, and a host that runs. */
  const longAgo = async () => {
    const world = await startWorld();
    const past = [await running(world, 1), await running(world, 1)];
    for (const id of world.hosts.ids()) world.hosts.end(id);
    await world.service.syncRequests({ requestIds: past, includeSettled: true });
    world.pass(24 * 60 * 60_000);
    for (const id of past) {
      const time = (world.now() - 3 * 60 * 60_000) / 1000;
      await utimes(join(world.workDir, 'requests', id), time, time);
    }
    const owner = await running(world, 1);
    const machineId = world.hosts.ids().at(-1) ?? '';
    const load = vi.spyOn(world.streams, 'load');
    const readOfPast = () => load.mock.calls.filter(([id]) => past.includes(id)).length;
    return { world, owner, machineId, load, readOfPast };
  };

  it('are none of other requests when hosts are named by id', async () => {
    const { world, owner, machineId, load } = await longAgo();
    await giveBack(world, [{ machineId, name: nameOf(machineId) }]);
    expect(world.hosts.stateOf(machineId)).toBe('shutting-down');
    expect(load.mock.calls).toEqual([[owner]]);
  });

  it('are none of the past when EC2 shows the name', async () => {
    const { world, machineId, readOfPast } = await longAgo();
    await giveBack(world, [{ name: nameOf(machineId) }]);
    expect([world.hosts.stateOf(machineId), readOfPast()]).toEqual(['shutting-down', 0]);
  });

  it('are those of the past where only they know the name', async () => {
    const { world, readOfPast } = await longAgo();
    const [old = ''] = world.hosts.ids();
    const { requestId } = await giveBack(world, [{ name: nameOf(old) }]);
    expect(readOfPast()).toBeGreaterThan(0);
    expect((await status(world, requestId)).machines).toMatchObject([{ machineId: old, result: 'succeed' }]);
  });
});

describe('a return that a person asks for', () => {
  const byHand = (world: World, ...hosts: readonly Host[]) => giveBack(world, hosts, { onlyKnown: true });

  it.each<Host>([
    { machineId: 'i-0000000000000dead' },
    { machineId: 'i-0000' },
    { name: '10.0.0.1' },
    { name: 'host-9' },
  ])('for %j, which nobody knows, is an error, and nothing is returned or recorded', async (unknown) => {
    const world = await startWorld();
    await running(world, 1);
    const [machineId = ''] = world.hosts.ids();
    await expect(byHand(world, { machineId }, unknown)).rejects.toMatchObject({
      code: 'machine.not-found',
      message: `no machine has the id or name ${unknown.machineId ?? unknown.name}; nothing was returned`,
    });
    expect(world.hosts.stateOf(machineId)).toBe('running');
    expect((await listedIds(world.streams)).filter((id) => id.startsWith('ret-'))).toEqual([]);
  });

  it('for the name of several is an error that tells their ids', async () => {
    const world = await startWorld();
    const ids = [world.hosts.add({ name: 'twin' }), world.hosts.add({ name: 'twin' })];
    await expect(byHand(world, { name: 'twin' })).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringContaining(ids.join(', ')),
    });
  });

  it('for a host that has ended and left the ledger is the same as for Host Factory', async () => {
    const world = await startWorld();
    const owner = await running(world, 1);
    const [machineId = ''] = world.hosts.ids();
    world.hosts.end(machineId);
    await world.service.syncRequests({ requestIds: [owner], includeSettled: true });
    world.hosts.change(machineId, { hidden: true });
    expect((await byHand(world, { machineId })).message).toBe('0 of 1 machines are being terminated. 1 gone already.');
  });
});

describe('when EC2 cannot be read', () => {
  const throttled = new PluginError('provider.throttled', 'DescribeInstances failed');

  it('a host known by id is recorded, left alone, and terminated at the next look', async () => {
    const world = await startWorld();
    const host = world.hosts.add();
    world.hosts.failWith(throttled);
    const { requestId } = await giveBack(world, [{ machineId: host }]);
    expect([(await status(world, requestId)).status, world.hosts.stateOf(host)]).toEqual(['running', 'running']);
    world.hosts.failWith(undefined);
    await world.service.syncRequests({ requestIds: [requestId] });
    expect(world.hosts.stateOf(host)).toBe('shutting-down');
  });

  it('a bare name cannot be recorded: the call fails and is asked again', async () => {
    const world = await startWorld();
    world.hosts.failWith(throttled);
    await expect(giveBack(world, [{ name: 'host-1' }])).rejects.toBe(throttled);
  });
});

describe('money before bookkeeping', () => {
  const refusing = async (): Promise<World> => {
    const world = await startWorld();
    await mkdir(world.workDir, { recursive: true });
    await writeFile(join(world.workDir, 'requests'), '');
    return world;
  };

  it('a host goes although the disk refuses the record: the answer has an id, and tells the fault', async () => {
    const world = await refusing();
    const host = world.hosts.add();
    expect(await giveBack(world, [{ machineId: host }])).toMatchObject({
      requestId: expect.stringMatching(/^ret-/),
      message: expect.stringMatching(/^1 of 1 machines are being terminated\. The return is not on record: cannot /),
    });
    expect(world.hosts.stateOf(host)).toBe('shutting-down');
  });

  it('what could not go has to be asked for again then', async () => {
    const world = await refusing();
    const [good, bad] = [world.hosts.add(), world.hosts.add({ refusal: 'OperationNotPermitted: protected' })];
    await expect(giveBack(world, [{ machineId: good }, { machineId: bad }])).rejects.toMatchObject({
      code: expect.stringMatching(/^storage\./),
    });
    expect(world.hosts.stateOf(good)).toBe('shutting-down');
  });

  it('a host goes although the record of the request that launched it is damaged', async () => {
    const world = await startWorld();
    const owner = await running(world, 1);
    const [host = ''] = world.hosts.ids();
    const path = await damage(world.workDir, owner);
    const { requestId } = await giveBack(world, [{ machineId: host }]);
    expect([world.hosts.stateOf(host), (await status(world, requestId)).status]).toEqual(['shutting-down', 'running']);
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', text: expect.stringContaining(path) }),
    );
  });
});
