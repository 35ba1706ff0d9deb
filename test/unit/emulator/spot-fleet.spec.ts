import {
  CancelSpotFleetRequestsCommand,
  DescribeSpotFleetInstancesCommand,
  DescribeSpotFleetRequestHistoryCommand,
  DescribeSpotFleetRequestsCommand,
  DescribeSpotInstanceRequestsCommand,
  ModifySpotFleetRequestCommand,
  RequestSpotFleetCommand,
  type SpotFleetRequestConfigData,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/emulator/settings.ts';
import { expectRefusal, startRegion } from './region.ts';

const specification = {
  ImageId: 'ami-12345678',
  InstanceType: 'm5.large' as const,
  SubnetId: 'subnet-aaaaaaaa, subnet-bbbbbbbb',
  SecurityGroups: [{ GroupId: 'sg-12345678' }],
  TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key: 'owner', Value: 'hf' }] }],
};

const startSpotFleets = async (settings: Partial<Settings> = {}) => {
  const subnets = {
    'subnet-aaaaaaaa': { zone: 'us-east-1a', vpc: 'vpc-aaaaaaaa' },
    'subnet-bbbbbbbb': { zone: 'us-east-1b', vpc: 'vpc-aaaaaaaa' },
  };
  const region = await startRegion({ settings: { subnets, ...settings } });
  const request = async (config: Partial<SpotFleetRequestConfigData> = {}) => {
    const defaults = {
      IamFleetRole: 'arn:aws:iam::123456789012:role/fleet',
      TargetCapacity: 2,
      Type: 'request' as const,
    };
    const command = new RequestSpotFleetCommand({
      SpotFleetRequestConfig: { ...defaults, LaunchSpecifications: [specification], ...config },
    });
    return (await region.client.send(command)).SpotFleetRequestId ?? '';
  };
  const told = async (id: string) =>
    (await region.client.send(new DescribeSpotFleetRequestsCommand({ SpotFleetRequestIds: [id] })))
      .SpotFleetRequestConfigs?.[0];
  const alive = () => region.emulator.instances().filter(({ state }) => state === 'pending' || state === 'running');
  const cancel = (id: string, TerminateInstances: boolean) =>
    region.client.send(new CancelSpotFleetRequestsCommand({ SpotFleetRequestIds: [id], TerminateInstances }));
  return { ...region, request, told, alive, cancel };
};

describe('a Spot Fleet request', () => {
  it('launches Spot instances over the subnets of its launch specification, with requests of their own', async () => {
    const { request, pass, alive, client } = await startSpotFleets();
    const id = await request({ AllocationStrategy: 'diversified' });
    pass(1000);
    expect(alive()).toMatchObject([
      { zone: 'us-east-1a', lifecycle: 'spot', tags: { owner: 'hf', 'aws:ec2spot:fleet-request-id': id } },
      { zone: 'us-east-1b', lifecycle: 'spot' },
    ]);
    const { SpotInstanceRequests } = await client.send(new DescribeSpotInstanceRequestsCommand({}));
    expect(SpotInstanceRequests).toHaveLength(2);
    const command = new DescribeSpotFleetInstancesCommand({ SpotFleetRequestId: id, MaxResults: 1 });
    const { ActiveInstances, NextToken } = await client.send(command);
    expect(ActiveInstances).toMatchObject([
      { SpotInstanceRequestId: SpotInstanceRequests?.[0]?.SpotInstanceRequestId },
    ]);
    expect(NextToken).toBeDefined();
  });

  it('launches on demand what is to be, from launch templates as well, by weight', async () => {
    const { request, pass, alive, template, told } = await startSpotFleets();
    const LaunchTemplateId = await template();
    const id = await request({
      TargetCapacity: 6,
      OnDemandTargetCapacity: 2,
      LaunchSpecifications: undefined,
      LaunchTemplateConfigs: [
        {
          LaunchTemplateSpecification: { LaunchTemplateId, Version: '1' },
          Overrides: [{ SubnetId: 'subnet-aaaaaaaa', WeightedCapacity: 2 }],
        },
      ],
    });
    pass(1000);
    expect(alive().map(({ lifecycle }) => lifecycle)).toEqual([undefined, 'spot', 'spot']);
    expect(await told(id)).toMatchObject({
      SpotFleetRequestState: 'active',
      ActivityStatus: 'fulfilled',
      SpotFleetRequestConfig: { TargetCapacity: 6, FulfilledCapacity: 6, OnDemandFulfilledCapacity: 2 },
    });
  });

  it('tells in its history what was launched and why the rest was not', async () => {
    const { request, pass, client } = await startSpotFleets({
      capacity: { '*:us-east-1a': 1 },
      refusals: { '*:us-east-1b': 'MaxSpotInstanceCountExceeded' },
    });
    const SpotFleetRequestId = await request();
    pass(5000);
    const command = new DescribeSpotFleetRequestHistoryCommand({ SpotFleetRequestId, StartTime: new Date(0) });
    const { HistoryRecords = [] } = await client.send(command);
    expect(
      HistoryRecords.map(({ EventType, EventInformation }) => [EventType, EventInformation?.EventSubType]),
    ).toEqual([
      ['fleetRequestChange', 'submitted'],
      ['fleetRequestChange', 'active'],
      ['error', 'launchSpecTemporarilyBlacklisted'],
      ['error', 'spotInstanceCountLimitExceeded'],
      ['instanceChange', 'launched'],
    ]);
    expect(HistoryRecords[2]?.EventInformation?.EventDescription).toMatch(
      /m5\.large, us-east-1a: InsufficientInstanceCapacity/,
    );
  });

  it('expires without its instances unless told otherwise', async () => {
    const { request, pass, alive, told } = await startSpotFleets();
    const id = await request({
      ValidUntil: new Date(Date.UTC(2026, 0, 1, 0, 1)),
      TerminateInstancesWithExpiration: false,
    });
    pass(60_000);
    expect((await told(id))?.SpotFleetRequestState).toBe('cancelled_running');
    expect(alive()).toHaveLength(2);
  });

  it('is cancelled with or without its instances, as the call must say', async () => {
    const { request, pass, alive, cancel, emulator } = await startSpotFleets();
    const id = await request();
    pass(1000);
    expect((await cancel(id, false)).SuccessfulFleetRequests).toMatchObject([
      { PreviousSpotFleetRequestState: 'active', CurrentSpotFleetRequestState: 'cancelled_running' },
    ]);
    expect(alive()).toHaveLength(2);
    await cancel(id, true);
    expect(alive()).toEqual([]);
    expect((await cancel('sfr-none', true)).UnsuccessfulFleetRequests).toMatchObject([
      { Error: { Code: 'fleetRequestIdDoesNotExist' } },
    ]);
    expect(emulator.countCalls()).toMatchObject({ CancelSpotFleetRequests: 3 });
  });

  it('of type maintain replaces interrupted instances and can be modified', async () => {
    const { request, pass, alive, emulator, client } = await startSpotFleets();
    const SpotFleetRequestId = await request({ Type: 'maintain' });
    pass(1000);
    emulator.setInstance(alive()[0]?.id ?? '', { spotStatus: 'instance-terminated-no-capacity' });
    expect(alive()).toHaveLength(1);
    pass(1000);
    expect(alive()).toHaveLength(2);
    await client.send(new ModifySpotFleetRequestCommand({ SpotFleetRequestId, TargetCapacity: 1 }));
    pass(1000);
    expect(alive()).toHaveLength(1);
  });

  it('needs a role, and gives the same id for the same token', async () => {
    const { request } = await startSpotFleets();
    await expectRefusal(request({ IamFleetRole: undefined }), 'MissingParameter', 400);
    expect(await request({ ClientToken: 't' })).toBe(await request({ ClientToken: 't' }));
    await expectRefusal(request({ ClientToken: 't', TargetCapacity: 3 }), 'IdempotentParameterMismatch', 400);
  });
});
