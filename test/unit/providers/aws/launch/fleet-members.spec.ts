import { CreateTagsCommand, DeleteTagsCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { type EmulatorWorld, kinds, startEmulatorWorld } from '../../../emulator-world.ts';

const minute = 60_000;
const lasting = kinds.filter(([kind]) => !(kind === 'RunInstances' || kind === 'EC2Fleet instant'));

/** EC2 does not show our tags on these: not yet, or a rule of the account has taken them off. */
const untag = async ({ region }: EmulatorWorld, ids: readonly string[]): Promise<void> => {
  const Tags = ['owner', 'request-id', 'template-id', 'store'].map((name) => ({ Key: `hf-aws:${name}` }));
  await region.client.send(new DeleteTagsCommand({ Resources: [...ids], Tags }));
};

const statusOf = (world: EmulatorWorld, requestId: string) =>
  world.service.getRequestStatus({ requestId, includeMachines: true });

describe.each(lasting)('machines of %s that EC2 shows without our tags', (_kind, template) => {
  it('are taken from the answer of the fleet or group, tagged, told and can be returned', async () => {
    const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 2 } });
    const requestId = await world.ask(template, 3);
    world.pass(2000);
    await untag(world, world.instances());
    await world.look([requestId]);
    expect((await statusOf(world, requestId)).machines).toHaveLength(2);
    expect(world.log.codes()).toContain('machine.unmarked');
    world.region.emulator.configure({ capacity: {} });
    await world.look([requestId], 4);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete', counts: { succeed: 3 } });
    await world.giveBack(...world.instances());
    expect(world.instances()).toEqual([]);
  });

  it('are held though the search ends before anybody has looked', async () => {
    const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 1 } });
    const requestId = await world.ask({ ...template, spotFleetRequestExpiry: 10 }, 3);
    world.pass(2000);
    await untag(world, world.instances());
    world.pass(11 * minute);
    await world.look([requestId], 2);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete', counts: { succeed: 1 } });
  });

  it('stay who they are when the tags go while AWS still looks for more', async () => {
    const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 2 } });
    const requestId = await world.ask(template, 3);
    await world.look([requestId], 2);
    await untag(world, world.instances());
    world.pass(2 * minute);
    await world.look([requestId], 2);
    expect((await statusOf(world, requestId)).machines?.map(({ status }) => status)).toEqual(['running', 'running']);
    const given = world.instances();
    await world.giveBack(...given);
    expect(world.instances().filter((id) => given.includes(id))).toEqual([]);
  });
});

it('a machine of a fleet with another owner’s tag is told and not taken', async () => {
  const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 2 } });
  const requestId = await world.ask({ providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'spot' }, 3);
  world.pass(2000);
  const [other = ''] = world.instances();
  const Tags = [
    { Key: 'hf-aws:owner', Value: 'somebody/else' },
    { Key: 'hf-aws:request-id', Value: 'theirs' },
  ];
  await world.region.client.send(new CreateTagsCommand({ Resources: [other], Tags }));
  await world.look([requestId]);
  expect((await statusOf(world, requestId)).machines).toHaveLength(1);
  expect(world.log.lines.find(({ code }) => code === 'machine.foreign')?.text).toContain(other);
});

it('looking for machines without a tag costs further calls only while what a fleet says it gave is more than was found', async () => {
  const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 2 } });
  const requestId = await world.ask({ providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'spot' }, 3);
  world.pass(2000);
  await untag(world, world.instances());
  const { emulator } = world.region;
  emulator.forgetCalls();
  await world.look([requestId]);
  const usual = { DescribeFleets: 1, DescribeInstances: 1 };
  expect(emulator.countCalls()).toEqual({ ...usual, DescribeInstances: 2, DescribeFleetInstances: 1, CreateTags: 1 });
  emulator.forgetCalls();
  await world.look([requestId]);
  expect(emulator.countCalls()).toEqual(usual);
});

const members = { EC2Fleet: 'DescribeFleetInstances', SpotFleet: 'DescribeSpotFleetInstances' } as const;

describe.each(lasting.filter(([kind]) => kind !== 'ASG'))('a %s fleet whose search ends short', (kind, template) => {
  const action = kind.startsWith('EC2Fleet') ? members.EC2Fleet : members.SpotFleet;

  const startExpired = async (settings = {}) => {
    const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 1 }, ...settings });
    const requestId = await world.ask({ ...template, spotFleetRequestExpiry: 10 }, 3);
    world.pass(2000);
    return { world, requestId };
  };

  it('is not ended before AWS has told its machines', async () => {
    const { world, requestId } = await startExpired();
    await untag(world, world.instances());
    world.pass(11 * minute);
    const { emulator } = world.region;
    emulator.addFault({ action, times: 10, effect: { kind: 'error', code: 'RequestLimitExceeded' } });
    await world.look([requestId], 2);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'running' });
    expect(emulator.countCalls()).not.toHaveProperty('DeleteFleets');
    expect(emulator.countCalls()).not.toHaveProperty('CancelSpotFleetRequests');
    emulator.clearFaults();
    await world.look([requestId], 2);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete', counts: { succeed: 1 } });
  });

  it('holds machines that EC2 does not show, and finds them later', async () => {
    const { world, requestId } = await startExpired({ invisibleForCalls: 30 });
    world.pass(10 * minute);
    await world.look([requestId]);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'running', machines: [] });
    world.pass(2 * minute);
    await world.look([requestId]);
    expect((await statusOf(world, requestId)).machines).toMatchObject([{ status: 'pending' }]);
    for (let n = 0; n < 30; n++) await world.region.describe();
    await world.look([requestId], 2);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete', counts: { succeed: 1 } });
    await world.giveBack(...world.instances());
    expect(world.instances()).toEqual([]);
  });

  it('ends where AWS may not tell its machines, which is logged', async () => {
    const { world, requestId } = await startExpired({ deniedActions: [action] });
    world.pass(11 * minute);
    await world.look([requestId], 2);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete', counts: { succeed: 1 } });
    expect(world.log.codes()).toContain('resource.unlisted');
  });
});
