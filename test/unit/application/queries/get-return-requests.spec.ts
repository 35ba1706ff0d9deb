import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PluginError } from '../../../../src/domain/errors.ts';
import type { MachineState } from '../../../../src/domain/machine.ts';
import { damage } from '../../damaged-document.ts';
import { nameOf } from '../../fake-hosts.ts';
import { startWorld, type World } from '../../provider-world.ts';

interface Running {
  readonly world: World;
  readonly requestId: string;
  readonly machineId: string;
}

/** A request that is complete with one host. */
const running = async (): Promise<Running> => {
  const world = await startWorld();
  const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
  world.hosts.boot();
  await world.service.syncRequests({ requestIds: [requestId] });
  return { world, requestId, machineId: world.hosts.ids()[0] ?? '' };
};
/** As Host Factory's script asks, which then notes what was not shown. */
const ask = async (world: World, ...machines: readonly { readonly name?: string; readonly machineId?: string }[]) => {
  const { unseen, shown, ...answer } = await world.service.getReturnRequests({
    machines: machines.map(({ name = '', machineId = '' }) => ({ name, machineId })),
  });
  await world.service.noteLook({ unseen, shown });
  return answer;
};

describe('a host Host Factory holds', () => {
  it.each<[MachineState, boolean]>([
    ['pending', false],
    ['running', false],
    ['stopping', true],
    ['stopped', true],
    ['shutting-down', true],
    ['terminated', true],
  ])('that is %s at EC2 is taken away: %s', async (state, reclaimed) => {
    const { world, machineId } = await running();
    world.hosts.change(machineId, { state });
    const { reclaims } = await ask(world, { machineId });
    expect(reclaims).toEqual(reclaimed ? [{ host: { name: '', machineId }, machineId, gracePeriod: 0 }] : []);
  });

  it.each([
    ['spot', 'spotNotices'],
    ['spot', 'retirements'],
    ['ondemand', 'retirements'],
  ] as const)(
    'that is alone, %s, and whose end is announced by %s has the time that is left',
    async (priceType, kind) => {
      const { world, machineId } = await running();
      world.hosts.change(machineId, { priceType });
      world.hosts.announce(kind, machineId, world.now() + 90_000);
      expect((await ask(world, { machineId })).reclaims).toMatchObject([{ machineId, gracePeriod: 90 }]);
    },
  );

  it.each(['spotNotices', 'retirements'] as const)('keeps what else is announced where %s fails', async (broken) => {
    const { world, machineId } = await running();
    world.hosts.change(machineId, { priceType: 'spot' });
    const other = broken === 'spotNotices' ? 'retirements' : 'spotNotices';
    world.hosts.announce(other, machineId, world.now() + 90_000);
    world.hosts.failWith(new PluginError('provider.denied', `${broken} failed`), broken);
    expect((await ask(world, { machineId })).reclaims).toMatchObject([{ machineId, gracePeriod: 90 }]);
  });

  it('is named as Host Factory named it', async () => {
    const { world, machineId } = await running();
    world.hosts.end(machineId);
    const { reclaims } = await ask(world, { name: 'IP-10.EC2.internal', machineId });
    expect(reclaims).toMatchObject([{ host: { name: 'IP-10.EC2.internal' } }]);
  });

  it('by name only is found, also when EC2 has emptied the name', async () => {
    const { world, machineId } = await running();
    world.hosts.end(machineId);
    expect((await ask(world, { name: nameOf(machineId) })).reclaims).toMatchObject([{ machineId, gracePeriod: 0 }]);
  });

  it('and gave back itself is left out', async () => {
    const { world, machineId } = await running();
    await world.service.returnMachines({ machines: [{ name: '', machineId }] });
    expect((await ask(world, { machineId })).reclaims).toEqual([]);
    world.hosts.end(machineId);
    expect((await ask(world, { machineId })).reclaims).toEqual([]);
  });

  it('and that ended is noted for our records, once', async () => {
    const { world, requestId, machineId } = await running();
    world.hosts.end(machineId, 'Server.SpotInstanceTermination');
    const first = await ask(world, { machineId });
    expect(first.notices).toEqual([
      { requestId, machineId, status: 'terminated', reason: 'Server.SpotInstanceTermination' },
    ]);
    await world.service.updateMachineStatus({ machineId, status: 'terminated', requestId });
    const second = await ask(world, { machineId });
    expect([second.notices, second.reclaims.length]).toEqual([[], 1]);
  });

  describe('that nobody knows, neither we nor EC2,', () => {
    const [nobody, dead] = [{ name: 'nobody' }, { machineId: 'i-0000000000000dead' }];
    const reclaimed = async (world: World) => (await ask(world, nobody, dead)).reclaims;

    it('is gone by a second look after the consistency window', async () => {
      const { world } = await running();
      expect(await reclaimed(world)).toEqual([]);
      world.pass(119_999);
      expect(await reclaimed(world)).toEqual([]);
      world.pass(1);
      const gone = [
        { host: nobody, gracePeriod: 0 },
        { ...dead, gracePeriod: 0 },
      ];
      expect(await reclaimed(world)).toMatchObject(gone);
      world.pass(3_600_000);
      expect(await reclaimed(world)).toMatchObject(gone);
    });

    it('is missed anew once EC2 has shown it', async () => {
      const { world } = await running();
      await reclaimed(world);
      world.pass(60_000);
      world.hosts.add(dead);
      await reclaimed(world);
      world.hosts.change(dead.machineId, { hidden: true });
      world.pass(60_000);
      expect(await reclaimed(world)).toMatchObject([{ host: nobody }]);
    });

    it('is never gone by the clock of this host', async () => {
      const { world } = await running();
      world.hideAwsTime(0);
      await reclaimed(world);
      world.hideAwsTime(3_600_000);
      expect(await reclaimed(world)).toEqual([]);
    });

    it('is missed anew when that was noted by a clock that was ahead', async () => {
      const { world } = await running();
      world.pass(3_600_000);
      await reclaimed(world);
      world.pass(-3_600_000);
      await reclaimed(world);
      world.pass(119_000);
      expect(await reclaimed(world)).toEqual([]);
      world.pass(1000);
      expect(await reclaimed(world)).toHaveLength(2);
    });

    it('is not gone at once because the ledger is missing', async () => {
      const { world, machineId } = await running();
      await rm(join(world.workDir, 'live'), { recursive: true });
      world.hosts.change(machineId, { hidden: true });
      expect((await ask(world, { machineId })).reclaims).toEqual([]);
    });
  });

  it('and EC2 shows as ended is taken away although its record is damaged', async () => {
    const { world, requestId, machineId } = await running();
    await damage(world.workDir, requestId);
    world.hosts.end(machineId);
    expect((await ask(world, { machineId })).reclaims).toMatchObject([{ machineId }]);
  });
});

describe('a host of ours that EC2 does not show', () => {
  it('is not believed gone at the first miss, which is noted', async () => {
    const { world, requestId, machineId } = await running();
    world.hosts.change(machineId, { hidden: true });
    expect(await ask(world, { machineId })).toEqual({
      reclaims: [],
      notices: [{ requestId, machineId, status: 'missed', reason: '' }],
    });
  });

  it('is gone when it has been missed for the consistency window', async () => {
    const { world, requestId, machineId } = await running();
    world.hosts.change(machineId, { hidden: true });
    await world.service.syncRequests({ requestIds: [requestId], includeSettled: true });
    world.pass(119_000);
    expect((await ask(world, { machineId })).reclaims).toEqual([]);
    world.pass(1000);
    expect((await ask(world, { machineId })).reclaims).toMatchObject([{ machineId, gracePeriod: 0 }]);
  });

  it('is not gone by the clock of this host', async () => {
    const { world, requestId, machineId } = await running();
    world.hosts.change(machineId, { hidden: true });
    await world.service.syncRequests({ requestIds: [requestId], includeSettled: true });
    world.hideAwsTime(3_600_000);
    expect((await ask(world, { machineId })).reclaims).toEqual([]);
  });

  it('and that had ended before is gone: EC2 forgets after an hour', async () => {
    const { world, requestId, machineId } = await running();
    await world.service.updateMachineStatus({ machineId, status: 'terminated', requestId });
    world.hosts.change(machineId, { hidden: true });
    await ask(world, { machineId });
    world.pass(120_000);
    expect((await ask(world, { machineId })).reclaims).toMatchObject([{ machineId, gracePeriod: 0 }]);
  });
});

describe('the question as a whole', () => {
  it('is not about hosts that were not asked about', async () => {
    const { world, machineId } = await running();
    world.hosts.end(machineId);
    expect(await ask(world)).toEqual({ reclaims: [], notices: [] });
  });

  it('for no hosts asks EC2 nothing', async () => {
    const { world } = await running();
    const before = world.hosts.calls.length;
    await ask(world);
    expect(world.hosts.calls.length).toBe(before);
  });

  it('for healthy hosts on demand is one look at them and one at what is to retire', async () => {
    const { world, machineId } = await running();
    const before = world.hosts.calls.length;
    await ask(world, { machineId }, { machineId: world.hosts.add() });
    expect(world.hosts.calls.slice(before)).toMatchObject([
      ['describe', [machineId, expect.any(String)]],
      ['retirements', ['all']],
    ]);
  });

  it('fails when EC2 cannot be read: a fault never makes a host gone', async () => {
    const { world, machineId } = await running();
    const error = new PluginError('provider.throttled', 'DescribeInstances failed');
    world.hosts.failWith(error);
    await expect(ask(world, { machineId })).rejects.toBe(error);
  });

  it('writes nothing', async () => {
    const { world, requestId, machineId } = await running();
    const before = await world.streams.load(requestId);
    world.hosts.end(machineId);
    await ask(world, { machineId });
    expect(await world.streams.load(requestId)).toEqual(before);
  });
});
