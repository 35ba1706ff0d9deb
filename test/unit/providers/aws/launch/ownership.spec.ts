import {
  AttachInstancesCommand,
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  DetachInstancesCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { CreateTagsCommand, DeleteTagsCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { idsOf } from '../../../emulator/region.ts';
import { type EmulatorWorld, kinds, startEmulatorWorld } from '../../../emulator-world.ts';

const minute = 60_000;

/** Somebody makes an instance another's by its tag. */
const takeAway = async ({ region }: EmulatorWorld, id: string): Promise<void> => {
  const Tags = [{ Key: 'hf-aws:owner', Value: 'somebody/else' }];
  await region.client.send(new CreateTagsCommand({ Resources: [id], Tags }));
};

const statusOf = (world: EmulatorWorld, requestId: string) =>
  world.service.getRequestStatus({ requestId, includeMachines: true });

/** A request for two machines that do not come up, one of which is not ours any more. */
const startHanging = async (template: object) => {
  const world = await startEmulatorWorld({ pendingMs: 10_000 * minute });
  const requestId = await world.ask(template);
  world.pass(2000);
  await world.service.syncRequests({ requestIds: [requestId] });
  const [taken = '', own = ''] = world.instances();
  await takeAway(world, taken);
  return { world, requestId, taken, own };
};

describe.each(kinds)('a machine of %s whose ownership tag names somebody else', (_kind, template) => {
  it('is not terminated when it is overdue, and its request ends', async () => {
    const { world, requestId, taken, own } = await startHanging(template);
    world.pass(4 * minute);
    await world.look([requestId], 2);
    expect(world.instances()).toEqual([taken]);
    expect(world.instances('shutting-down', 'terminated')).toEqual([own]);
    const { status, machines } = await statusOf(world, requestId);
    expect(status).toBe('complete_with_error');
    expect(machines?.find(({ machineId }) => machineId === taken)).toMatchObject({
      result: 'fail',
      message: expect.stringMatching(/does not carry this provider's ownership tag/),
    });
  });

  it('is not terminated when its request is cancelled, and the request ends', async () => {
    const { world, requestId, taken } = await startHanging(template);
    await world.service.cancelRequest({ requestId, reason: 'enough' });
    await world.look([requestId], 3);
    expect(world.instances()).toEqual([taken]);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'cancelled', settledAt: expect.any(String) });
  });

  it('is not terminated when a sweep cancels the request nobody asked about', async () => {
    const { world, taken } = await startHanging(template);
    for (let n = 0; n < 5; n++) {
      world.pass(61 * minute);
      await world.service.reconcile({ apply: true });
    }
    expect(world.instances()).toEqual([taken]);
    expect(await world.live.list()).toEqual([]);
  });
});

describe('a machine left for want of the tag', () => {
  it('is found by the sweep once it carries the tag again', async () => {
    const { world, requestId, taken } = await startHanging({ vmType: 'm5.large', vmTypes: undefined });
    await world.service.cancelRequest({ requestId, reason: 'enough' });
    await world.look([requestId], 3);
    const Tags = [{ Key: 'hf-aws:owner', Value: 'hostfactory/awsinst' }];
    await world.region.client.send(new CreateTagsCommand({ Resources: [taken], Tags }));
    await world.service.reconcile({ apply: true });
    world.pass(16 * minute);
    expect(await world.service.reconcile({ apply: true })).toMatchObject({ released: [taken] });
    expect(world.instances()).toEqual([]);
  });

  it('is not left yet while the tag may just not be visible', async () => {
    const { world, requestId, taken, own } = await startHanging({ vmType: 'm5.large', vmTypes: undefined });
    await world.region.client.send(new DeleteTagsCommand({ Resources: [taken], Tags: [{ Key: 'hf-aws:owner' }] }));
    await world.service.cancelRequest({ requestId, reason: 'enough' });
    await world.look([requestId], 3);
    expect(world.instances()).toEqual([taken]);
    expect(await statusOf(world, requestId)).not.toHaveProperty('settledAt');
    world.pass(minute);
    await world.look([requestId]);
    expect(world.instances('shutting-down', 'terminated')).toEqual([own]);
    expect(await statusOf(world, requestId)).toHaveProperty('settledAt');
  });
});

describe('a group that holds a foreign instance', () => {
  const start = async () => {
    const world = await startEmulatorWorld();
    const requestId = await world.ask({ providerApi: 'ASG', priceType: 'spot' });
    const name = `hf-aws-${requestId}`;
    const AutoScalingGroupName = name;
    await world.look([requestId], 3);
    const ours = world.instances();
    const [foreign = ''] = idsOf(await world.region.run());
    world.pass(2000);
    await world.region.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, MaxSize: 5 }));
    await world.region.autoScaling.send(new AttachInstancesCommand({ AutoScalingGroupName, InstanceIds: [foreign] }));
    const group = async () => {
      const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] });
      return (await world.region.autoScaling.send(command)).AutoScalingGroups?.[0];
    };
    return { world, requestId, name, ours, foreign, group };
  };

  it('loses the machines that are returned, and stays with the foreign one', async () => {
    const { world, ours, foreign, group } = await start();
    await world.giveBack(...ours);
    world.pass(10 * minute);
    expect(world.instances()).toEqual([foreign]);
    expect(await group()).toMatchObject({ DesiredCapacity: 1, Instances: [{ InstanceId: foreign }] });
    expect(world.log.lines.filter(({ code }) => code === 'group.left')[0]?.text).toContain(foreign);
  });

  it('is emptied and stays when its request is cancelled while it looks for more', async () => {
    const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 1 } });
    const requestId = await world.ask({ providerApi: 'ASG', priceType: 'spot' }, 3);
    const AutoScalingGroupName = `hf-aws-${requestId}`;
    await world.look([requestId], 3);
    const [ours = ''] = world.instances();
    const [foreign = ''] = idsOf(await world.region.run({ InstanceType: 'c5.large' }));
    world.pass(1000);
    await world.region.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, MaxSize: 9 }));
    await world.region.autoScaling.send(new AttachInstancesCommand({ AutoScalingGroupName, InstanceIds: [foreign] }));
    await world.service.cancelRequest({ requestId, reason: 'enough' });
    await world.look([requestId], 4);
    world.pass(10 * minute);
    expect(world.instances()).toEqual([foreign]);
    expect(world.instances('terminated')).toContain(ours);
    expect(await statusOf(world, requestId)).toHaveProperty('settledAt');
  });

  it('is told by the sweep as long as it holds it, and goes when somebody has taken it out', async () => {
    const { world, name, ours, foreign } = await start();
    await world.giveBack(...ours);
    await world.service.reconcile({ apply: true });
    world.pass(20 * minute);
    const timesTold = () => world.log.codes().filter((code) => code === 'group.left').length;
    const before = timesTold();
    world.region.emulator.forgetCalls();
    const told = await world.service.reconcile({ apply: true });
    expect(told.findings).toMatchObject([{ kind: 'ASG', id: name, why: expect.stringContaining(foreign) }]);
    expect(told.warnings).toEqual([]);
    expect(world.region.emulator.countCalls()).toMatchObject({ DescribeAutoScalingGroups: 1 });
    expect(timesTold()).toBe(before);
    expect(world.log.codes()).not.toContain('resource.unverified');
    expect(world.instances()).toEqual([foreign]);
    await world.region.autoScaling.send(
      new DetachInstancesCommand({
        AutoScalingGroupName: name,
        InstanceIds: [foreign],
        ShouldDecrementDesiredCapacity: true,
      }),
    );
    expect(await world.service.reconcile({ apply: true })).toMatchObject({ released: [name], warnings: [] });
    expect(world.instances()).toEqual([foreign]);
    expect((await world.service.reconcile({ apply: true })).findings).toEqual([]);
  });

  it('does not lose it to a search that ends short', async () => {
    const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 2 } });
    const requestId = await world.ask({ providerApi: 'ASG', priceType: 'spot', spotFleetRequestExpiry: 10 }, 3);
    const AutoScalingGroupName = `hf-aws-${requestId}`;
    await world.look([requestId], 3);
    const [foreign = ''] = idsOf(await world.region.run({ InstanceType: 'c5.large' }));
    world.pass(1000);
    await world.region.autoScaling.send(
      new UpdateAutoScalingGroupCommand({
        AutoScalingGroupName,
        MaxSize: 9,
        NewInstancesProtectedFromScaleIn: false,
      }),
    );
    await world.region.autoScaling.send(new AttachInstancesCommand({ AutoScalingGroupName, InstanceIds: [foreign] }));
    world.pass(11 * minute);
    await world.look([requestId], 3);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete', counts: { succeed: 2 } });
    world.pass(10 * minute);
    expect(world.instances()).toHaveLength(3);
  });
});

describe('a group of the administrator’s whose desired capacity is raised', () => {
  const ask = async (capacity = {}) => {
    const world = await startEmulatorWorld({ deniedActions: ['LaunchInstances'], capacity });
    const { autoScaling, template } = world.region;
    const AutoScalingGroupName = 'grid';
    await autoScaling.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName,
        MinSize: 0,
        MaxSize: 9,
        VPCZoneIdentifier: 'subnet-0123456789abcdef0',
        LaunchTemplate: { LaunchTemplateId: await template(), Version: '1' },
      }),
    );
    const shared = { providerApi: 'ASG', autoScalingGroupName: AutoScalingGroupName };
    const requestId = await world.ask({ ...shared, vmType: 'm5.large', vmTypes: undefined });
    world.pass(2000);
    return { world, requestId };
  };

  it.each([
    ['another owner', [{ Key: 'hf-aws:owner', Value: 'somebody/else' }]],
    [
      'another store',
      [
        { Key: 'hf-aws:owner', Value: 'hostfactory/awsinst' },
        { Key: 'hf-aws:store', Value: 'store-2' },
      ],
    ],
  ])('gives a request no member whose tags name %s, but one more', async (_who, Tags) => {
    const { world, requestId } = await ask();
    const [other = ''] = world.instances();
    await world.region.client.send(new CreateTagsCommand({ Resources: [other], Tags }));
    await world.look([requestId], 5);
    const { status, machines = [] } = await statusOf(world, requestId);
    expect(status).toBe('complete');
    const given = machines.map(({ machineId }) => machineId);
    expect(given).toHaveLength(2);
    expect(given).not.toContain(other);
    const [instance] = await world.region.describe({ InstanceIds: [other] });
    expect(instance?.Tags?.filter(({ Key = '' }) => Key.startsWith('hf-aws:'))).toEqual(Tags);
    expect(world.log.lines.find(({ code }) => code === 'machine.foreign')?.text).toContain(other);
    await world.giveBack(...given);
    expect(world.instances()).toEqual([other]);
  });

  it('does not tag a member again that was made another’s after it was given', async () => {
    const { world, requestId } = await ask({ 'm5.large:*': 1 });
    await world.look([requestId]);
    const [taken = ''] = world.instances();
    await takeAway(world, taken);
    await world.look([requestId], 2);
    const [instance] = await world.region.describe({ InstanceIds: [taken] });
    expect(instance?.Tags).toContainEqual({ Key: 'hf-aws:owner', Value: 'somebody/else' });
  });
});
