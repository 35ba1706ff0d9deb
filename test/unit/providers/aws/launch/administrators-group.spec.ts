import { DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { DeleteTagsCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../../src/emulator/settings.ts';
import { tagKeys } from '../../../../../src/providers/aws/instances/tags.ts';
import { type EmulatorWorld, makeOwnGroup, ownGroup, startEmulatorWorld } from '../../../emulator-world.ts';

const minute = 60_000;
const byCapacity = { deniedActions: ['LaunchInstances'] };

const start = async (settings: Partial<Settings> = {}) => {
  const world = await startEmulatorWorld({ pendingMs: 1000, ...settings });
  await makeOwnGroup(world);
  const desired = async () => {
    const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [ownGroup.autoScalingGroupName] });
    return (await world.region.autoScaling.send(command)).AutoScalingGroups?.[0]?.DesiredCapacity;
  };
  return { world, desired };
};

const fail = ({ region }: EmulatorWorld, action: string, code: string): void => {
  region.emulator.addFault({ action, effect: { kind: 'error', code } });
};

const lose = ({ region }: EmulatorWorld, action: string): void => {
  region.emulator.addFault({ action, effect: { kind: 'drop-after' } });
};

const machinesOf = async ({ service }: EmulatorWorld, requestId: string) =>
  (await service.getRequestStatus({ requestId, includeMachines: true })).machines?.map(({ machineId }) => machineId);

describe('a launch into a group of the administrator’s whose answer was lost', () => {
  it('is asked about again where LaunchInstances is denied meanwhile, and nothing is launched for it beside', async () => {
    const { world, desired } = await start();
    lose(world, 'LaunchInstances');
    const requestId = await world.ask(ownGroup);
    fail(world, 'LaunchInstances', 'AccessDenied');
    await world.look([requestId]);
    expect(await desired()).toBe(2);
    await world.look([requestId], 2);
    expect(await machinesOf(world, requestId)).toEqual(world.instances());
    expect(await desired()).toBe(2);
  });

  it('keeps others from claiming what it may have launched', async () => {
    const { world, desired } = await start(byCapacity);
    const first = await world.ask(ownGroup);
    world.region.emulator.configure({ deniedActions: [] });
    lose(world, 'LaunchInstances');
    const second = await world.ask(ownGroup);
    await world.look([first], 2);
    expect(await machinesOf(world, first)).toEqual([]);
    await world.look([second]);
    await world.look([first], 3);
    const given = [...((await machinesOf(world, first)) ?? []), ...((await machinesOf(world, second)) ?? [])];
    expect(given.toSorted()).toEqual(world.instances().toSorted());
    expect(await desired()).toBe(4);
  });
});

describe('a group of the administrator’s of which requests want new members', () => {
  it('gives each its own where both are looked at in one go', async () => {
    const { world } = await start(byCapacity);
    const requestIds = [await world.ask(ownGroup), await world.ask(ownGroup)] as const;
    await world.look(requestIds, 3);
    const [first = [], second = []] = [await machinesOf(world, requestIds[0]), await machinesOf(world, requestIds[1])];
    expect([first.length, second.length]).toEqual([2, 2]);
    expect([...first, ...second].toSorted()).toEqual(world.instances().toSorted());
  });

  it('gives what another launches by LaunchInstances and cannot tag yet to that one', async () => {
    const { world } = await start(byCapacity);
    const first = await world.ask(ownGroup);
    world.region.emulator.configure({ deniedActions: [] });
    fail(world, 'CreateTags', 'RequestLimitExceeded');
    const second = await world.ask(ownGroup);
    const launched = await machinesOf(world, second);
    await world.look([first], 3);
    expect(launched).toHaveLength(2);
    expect(await machinesOf(world, first)).toHaveLength(2);
    expect(await machinesOf(world, first)).not.toEqual(expect.arrayContaining(launched ?? []));
  });

  it('is left as it was where its desired capacity may not be raised', async () => {
    const { world, desired } = await start({ deniedActions: ['LaunchInstances', 'UpdateAutoScalingGroup'] });
    await expect(world.ask(ownGroup)).rejects.toMatchObject({ code: 'provider.denied' });
    world.region.emulator.configure(byCapacity);
    await world.look([await world.ask(ownGroup, 1)], 3);
    expect(await desired()).toBe(1);
  });

  it('wants no more of it once the request’s time is over, also where that is denied at first', async () => {
    const { world, desired } = await start({ ...byCapacity, capacity: { '*:*': 1 } });
    const requestId = await world.ask(ownGroup);
    await world.look([requestId], 3);
    world.pass(40 * minute);
    fail(world, 'UpdateAutoScalingGroup', 'AccessDenied');
    await world.look([requestId]);
    expect(await desired()).toBe(2);
    await world.look([requestId]);
    expect(await desired()).toBe(1);
    expect(await world.service.getRequestStatus({ requestId })).toHaveProperty('settledAt');
  });
});

it('a host that could not be tagged before it was given back is tagged then, and ends', async () => {
  const { world, desired } = await start();
  const effect = { kind: 'error', code: 'RequestLimitExceeded' } as const;
  world.region.emulator.addFault({ action: 'CreateTags', times: 'always', effect });
  await world.look([await world.ask(ownGroup)], 2);
  const hosts = world.instances();
  const machines = hosts.map((machineId) => ({ machineId, name: '' }));
  const { requestId: returnId } = await world.service.returnMachines({ machines });
  await world.look([returnId]);
  expect([hosts.length, world.instances()]).toEqual([2, hosts]);
  world.region.emulator.clearFaults();
  await world.look([returnId], 4);
  expect([world.instances(), await desired()]).toEqual([[], 0]);
  expect(await world.service.getRequestStatus({ requestId: returnId })).toHaveProperty('settledAt');
});

it('a host whose tags somebody has taken away is left alone when it is given back', async () => {
  const { world } = await start();
  await world.look([await world.ask(ownGroup)], 3);
  const [kept = ''] = world.instances();
  const tags = Object.values(tagKeys).map((Key) => ({ Key }));
  await world.region.client.send(new DeleteTagsCommand({ Resources: [kept], Tags: tags }));
  const { requestId } = await world.service.returnMachines({ machines: [{ machineId: kept, name: '' }] });
  await world.look([requestId], 3);
  world.pass(2 * minute);
  await world.look([requestId], 2);
  expect(world.instances()).toContain(kept);
  expect(await world.service.getRequestStatus({ requestId })).toHaveProperty('settledAt');
});

it('what a cancelled request gets before its group hears of that is its own, and ends', async () => {
  const { world, desired } = await start({ ...byCapacity, fulfilMs: 30 * minute });
  const requestId = await world.ask(ownGroup);
  fail(world, 'UpdateAutoScalingGroup', 'AccessDenied');
  await world.service.cancelRequest({ requestId, reason: 'enough' });
  expect(await desired()).toBe(2);
  world.pass(30 * minute);
  expect(world.instances()).toHaveLength(2);
  await world.look([requestId], 2);
  expect([world.instances(), await desired()]).toEqual([[], 0]);
});

describe.each([
  ['LaunchInstances', {}],
  ['the desired capacity', byCapacity],
])('a machine got by %s that dies before its request is over', (_how, settings) => {
  it('is counted no more, and no machine is wanted that nobody asked for', async () => {
    const { world, desired } = await start({ ...settings, pendingMs: 10 * minute });
    const requestId = await world.ask(ownGroup);
    await world.look([requestId], 2);
    const [dead = ''] = world.instances();
    world.region.emulator.setInstance(dead, { state: 'terminated' });
    fail(world, 'TerminateInstanceInAutoScalingGroup', 'AccessDenied');
    await world.look([requestId]);
    await world.look([requestId], 3);
    expect(await desired()).toBe(world.instances().length);
    expect(world.instances()).not.toContain(dead);
  });
});

it('a machine that its group counts still when its request is over is seen to by the sweep', async () => {
  const { world, desired } = await start();
  const requestId = await world.ask(ownGroup);
  const [dead = ''] = world.instances();
  world.region.emulator.setInstance(dead, { state: 'terminated' });
  fail(world, 'TerminateInstanceInAutoScalingGroup', 'AccessDenied');
  await world.look([requestId]);
  expect(await world.service.getRequestStatus({ requestId })).toHaveProperty('settledAt');
  expect(await desired()).toBe(2);
  await world.service.reconcile({ apply: true });
  expect(await desired()).toBe(1);
  expect(await world.live.list()).toMatchObject([{ requestId, units: 1 }]);
});
