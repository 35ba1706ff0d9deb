import {
  CreateAutoScalingGroupCommand,
  DescribeScalingActivitiesCommand,
  SuspendProcessesCommand,
} from '@aws-sdk/client-auto-scaling';
import { describe, expect, it } from 'vitest';
import { type EmulatorWorld, kinds, startEmulatorWorld } from '../../../emulator-world.ts';

const minute = 60_000;
const lasting = kinds.filter(([kind]) => !(kind === 'RunInstances' || kind === 'EC2Fleet instant'));
const none = { 'm5.large:*': 0 };

const historyOf = (kind: string): string => {
  if (kind === 'ASG') return 'DescribeScalingActivities';
  return kind.startsWith('EC2Fleet') ? 'DescribeFleetHistory' : 'DescribeSpotFleetRequestHistory';
};

const messageOf = async ({ service }: EmulatorWorld, requestId: string): Promise<string> =>
  (await service.getRequestStatus({ requestId })).message;

const lookAfter = async (world: EmulatorWorld, requestId: string, ms: number): Promise<void> => {
  world.pass(ms);
  await world.look([requestId]);
};

describe.each(lasting)('%s that gets no capacity', (kind, template) => {
  const history = historyOf(kind);

  it('is told with the reason AWS gives, from two minutes after the launch on', async () => {
    const world = await startEmulatorWorld({ capacity: none });
    const requestId = await world.ask(template);
    await lookAfter(world, requestId, minute);
    expect(await messageOf(world, requestId)).toMatch(/is looking for the rest\.$/);
    expect(world.region.emulator.countCalls()).not.toHaveProperty(history);
    await lookAfter(world, requestId, minute);
    expect(await messageOf(world, requestId)).toMatch(
      /is looking for the rest\. AWS says: Error Code: InsufficientInstanceCapacity: .*InsufficientInstanceCapacity.*us-east-1b/,
    );
    const { steps, next } = await world.service.explain({ id: requestId });
    expect(steps.at(-1)?.text).toMatch(/finds no more for now: AWS says: .*InsufficientInstanceCapacity/);
    expect(next).toEqual([expect.stringContaining('AWS lacks capacity there')]);
  });

  it('has AWS asked for the reason four times in its life, at doubled ages', async () => {
    const world = await startEmulatorWorld({ capacity: none });
    const requestId = await world.ask(template);
    const { emulator } = world.region;
    const asked: number[] = [];
    const start = world.now();
    for (const age of [1, 2, 3, 4, 6, 8, 12, 16, 20, 25]) {
      emulator.forgetCalls();
      world.pass(start + age * minute - 2000 - world.now());
      await world.look([requestId]);
      if (emulator.countCalls()[history] !== undefined) asked.push(age);
    }
    expect(asked).toEqual([2, 4, 8, 16]);
  });

  it('is waited for as before where AWS does not tell the reason, which is asked for no more often', async () => {
    const world = await startEmulatorWorld({ capacity: none, deniedActions: [history] });
    const requestId = await world.ask(template);
    await lookAfter(world, requestId, 2 * minute);
    await world.look([requestId], 3);
    expect(world.region.emulator.countCalls()).toMatchObject({ [history]: 1 });
    expect(await messageOf(world, requestId)).toMatch(/is looking for the rest\.$/);
    expect(world.log.codes()).toContain('resource.unverified');
    world.region.emulator.configure({ capacity: {} });
    await world.look([requestId], 4);
    expect(await messageOf(world, requestId)).toBe('2 of 2 machines granted.');
  });

  it('has nothing asked while machines arrive, nor without AWS’s time', async () => {
    const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 1 } });
    const requestId = await world.ask(template);
    await lookAfter(world, requestId, 3 * minute);
    world.hideAwsTime(0);
    await world.look([requestId]);
    expect(world.region.emulator.countCalls()).not.toHaveProperty(history);
  });
});

it('what failed in a group of the administrator’s before the request is not told as its reason', async () => {
  const world = await startEmulatorWorld({ capacity: none, deniedActions: ['LaunchInstances'] });
  const { autoScaling, emulator, template } = world.region;
  const AutoScalingGroupName = 'grid';
  await autoScaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName,
      MinSize: 0,
      MaxSize: 9,
      DesiredCapacity: 1,
      VPCZoneIdentifier: 'subnet-0123456789abcdef0',
      LaunchTemplate: { LaunchTemplateId: await template(), Version: '1' },
    }),
  );
  world.pass(minute);
  await autoScaling.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses: ['Launch'] }));
  const { Activities = [] } = await autoScaling.send(new DescribeScalingActivitiesCommand({ AutoScalingGroupName }));
  expect(Activities.map(({ StatusCode }) => StatusCode)).toContain('Failed');
  world.pass(60 * minute);
  const shared = { providerApi: 'ASG', autoScalingGroupName: AutoScalingGroupName };
  const requestId = await world.ask({ ...shared, vmType: 'm5.large', vmTypes: undefined });
  await lookAfter(world, requestId, 3 * minute);
  expect(emulator.countCalls()).toMatchObject({ DescribeScalingActivities: 2 });
  expect(await messageOf(world, requestId)).not.toContain('AWS says');
});

it.each([
  ['EC2Fleet', 'CreateFleet'],
  ['SpotFleet', 'RequestSpotFleet'],
  ['ASG', 'CreateAutoScalingGroup'],
] as const)(
  'what spot does not give a heterogeneous request of %s is launched on demand',
  async (providerApi, action) => {
    const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 1 } });
    const { emulator } = world.region;
    const rest = { vmTypesOnDemand: { 'm5.xlarge': 1 } };
    const requestId = await world.ask({ providerApi, priceType: 'heterogeneous', ...rest }, 3);
    expect(emulator.countCalls()[action]).toBe(1);
    await world.look([requestId], 3);
    expect(world.instances()).toHaveLength(1);
    await lookAfter(world, requestId, 28 * minute);
    expect(world.instances()).toHaveLength(1);
    await lookAfter(world, requestId, minute);
    await world.look([requestId], 3);
    expect(await messageOf(world, requestId)).toMatch(/^3 of 3 machines granted\./);
    const launched = emulator
      .instances()
      .map(({ instanceType, lifecycle }) => `${instanceType} ${lifecycle ?? ''}`.trim());
    expect(launched).toEqual(['m5.large spot', 'm5.xlarge', 'm5.xlarge']);
  },
);
