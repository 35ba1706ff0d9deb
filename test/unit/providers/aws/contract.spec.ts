import { DeleteAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import {
  CancelSpotFleetRequestsCommand,
  DeleteFleetsCommand,
  DescribeFleetsCommand,
  DescribeSpotFleetRequestsCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { type EmulatorWorld, kinds, makeOwnGroup, ownGroup, startEmulatorWorld } from '../../emulator-world.ts';

const minute = 60_000;
const scarce = { capacity: { 'm5.large:*': 1 } };

const all = [...kinds, ['own group', ownGroup]] as const;
type Kind = (typeof all)[number][0];

const start = async (kind: Kind, settings: Parameters<typeof startEmulatorWorld>[0] = {}): Promise<EmulatorWorld> => {
  const world = await startEmulatorWorld(settings);
  if (kind === 'own group') await makeOwnGroup(world);
  return world;
};

const statusOf = (world: EmulatorWorld, requestId: string) =>
  world.service.getRequestStatus({ requestId, includeMachines: true });

/** A request for three that has them all. */
const startFull = async (kind: Kind, template: object) => {
  const world = await start(kind);
  const requestId = await world.ask(template, 3);
  await world.look([requestId], 3);
  return { world, requestId, machines: world.instances() };
};

/** Somebody removes, behind our back, whatever launched the machines and holds them. */
const removeHolder: Partial<Record<Kind, (world: EmulatorWorld, requestId: string) => Promise<unknown>>> = {
  'EC2Fleet request': async ({ region: { client } }) => deleteFleets(client),
  'EC2Fleet maintain': async ({ region: { client } }) => deleteFleets(client),
  'SpotFleet request': async ({ region: { client } }) => cancelSpotFleets(client),
  'SpotFleet maintain': async ({ region: { client } }) => cancelSpotFleets(client),
  ASG: async ({ region: { autoScaling } }, requestId) =>
    autoScaling.send(
      new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: `hf-aws-${requestId}`, ForceDelete: true }),
    ),
};

const deleteFleets = async (client: EmulatorWorld['region']['client']) => {
  const { Fleets = [] } = await client.send(new DescribeFleetsCommand({}));
  const FleetIds = Fleets.flatMap(({ FleetId }) => FleetId ?? []);
  return client.send(new DeleteFleetsCommand({ FleetIds, TerminateInstances: true }));
};

const cancelSpotFleets = async (client: EmulatorWorld['region']['client']) => {
  const { SpotFleetRequestConfigs = [] } = await client.send(new DescribeSpotFleetRequestsCommand({}));
  const SpotFleetRequestIds = SpotFleetRequestConfigs.flatMap(({ SpotFleetRequestId }) => SpotFleetRequestId ?? []);
  return client.send(new CancelSpotFleetRequestsCommand({ SpotFleetRequestIds, TerminateInstances: true }));
};

/** What every kind of capacity promises, whichever API of AWS's gives it. */
describe.each(all)('%s', (kind, template) => {
  it('launches what is asked for, once, and marks it as the request’s', async () => {
    const { world, requestId, machines } = await startFull(kind, template);
    const told = await statusOf(world, requestId);
    expect(told).toMatchObject({ status: 'complete', counts: { succeed: 3, executing: 0, fail: 0 } });
    expect(told.machines?.map(({ machineId }) => machineId).sort()).toEqual([...machines].sort());
    for (const { tags } of world.region.emulator.instances())
      expect(tags).toMatchObject({ 'hf-aws:owner': 'hostfactory/awsinst', 'hf-aws:request-id': requestId });
    world.pass(10 * minute);
    await world.look([requestId], 2);
    expect(world.instances()).toEqual(machines);
  });

  it('tells of a machine that died, and does not replace it', async () => {
    const { world, requestId, machines } = await startFull(kind, template);
    const [dead = '', ...others] = machines;
    world.region.emulator.setInstance(dead, { state: 'terminated' });
    world.pass(2000);
    const held = machines.map((machineId) => ({ machineId, name: '' }));
    const { reclaims } = await world.service.getReturnRequests({ machines: held });
    expect(reclaims).toMatchObject([{ machineId: dead, gracePeriod: 0 }]);
    world.pass(10 * minute);
    await world.look([requestId], 2);
    expect(world.instances()).toEqual(others);
  });

  it('gives back one machine, and neither replaces it nor touches the others', async () => {
    const { world, machines } = await startFull(kind, template);
    const [first = '', ...others] = machines;
    const returnId = await world.giveBack(first);
    world.pass(10 * minute);
    await world.look([returnId], 2);
    expect(await statusOf(world, returnId)).toMatchObject({ status: 'complete' });
    expect(world.instances()).toEqual(others);
  });

  it('gives back all, and leaves nothing that a sweep would find', async () => {
    const { world, machines } = await startFull(kind, template);
    const returnId = await world.giveBack(...machines);
    world.pass(10 * minute);
    await world.look([returnId], 2);
    expect(world.instances()).toEqual([]);
    expect(await world.live.list()).toEqual([]);
    world.pass(2 * 60 * minute);
    expect((await world.service.reconcile({})).findings).toEqual([]);
  });

  it('ends a search that is cancelled, with what it found and what would still come', async () => {
    // Its machine stays pending, so that the request is not over.
    const world = await start(kind, { ...scarce, pendingMs: 60 * minute });
    const requestId = await world.ask(template, 3);
    await world.look([requestId]);
    expect(world.instances()).toHaveLength(1);
    await world.service.cancelRequest({ requestId, reason: 'enough' });
    world.region.emulator.configure({ capacity: {} });
    await world.look([requestId], 4);
    world.pass(10 * minute);
    await world.look([requestId]);
    expect(world.instances()).toEqual([]);
    expect(await statusOf(world, requestId)).toMatchObject({ status: 'cancelled', settledAt: expect.any(String) });
  });
});

const holding = all.filter(([kind]) => kind in removeHolder);

describe.each(holding)('%s that somebody else removed with its machines', (kind, template) => {
  it('ends the request, and its machines are told as gone', async () => {
    const world = await start(kind, scarce);
    const requestId = await world.ask(template, 3);
    await world.look([requestId], 2);
    await removeHolder[kind]?.(world, requestId);
    world.region.emulator.configure({ capacity: {} });
    world.pass(10 * minute);
    await world.look([requestId], 4);
    const { status, machines } = await statusOf(world, requestId);
    expect(status).toBe('complete_with_error');
    expect(machines?.map((machine) => machine.status)).toEqual(['terminated']);
    expect(world.instances()).toEqual([]);
  });
});
