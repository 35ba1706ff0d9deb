import {
  CreateFleetCommand,
  type CreateFleetCommandInput,
  DeleteFleetsCommand,
  DescribeFleetHistoryCommand,
  DescribeFleetInstancesCommand,
  DescribeFleetsCommand,
  type FleetLaunchTemplateOverridesRequest,
  ModifyFleetCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/emulator/settings.ts';
import { expectRefusal, startRegion } from './region.ts';

const startFleets = async (settings: Partial<Settings> = {}) => {
  const region = await startRegion({ settings });
  const LaunchTemplateId = await region.template();
  const create = (
    total: number,
    input: Partial<CreateFleetCommandInput> = {},
    overrides: FleetLaunchTemplateOverridesRequest[] = [{ AvailabilityZone: 'us-east-1a' }],
  ) =>
    region.client.send(
      new CreateFleetCommand({
        Type: 'instant',
        LaunchTemplateConfigs: [
          { LaunchTemplateSpecification: { LaunchTemplateId, Version: '1' }, Overrides: overrides },
        ],
        TargetCapacitySpecification: { TotalTargetCapacity: total, DefaultTargetCapacityType: 'on-demand' },
        ...input,
      }),
    );
  const fleet = async (FleetId: string) =>
    (await region.client.send(new DescribeFleetsCommand({ FleetIds: [FleetId] }))).Fleets?.[0];
  const alive = () => region.emulator.instances().filter(({ state }) => state === 'pending' || state === 'running');
  const modify = (FleetId: string, total: number, ExcessCapacityTerminationPolicy?: 'no-termination' | 'termination') =>
    region.client.send(
      new ModifyFleetCommand({
        FleetId,
        ExcessCapacityTerminationPolicy,
        TargetCapacitySpecification: { TotalTargetCapacity: total },
      }),
    );
  const remove = (FleetId: string, TerminateInstances: boolean) =>
    region.client.send(new DeleteFleetsCommand({ FleetIds: [FleetId], TerminateInstances }));
  return { ...region, create, fleet, alive, modify, remove };
};

const kinds = (...types: string[]): FleetLaunchTemplateOverridesRequest[] =>
  types.map((type) => ({ InstanceType: type as 'm5.large', AvailabilityZone: 'us-east-1a' }));

describe('an instant fleet', () => {
  it('answers with instances by override, tagged with the fleet and as asked', async () => {
    const { create, alive } = await startFleets({ capacity: { 'c5.large:*': 2 } });
    const tags = { Tags: [{ Key: 'owner', Value: 'hf' }] };
    const { FleetId, Instances, Errors } = await create(
      5,
      {
        TagSpecifications: [
          { ResourceType: 'instance', ...tags },
          { ResourceType: 'fleet', ...tags },
        ],
      },
      kinds('c5.large', 'm5.large'),
    );
    expect(Instances).toMatchObject([
      {
        InstanceType: 'c5.large',
        Lifecycle: 'on-demand',
        InstanceIds: [expect.stringMatching(/^i-/), expect.anything()],
        LaunchTemplateAndOverrides: {
          LaunchTemplateSpecification: { Version: '1' },
          Overrides: { InstanceType: 'c5.large', AvailabilityZone: 'us-east-1a' },
        },
      },
      { InstanceType: 'm5.large', InstanceIds: [{}, {}, {}].map(() => expect.anything()) },
    ]);
    expect(Errors).toMatchObject([
      {
        ErrorCode: 'InsufficientInstanceCapacity',
        LaunchTemplateAndOverrides: { Overrides: { InstanceType: 'c5.large' } },
      },
    ]);
    expect(alive().map(({ tags: all }) => all)).toContainEqual({ owner: 'hf', 'aws:ec2:fleet-id': FleetId });
  });

  it('answers HTTP 200 with errors and no instances when nothing can be had', async () => {
    const { create, alive } = await startFleets({
      capacity: { '*:*': 0 },
      refusals: { 'c5.large:*': 'VcpuLimitExceeded' },
    });
    const { Instances, Errors, FleetId } = await create(2, {}, kinds('m5.large', 'c5.large'));
    expect(Instances).toEqual([]);
    expect(Errors?.map(({ ErrorCode }) => ErrorCode)).toEqual(['InsufficientInstanceCapacity', 'VcpuLimitExceeded']);
    expect(FleetId).toMatch(/^fleet-/);
    expect(alive()).toEqual([]);
  });

  it('puts what cannot be launched at all among the errors', async () => {
    const { create } = await startFleets();
    const LaunchTemplateSpecification = { LaunchTemplateName: 'gone', Version: '1' };
    const { Errors } = await create(1, { LaunchTemplateConfigs: [{ LaunchTemplateSpecification }] });
    expect(Errors).toMatchObject([{ ErrorCode: 'InvalidLaunchTemplateName.NotFoundException' }]);
  });

  it('gives the same answer to the same token, and refuses it for another order', async () => {
    const { create, alive } = await startFleets();
    const first = await create(2, { ClientToken: 'req-1.0' });
    expect((await create(2, { ClientToken: 'req-1.0' })).Instances).toEqual(first.Instances);
    await expectRefusal(create(3, { ClientToken: 'req-1.0' }), 'IdempotentParameterMismatch', 400);
    expect(alive()).toHaveLength(2);
  });

  it('overshoots a weighted target by less than one weight', async () => {
    const { create, alive } = await startFleets();
    await create(10, {}, [{ AvailabilityZone: 'us-east-1a', WeightedCapacity: 4 }]);
    expect(alive()).toHaveLength(3);
  });

  it('chooses by priority, by free capacity, in turn, or as listed', async () => {
    const capacity = { 'm5.large:*': 3, 'c5.large:*': 9 };
    const { create, remove } = await startFleets({ capacity, shuttingDownMs: 0 });
    const chosen = async (
      AllocationStrategy: 'prioritized' | 'capacity-optimized' | 'diversified' | 'lowest-price',
    ) => {
      const isSpot = AllocationStrategy === 'capacity-optimized' || AllocationStrategy === 'diversified';
      const [m5 = {}, c5 = {}] = kinds('m5.large', 'c5.large');
      const options = isSpot ? { SpotOptions: { AllocationStrategy } } : { OnDemandOptions: { AllocationStrategy } };
      const TargetCapacitySpecification = {
        TotalTargetCapacity: 2,
        DefaultTargetCapacityType: isSpot ? ('spot' as const) : ('on-demand' as const),
      };
      const { FleetId = '', Instances } = await create(2, { ...options, TargetCapacitySpecification } as object, [
        { ...m5, Priority: 2 },
        { ...c5, Priority: 1 },
      ]);
      await remove(FleetId, true);
      return Instances?.map(({ InstanceType }) => InstanceType);
    };
    expect(await chosen('prioritized')).toEqual(['c5.large']);
    expect(await chosen('capacity-optimized')).toEqual(['c5.large']);
    expect(await chosen('diversified')).toEqual(['m5.large', 'c5.large']);
    expect(await chosen('lowest-price')).toEqual(['m5.large']);
  });

  it('launches the minimum of one type or nothing', async () => {
    const { create, alive } = await startFleets({ capacity: { 'm5.large:*': 2, 'c5.large:*': 4 } });
    const least = (MinTargetCapacity: number) =>
      create(6, { OnDemandOptions: { MinTargetCapacity, SingleInstanceType: true } }, kinds('m5.large', 'c5.large'));
    expect((await least(5)).Errors).toMatchObject([{ ErrorCode: 'UnfulfillableCapacity' }]);
    expect(alive()).toEqual([]);
    expect((await least(4)).Instances).toMatchObject([{ InstanceType: 'c5.large' }]);
    expect(alive()).toHaveLength(4);
  });

  it('splits its target between the markets', async () => {
    const { create, alive } = await startFleets();
    await create(5, {
      TargetCapacitySpecification: {
        TotalTargetCapacity: 5,
        OnDemandTargetCapacity: 2,
        DefaultTargetCapacityType: 'spot',
      },
    });
    expect(alive().map(({ lifecycle }) => lifecycle)).toEqual([undefined, undefined, 'spot', 'spot', 'spot']);
  });

  it('takes instance requirements for types', async () => {
    const { create } = await startFleets();
    const InstanceRequirements = {
      VCpuCount: { Min: 4, Max: 4 },
      MemoryMiB: { Min: 30_000 },
      CpuManufacturers: ['intel'] as 'intel'[],
    };
    const { Instances } = await create(1, {}, [{ InstanceRequirements, AvailabilityZone: 'us-east-1a' }]);
    expect(Instances).toMatchObject([{ InstanceType: 'r5.xlarge' }]);
  });

  it('is told of by its id only, and is deleted only with its instances', async () => {
    const { create, fleet, remove, client, alive } = await startFleets();
    const { FleetId = '' } = await create(2);
    expect((await client.send(new DescribeFleetsCommand({}))).Fleets).toEqual([]);
    expect(await fleet(FleetId)).toMatchObject({ Type: 'instant', FleetState: 'active', FulfilledCapacity: 2 });
    await expectRefusal(client.send(new DescribeFleetInstancesCommand({ FleetId })), 'Unsupported', 400);
    expect((await remove(FleetId, false)).UnsuccessfulFleetDeletions).toMatchObject([{ FleetId }]);
    expect((await remove(FleetId, true)).SuccessfulFleetDeletions).toMatchObject([
      { FleetId, PreviousFleetState: 'active', CurrentFleetState: 'deleted_terminating' },
    ]);
    expect(alive()).toEqual([]);
  });
});

describe('a fleet of type request', () => {
  it('fulfils over time as capacity comes, and does not make up for losses', async () => {
    const { create, pass, alive, emulator, fleet, client } = await startFleets({ capacity: { '*:*': 1 } });
    const { FleetId = '', Instances } = await create(3, { Type: 'request' });
    expect(Instances ?? []).toEqual([]);
    expect(await fleet(FleetId)).toMatchObject({ FleetState: 'submitted', ActivityStatus: 'pending_fulfillment' });
    pass(1000);
    expect(await fleet(FleetId)).toMatchObject({
      FleetState: 'active',
      ActivityStatus: 'error',
      FulfilledCapacity: 1,
      Errors: [{ ErrorCode: 'InsufficientInstanceCapacity' }],
    });
    emulator.configure({ capacity: {} });
    pass(1000);
    expect(alive()).toHaveLength(3);
    await client.send(new TerminateInstancesCommand({ InstanceIds: [alive()[0]?.id ?? ''] }));
    pass(60_000);
    expect(alive()).toHaveLength(2);
  });

  it('tries on at every moment without delays, and costs no more after a long sleep', async () => {
    const { create, pass, alive, emulator } = await startFleets({ capacity: { '*:*': 0 }, fulfilMs: 0 });
    await create(1, { Type: 'request' });
    expect(alive()).toEqual([]);
    pass(30 * 86_400_000);
    expect(alive()).toEqual([]);
    emulator.configure({ capacity: {} });
    pass(1);
    expect(alive()).toHaveLength(1);
  });

  it('stops when it expires, with or without its instances', async () => {
    const { create, pass, alive, fleet } = await startFleets();
    const until = { Type: 'request', ValidUntil: new Date(Date.UTC(2026, 0, 1, 0, 1)) } as const;
    const [kept, ended] = [
      await create(1, until),
      await create(1, { ...until, TerminateInstancesWithExpiration: true }),
    ];
    pass(59_999);
    expect(alive()).toHaveLength(2);
    pass(1);
    expect(alive()).toHaveLength(1);
    expect((await fleet(kept.FleetId ?? ''))?.FleetState).toBe('deleted_running');
    pass(2000);
    expect((await fleet(ended.FleetId ?? ''))?.FleetState).toBe('deleted');
  });

  it('takes tags for itself only, and no instant’s options', async () => {
    const { create } = await startFleets();
    const tags = { TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key: 'a', Value: '' }] }] };
    await expectRefusal(create(1, { Type: 'request', ...tags }), 'InvalidParameterValue', 400);
    const least = { OnDemandOptions: { MinTargetCapacity: 1, SingleInstanceType: true } };
    await expectRefusal(create(1, { Type: 'request', ...least }), 'InvalidParameterCombination', 400);
  });
});

describe('a fleet of type maintain', () => {
  const startMaintained = async (total: number) => {
    const region = await startFleets();
    const { FleetId = '' } = await region.create(total, { Type: 'maintain' });
    region.pass(1000);
    return { ...region, FleetId, ids: () => region.alive().map(({ id }) => id) };
  };

  it('replaces what is lost, a while after the loss', async () => {
    const { ids, client, pass } = await startMaintained(2);
    const [lost = '', kept] = ids();
    await client.send(new TerminateInstancesCommand({ InstanceIds: [lost] }));
    pass(999);
    expect(ids()).toEqual([kept]);
    pass(1);
    expect(ids()).toEqual([kept, expect.not.stringMatching(lost)]);
  });

  it('grows, shrinks youngest first, and may be told not to terminate', async () => {
    const { ids, modify, pass, FleetId } = await startMaintained(2);
    const first = ids();
    await modify(FleetId, 3);
    pass(1000);
    expect(ids()).toHaveLength(3);
    await modify(FleetId, 2);
    pass(1000);
    expect(ids()).toEqual(first);
    await modify(FleetId, 0, 'no-termination');
    pass(60_000);
    expect(ids()).toEqual(first);
  });

  it('lets go of its instances or ends them when it is deleted, and tells them as long as it holds them', async () => {
    const { ids, remove, FleetId, pass, client } = await startMaintained(6);
    const page = await client.send(new DescribeFleetInstancesCommand({ FleetId, MaxResults: 5 }));
    expect(page.ActiveInstances).toHaveLength(5);
    const { NextToken } = page;
    expect((await client.send(new DescribeFleetInstancesCommand({ FleetId, NextToken }))).ActiveInstances).toHaveLength(
      1,
    );
    await remove(FleetId, false);
    pass(60_000);
    expect(ids()).toHaveLength(6);
    await remove(FleetId, true);
    expect(ids()).toEqual([]);
  });

  it('alone can be modified', async () => {
    const { create, modify } = await startFleets();
    const { FleetId = '' } = await create(1, { Type: 'request' });
    await expectRefusal(modify(FleetId, 2), 'Unsupported', 400);
    await expectRefusal(modify('fleet-none', 2), 'InvalidFleetId.NotFound', 400);
  });

  it('tells its history', async () => {
    const { client, FleetId } = await startMaintained(1);
    const { HistoryRecords } = await client.send(new DescribeFleetHistoryCommand({ FleetId, StartTime: new Date(0) }));
    expect(
      HistoryRecords?.map(({ EventType, EventInformation }) => [EventType, EventInformation?.EventSubType]),
    ).toEqual([
      ['fleet-change', 'submitted'],
      ['fleet-change', 'active'],
      ['instance-change', 'launched'],
    ]);
  });
});
