import { DescribeLaunchTemplatesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { type EmulatorWorld, kinds, startEmulatorWorld } from '../../../emulator-world.ts';

const minute = 60_000;
const templateOf = (kind: (typeof kinds)[number][0]) => kinds.find(([name]) => name === kind)?.[1] ?? {};

const statusOf = (world: EmulatorWorld, requestId: string) => world.service.getRequestStatus({ requestId });

/** What two sweeps a quarter of an hour apart find, and the second releases. */
const sweepTwice = async (world: EmulatorWorld) => {
  await world.service.reconcile({ apply: true });
  world.pass(16 * minute);
  return world.service.reconcile({ apply: true });
};

const launchTemplates = async ({ region }: EmulatorWorld): Promise<number> =>
  (await region.client.send(new DescribeLaunchTemplatesCommand({}))).LaunchTemplates?.length ?? 0;

describe.each([
  ['EC2Fleet request', 'DeleteFleets'],
  ['EC2Fleet maintain', 'DeleteFleets'],
  ['SpotFleet request', 'CancelSpotFleetRequests'],
  ['SpotFleet maintain', 'CancelSpotFleetRequests'],
  ['EC2Fleet request', 'DeleteLaunchTemplate'],
  ['SpotFleet request', 'DeleteLaunchTemplate'],
] as const)('%s whose %s is denied', (kind, action) => {
  it('completes with all machines; none is replaced when returned, and the sweep clears up once it may', async () => {
    const world = await startEmulatorWorld({ deniedActions: [action] });
    const requestId = await world.ask(templateOf(kind));
    await world.look([requestId], 3);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete', counts: { succeed: 2 } });
    expect(world.log.codes()).toContain(action === 'DeleteLaunchTemplate' ? 'launch-template.left' : 'resource.left');
    const told = await sweepTwice(world);
    expect(told.findings).not.toEqual([]);
    expect(told.warnings.join()).toContain(action);
    await world.giveBack(...world.instances());
    world.pass(10 * minute);
    expect(world.instances()).toEqual([]);
    world.region.emulator.configure({ deniedActions: [] });
    expect((await sweepTwice(world)).warnings).toEqual([]);
    expect((await sweepTwice(world)).findings).toEqual([]);
    expect(await launchTemplates(world)).toBe(0);
  });
});

it('a search that ends short is not held up by a fleet that may not be ended', async () => {
  const world = await startEmulatorWorld({ deniedActions: ['DeleteFleets'], capacity: { 'm5.large:*': 1 } });
  const requestId = await world.ask({ ...templateOf('EC2Fleet request'), spotFleetRequestExpiry: 10 });
  await world.look([requestId], 2);
  world.pass(11 * minute);
  await world.look([requestId], 2);
  expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete', counts: { succeed: 1 } });
});

describe('a fleet that may not be ended and may still bring machines', () => {
  const mixed = { priceType: 'heterogeneous', vmTypesOnDemand: { 'm5.large': 1 }, spotFleetRequestExpiry: 10 };

  it.each(['EC2Fleet request', 'SpotFleet request'] as const)(
    'has nothing asked on demand for it while it is a %s within its time',
    async (kind) => {
      const world = await startEmulatorWorld({
        deniedActions: ['DeleteFleets', 'CancelSpotFleetRequests'],
        fulfilMs: 9.5 * minute,
      });
      const requestId = await world.ask({ ...templateOf(kind), ...mixed });
      await world.look([requestId]);
      world.pass(9.2 * minute);
      await world.look([requestId]);
      expect(await statusOf(world, requestId)).toMatchObject({ status: 'running' });
      world.pass(0.5 * minute);
      await world.look([requestId], 3);
      expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete', counts: { succeed: 2 } });
      expect(world.instances()).toHaveLength(2);
    },
  );

  it('has the rest asked for on demand once its time is over', async () => {
    const world = await startEmulatorWorld({ deniedActions: ['DeleteFleets'], fulfilMs: 60 * minute });
    const requestId = await world.ask({ ...templateOf('EC2Fleet request'), ...mixed });
    await world.look([requestId]);
    world.pass(9.2 * minute);
    await world.look([requestId]);
    expect(world.instances()).toEqual([]);
    world.pass(minute);
    await world.look([requestId], 3);
    world.pass(60 * minute);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'complete', counts: { succeed: 2 } });
    expect(world.instances()).toHaveLength(2);
  });
});

it('a launch template of a request that is on no record goes by the sweep, one in use does not', async () => {
  const world = await startEmulatorWorld({ capacity: { 'm5.large:*': 1 } });
  const requestId = await world.ask(templateOf('EC2Fleet request'));
  await world.look([requestId]);
  const Tags = [
    { Key: 'hf-aws:owner', Value: 'hostfactory/awsinst' },
    { Key: 'hf-aws:request-id', Value: 'req-00000000-0000-4000-8000-00000000dead' },
  ];
  const left = await world.region.template({}, 'hf-aws-left', Tags);
  const others = [...Tags, { Key: 'hf-aws:store', Value: 'store-2' }];
  await world.region.template({}, 'hf-aws-of-another-store', others);
  const { released } = await sweepTwice(world);
  expect(released).toEqual([left]);
  expect(await launchTemplates(world)).toBe(2);
});

it('launch-templates gc leaves those of another work directory', async () => {
  const world = await startEmulatorWorld();
  const owner = { Key: 'hf-aws:owner', Value: 'hostfactory/awsinst' };
  const ours = await world.region.template({}, 'hf-aws-ours', [owner, { Key: 'hf-aws:store', Value: 'store-1' }]);
  await world.region.template({}, 'hf-aws-theirs', [owner, { Key: 'hf-aws:store', Value: 'store-2' }]);
  world.pass(minute);
  expect(await world.service.collectLaunchTemplates({ unusedFor: 0, apply: true })).toMatchObject({ removed: [ours] });
  expect(await launchTemplates(world)).toBe(1);
});
