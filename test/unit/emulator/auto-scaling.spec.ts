import {
  AttachInstancesCommand,
  CreateAutoScalingGroupCommand,
  type CreateAutoScalingGroupCommandInput,
  CreateOrUpdateTagsCommand,
  DeleteAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  type DescribeAutoScalingGroupsCommandInput,
  DescribeAutoScalingInstancesCommand,
  DescribeScalingActivitiesCommand,
  DetachInstancesCommand,
  LaunchInstancesCommand,
  type LaunchInstancesCommandInput,
  ResumeProcessesCommand,
  SetDesiredCapacityCommand,
  SetInstanceProtectionCommand,
  SuspendProcessesCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/emulator/settings.ts';
import { expectRefusal, idsOf, startRegion } from './region.ts';

const AutoScalingGroupName = 'hosts';
const zones = ['us-east-1a', 'us-east-1b'];

const startGroup = async (
  input: Partial<CreateAutoScalingGroupCommandInput> = {},
  settings: Partial<Settings> = {},
) => {
  const region = await startRegion({ settings });
  const { autoScaling: client, emulator, pass } = region;
  const LaunchTemplateId = await region.template();
  const create = () =>
    client.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName,
        MinSize: 0,
        MaxSize: 10,
        DesiredCapacity: 2,
        AvailabilityZones: zones,
        ...(input.MixedInstancesPolicy === undefined && { LaunchTemplate: { LaunchTemplateId } }),
        ...input,
      }),
    );
  await create();
  pass(1000);
  const alive = () => emulator.instances().filter(({ state }) => state === 'pending' || state === 'running');
  const ids = () => alive().map(({ id }) => id);
  const groups = async (query: DescribeAutoScalingGroupsCommandInput = {}) =>
    (await client.send(new DescribeAutoScalingGroupsCommand(query))).AutoScalingGroups ?? [];
  const desire = (DesiredCapacity: number) =>
    client.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity }));
  const terminate = (InstanceId: string, ShouldDecrementDesiredCapacity: boolean) =>
    client.send(new TerminateInstanceInAutoScalingGroupCommand({ InstanceId, ShouldDecrementDesiredCapacity }));
  const suspend = (...ScalingProcesses: string[]) =>
    client.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses }));
  const launch = (RequestedCapacity: number, more: Partial<LaunchInstancesCommandInput> = {}) =>
    client.send(new LaunchInstancesCommand({ AutoScalingGroupName, RequestedCapacity, ...more }));
  const activities = async () =>
    (await client.send(new DescribeScalingActivitiesCommand({ AutoScalingGroupName }))).Activities ?? [];
  return { ...region, scaling: client, create, alive, ids, groups, desire, terminate, suspend, launch, activities };
};

describe('an Auto Scaling group', () => {
  it('fulfils its desired capacity over time, evenly over zones, with its tags', async () => {
    const { alive, groups, pass } = await startGroup({
      DesiredCapacity: 4,
      NewInstancesProtectedFromScaleIn: true,
      Tags: [
        { Key: 'owner', Value: 'hf', PropagateAtLaunch: true },
        { Key: 'own', Value: 'x', PropagateAtLaunch: false },
      ],
    });
    expect(
      alive()
        .map(({ zone }) => zone)
        .sort(),
    ).toEqual([...zones, ...zones].sort());
    expect(alive()[0]?.tags).toEqual({ owner: 'hf', 'aws:autoscaling:groupName': 'hosts' });
    pass(1000);
    expect(await groups({ Filters: [{ Name: 'tag:owner', Values: ['hf'] }] })).toMatchObject([
      {
        AutoScalingGroupName,
        DesiredCapacity: 4,
        AvailabilityZones: zones,
        Tags: [{ Key: 'owner', PropagateAtLaunch: true }, { Key: 'own' }],
        Instances: [{}, {}, {}, {}].map(() => ({
          LifecycleState: 'InService',
          HealthStatus: 'Healthy',
          ProtectedFromScaleIn: true,
        })),
      },
    ]);
    expect(await groups({ AutoScalingGroupNames: ['other'] })).toEqual([]);
  });

  it('exists once per name, needs a template that exists, and has bounds', async () => {
    const { create, desire, scaling } = await startGroup();
    await expectRefusal(create(), 'AlreadyExistsFault', 400);
    await expectRefusal(desire(11), 'ValidationError', 400, /above max value 10/);
    const lost = { AutoScalingGroupName: 'b', MinSize: 0, MaxSize: 1, LaunchTemplate: { LaunchTemplateName: 'lost' } };
    await expectRefusal(scaling.send(new CreateAutoScalingGroupCommand(lost)), 'ValidationError', 400);
  });

  it('replaces what dies, unless told not to', async () => {
    const { ids, client, suspend, pass, scaling, groups } = await startGroup();
    const kill = async () => client.send(new TerminateInstancesCommand({ InstanceIds: ids().slice(0, 1) }));
    await kill();
    pass(1000);
    expect(ids()).toHaveLength(2);
    await suspend('ReplaceUnhealthy');
    await kill();
    pass(60_000);
    expect(ids()).toHaveLength(1);
    expect(await groups()).toMatchObject([
      { SuspendedProcesses: [{ ProcessName: 'ReplaceUnhealthy' }], Instances: [{ HealthStatus: 'Unhealthy' }, {}] },
    ]);
    await scaling.send(new ResumeProcessesCommand({ AutoScalingGroupName }));
    pass(1000);
    expect(ids()).toHaveLength(2);
  });

  it('launches nothing while Launch is suspended', async () => {
    const { ids, suspend, desire, pass } = await startGroup();
    await suspend('Launch');
    await desire(5);
    pass(60_000);
    expect(ids()).toHaveLength(2);
  });

  it('scales in from the oldest, never a protected one', async () => {
    const { ids, desire, pass, scaling, groups } = await startGroup({ DesiredCapacity: 3 });
    const [oldest = '', second = ''] = ids();
    const protect = { AutoScalingGroupName, ProtectedFromScaleIn: true };
    await expect(scaling.send(new SetInstanceProtectionCommand({ ...protect, InstanceIds: [oldest] }))).rejects.toThrow(
      /not in InService/,
    );
    pass(5000);
    await scaling.send(new SetInstanceProtectionCommand({ ...protect, InstanceIds: [oldest] }));
    await desire(2);
    pass(1000);
    expect(ids()).not.toContain(second);
    await scaling.send(new SetInstanceProtectionCommand({ ...protect, InstanceIds: ids() }));
    await desire(0);
    pass(60_000);
    expect(ids()).toHaveLength(2);
    expect(await groups()).toMatchObject([{ DesiredCapacity: 0 }]);
  });

  it('mixes markets and weighted types by its distribution', async () => {
    const LaunchTemplateSpecification = { LaunchTemplateName: 'hosts', Version: '$Latest' };
    const Overrides = [{ InstanceType: 'm5.xlarge', WeightedCapacity: '2' }];
    const { alive } = await startGroup({
      DesiredCapacity: 10,
      MixedInstancesPolicy: {
        LaunchTemplate: { LaunchTemplateSpecification, Overrides },
        InstancesDistribution: { OnDemandBaseCapacity: 2, OnDemandPercentageAboveBaseCapacity: 50 },
      },
    });
    expect(alive().map(({ instanceType, lifecycle }) => `${instanceType} ${lifecycle}`)).toEqual([
      ...Array(3).fill('m5.xlarge undefined'),
      ...Array(2).fill('m5.xlarge spot'),
    ]);
  });

  it('is updated within its bounds, and deleted empty or by force', async () => {
    const { scaling, groups, pass, ids } = await startGroup();
    await scaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, MinSize: 3 }));
    pass(1000);
    expect(await groups()).toMatchObject([{ MinSize: 3, DesiredCapacity: 3, Instances: [{}, {}, {}] }]);
    const remove = (ForceDelete: boolean) =>
      scaling.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName, ForceDelete }));
    await expectRefusal(remove(false), 'ResourceInUseFault', 400);
    await remove(true);
    expect(ids()).toEqual([]);
    expect(await groups()).toEqual([]);
  });

  it('tells its activities, failures with their codes', async () => {
    const { activities, ids } = await startGroup({}, { capacity: { 'm5.large:us-east-1a': 1, '*:*': 0 } });
    const failure = {
      StatusCode: 'Failed',
      StatusMessage: expect.stringMatching(/Could not launch On-Demand Instances\. InsufficientInstanceCapacity - We/),
    };
    expect(await activities()).toMatchObject([
      { StatusCode: 'InProgress', Description: `Launching a new EC2 instance: ${ids()[0]}` },
      failure,
      failure,
    ]);
  });

  it('takes tags later', async () => {
    const { scaling, groups } = await startGroup();
    const tag = { ResourceId: 'hosts', ResourceType: 'auto-scaling-group', Key: 'k', PropagateAtLaunch: false };
    for (const Value of ['1', '2']) await scaling.send(new CreateOrUpdateTagsCommand({ Tags: [{ ...tag, Value }] }));
    expect(await groups()).toMatchObject([{ Tags: [{ Key: 'k', Value: '2' }] }]);
  });
});

describe('terminating in a group', () => {
  it('lowers the desired capacity or lets the instance be replaced', async () => {
    const { terminate, ids, pass, groups } = await startGroup();
    const [first = '', second = ''] = ids();
    const { Activity } = await terminate(first, false);
    expect(Activity).toMatchObject({ StatusCode: 'InProgress', Description: `Terminating EC2 instance: ${first}` });
    pass(1000);
    expect(ids()).toHaveLength(2);
    await terminate(second, true);
    pass(60_000);
    expect(ids()).toHaveLength(1);
    expect(await groups()).toMatchObject([{ DesiredCapacity: 1 }]);
    await expectRefusal(terminate(first, true), 'ValidationError', 400, /Instance Id not found/);
  });

  it('never goes below the minimum', async () => {
    const { terminate, ids } = await startGroup({ MinSize: 2 });
    await expectRefusal(terminate(ids()[0] ?? '', true), 'ValidationError', 400, /desiredSize equals minSize/);
  });

  it('takes up to 100 ids with the group’s name', async () => {
    const { scaling, ids } = await startGroup();
    const input = { AutoScalingGroupName, InstanceIds: ids(), ShouldDecrementDesiredCapacity: true };
    const { Activities } = await scaling.send(new TerminateInstanceInAutoScalingGroupCommand(input));
    expect(Activities).toHaveLength(2);
    expect(ids()).toEqual([]);
  });

  it.each([
    ['has zones evened by replacing a further instance', [], ['us-east-1a', 'us-east-1b']],
    ['spares the others while AZRebalance is suspended', ['AZRebalance'], ['us-east-1a', 'us-east-1a']],
  ])('%s', async (_, suspended, expected) => {
    const { terminate, alive, suspend, pass } = await startGroup({ DesiredCapacity: 4 });
    if (suspended.length > 0) await suspend(...suspended);
    const doomed = alive().filter(({ zone }) => zone === 'us-east-1b');
    const kept = alive().filter(({ zone }) => zone === 'us-east-1a');
    for (const { id } of doomed) await terminate(id, true);
    pass(10_000);
    expect(alive().map(({ zone }) => zone)).toEqual(expected);
    expect(alive().filter(({ id }) => kept.some((one) => one.id === id))).toHaveLength(suspended.length + 1);
  });
});

describe('membership', () => {
  it('ends by detaching, which leaves the instance running, and begins by attaching', async () => {
    const { scaling, ids, pass, groups, run } = await startGroup();
    const input = { AutoScalingGroupName, InstanceIds: ids().slice(0, 1), ShouldDecrementDesiredCapacity: true };
    await scaling.send(new DetachInstancesCommand(input));
    pass(1000);
    expect(ids()).toHaveLength(2);
    expect(await groups()).toMatchObject([{ DesiredCapacity: 1, Instances: [{ InstanceId: ids()[1] }] }]);

    const InstanceIds = idsOf(await run());
    pass(1000);
    await scaling.send(new AttachInstancesCommand({ AutoScalingGroupName, InstanceIds }));
    expect((await groups())[0]).toMatchObject({ DesiredCapacity: 2, Instances: [{}, {}] });
  });

  it('is told for 50 ids, unknown ones ignored', async () => {
    const { scaling, ids } = await startGroup();
    const ask = (InstanceIds: string[]) => scaling.send(new DescribeAutoScalingInstancesCommand({ InstanceIds }));
    expect((await ask([...ids(), 'i-00000000'])).AutoScalingInstances).toMatchObject([
      { AutoScalingGroupName, LifecycleState: 'Pending' },
      {},
    ]);
    await expectRefusal(ask(Array(51).fill('i-00000000')), 'ValidationError', 400);
  });
});

describe('LaunchInstances', () => {
  const here = { AvailabilityZones: ['us-east-1a'] };

  it('answers at once with instances and raises the desired capacity', async () => {
    const { launch, groups, pass, ids } = await startGroup({ DesiredCapacity: 0 });
    const { Instances, Errors } = await launch(3, here);
    expect(Instances).toMatchObject([
      { InstanceType: 'm5.large', MarketType: 'on-demand', AvailabilityZone: 'us-east-1a', InstanceIds: ids() },
    ]);
    expect(Errors).toEqual([]);
    pass(60_000);
    expect(ids()).toHaveLength(3);
    expect(await groups()).toMatchObject([{ DesiredCapacity: 3 }]);
  });

  it('answers with errors for what cannot be had, which nobody tries again', async () => {
    const { launch, emulator, pass, ids } = await startGroup({ DesiredCapacity: 0 }, { capacity: { '*:*': 2 } });
    const { Instances, Errors } = await launch(3, here);
    expect(Instances?.[0]?.InstanceIds).toHaveLength(2);
    expect(Errors).toMatchObject([{ ErrorCode: 'InsufficientInstanceCapacity', AvailabilityZone: 'us-east-1a' }]);
    emulator.configure({ capacity: {} });
    pass(60_000);
    expect(ids()).toHaveLength(2);
  });

  it('launches once per token, within the maximum, in a zone of the group that is named', async () => {
    const { launch, ids } = await startGroup({ DesiredCapacity: 0 });
    const ClientToken = 'req-1.0';
    const first = await launch(1, { ...here, ClientToken });
    expect((await launch(1, { ...here, ClientToken })).Instances).toEqual(first.Instances);
    await expectRefusal(launch(2, { ...here, ClientToken }), 'IdempotentParameterMismatchError', 400);
    await expectRefusal(launch(10, here), 'ValidationError', 400, /max size/);
    await expectRefusal(launch(1), 'ValidationError', 400, /must be specified/);
    await expectRefusal(launch(1, { AvailabilityZones: ['us-east-1c'] }), 'ValidationError', 400);
    expect(ids()).toHaveLength(1);
  });
});
