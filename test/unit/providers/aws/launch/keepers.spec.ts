import { describe, expect, it } from 'vitest';
import { type EmulatorWorld, kinds, makeOwnGroup, ownGroup, startEmulatorWorld } from '../../../emulator-world.ts';

const minute = 60_000;
const maintain = kinds.filter(([kind]) => kind.endsWith('maintain'));
const fleets = kinds.filter(([kind]) => /Fleet (request|maintain)$/.test(kind));

const statusOf = (world: EmulatorWorld, requestId: string) => world.service.getRequestStatus({ requestId });
const hostOf = (machineId: string) => ({ machineId, name: '' });

describe.each(maintain)('a %s fleet that still looks for capacity', (kind, template) => {
  const modify = kind.startsWith('EC2Fleet') ? 'ModifyFleet' : 'ModifySpotFleetRequest';

  it('has its target lowered before a machine of it is terminated', async () => {
    const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 2 } });
    const requestId = await world.ask(template, 3);
    await world.look([requestId], 2);
    const [first = ''] = world.instances();
    const { emulator } = world.region;
    emulator.forgetCalls();
    await world.service.returnMachines({ machines: [hostOf(first)] });
    const actions = emulator.calls().map(({ action }) => action);
    expect(actions.filter((action) => action !== 'DescribeInstances')).toEqual([modify, 'TerminateInstances']);
    emulator.configure({ capacity: {} });
    await world.look([requestId], 4);
    expect(world.instances()).toHaveLength(2);
  });
});

describe.each(fleets)('a %s fleet that AWS does not know', (kind, template) => {
  const [look, code] = kind.startsWith('EC2Fleet')
    ? ['DescribeFleets', 'InvalidFleetId.NotFound']
    : ['DescribeSpotFleetRequests', 'InvalidSpotFleetRequestId.NotFound'];

  it('is waited for as long as it may just not be visible, and ended afterwards', async () => {
    const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 0 } });
    const requestId = await world.ask(template);
    world.region.emulator.addFault({ action: look, times: 3, effect: { kind: 'error', code } });
    await world.look([requestId], 2);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'running' });
    expect(world.region.emulator.countCalls()).not.toHaveProperty('DeleteLaunchTemplate');
    world.pass(2 * minute);
    await world.look([requestId]);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete_with_error' });
  });
});

describe('a group of the administrator’s in trouble', () => {
  it('keeps its machines: EC2 alone would have them replaced; they go once the group answers', async () => {
    const world = await startEmulatorWorld();
    const { emulator } = world.region;
    await makeOwnGroup(world);
    const requestId = await world.ask(ownGroup);
    await world.look([requestId], 3);
    const machines = world.instances();
    expect(machines).toHaveLength(2);
    emulator.configure({ deniedActions: ['DescribeAutoScalingGroups'] });
    const returnId = (await world.service.returnMachines({ machines: machines.map(hostOf) })).requestId;
    await world.look([returnId]);
    expect(world.instances()).toEqual(machines);
    expect(emulator.countCalls()).not.toHaveProperty('TerminateInstances');
    emulator.configure({ deniedActions: [] });
    await world.look([returnId], 3);
    expect(world.instances()).toEqual([]);
    expect(await statusOf(world, returnId)).toMatchObject({ status: 'complete' });
  });
});
