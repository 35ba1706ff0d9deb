import {
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingInstancesCommand,
  DescribeScalingActivitiesCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  CreateFleetCommand,
  type CreateFleetCommandInput,
  DescribeLaunchTemplateVersionsCommand,
  type RequestLaunchTemplateData,
  RequestSpotFleetCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { expectRefusal, idsOf, startRegion } from './region.ts';

const tags = (count: number) => Array.from({ length: count }, (_, n) => ({ Key: `k${n}`, Value: '' }));
const subnets = {
  'subnet-0000000a': { zone: 'us-east-1a', vpc: 'vpc-00000001' },
  'subnet-0000001a': { zone: 'us-east-1a', vpc: 'vpc-00000001' },
  'subnet-0000000b': { zone: 'us-east-1b', vpc: 'vpc-00000001' },
};
const tagging = (...types: ('instance' | 'network-interface' | 'spot-instances-request')[]) => ({
  TagSpecifications: types.map((ResourceType) => ({ ResourceType, Tags: tags(1) })),
});

describe('RunInstances refuses what EC2 refuses', () => {
  it.each<[string, Partial<RunInstancesCommandInput>, string, RegExp]>([
    [
      'a subnet for an interface that exists',
      { NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: 'eni-1', SubnetId: 'subnet-0000000a' }] },
      'InvalidParameterCombination',
      /existing network interface/,
    ],
    [
      'tags for interfaces where none is made',
      { NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: 'eni-1' }], ...tagging('network-interface') },
      'InvalidParameterValue',
      /no network interfaces being created/,
    ],
    [
      'a public address with two interfaces',
      { NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true }, { DeviceIndex: 1 }] },
      'InvalidParameterCombination',
      /multiple network interfaces/,
    ],
    [
      'tags for Spot requests of an on-demand launch',
      tagging('spot-instances-request'),
      'InvalidParameterValue',
      /no Spot instances requests/,
    ],
    [
      'two tag specifications for one resource type',
      tagging('instance', 'instance'),
      'InvalidParameterValue',
      /must be distinct/,
    ],
    ['a type of no size', { InstanceType: 'm5.tiny' as 'm5.large' }, 'InvalidParameterValue', /m5\.tiny/],
    ['a type that does not exist', { InstanceType: 'm5.xlarge' }, 'InvalidParameterValue', /m5\.xlarge/],
    [
      'a malformed launch template id',
      { LaunchTemplate: { LaunchTemplateId: 'lt-nope' } },
      'InvalidLaunchTemplateId.Malformed',
      /lt-nope/,
    ],
  ])('%s', async (_, input, code, message) => {
    const { run, emulator } = await startRegion({ settings: { subnets, missingInstanceTypes: ['m5.xlarge'] } });
    await expectRefusal(run(input), code, 400, message);
    expect(emulator.instances()).toEqual([]);
  });

  it.each<[string, Partial<RunInstancesCommandInput>]>([
    ['a subnet', { SubnetId: 'subnet-0000000a' }],
    ['security groups', { SecurityGroupIds: ['sg-12345678'] }],
  ])('%s of the instance beside interfaces of its launch template', async (_, input) => {
    const { run, template } = await startRegion({ settings: { subnets } });
    const LaunchTemplateId = await template({ NetworkInterfaces: [{ DeviceIndex: 0, Groups: ['sg-12345678'] }] });
    const call = run({ LaunchTemplate: { LaunchTemplateId }, ...input });
    await expectRefusal(call, 'InvalidParameterCombination', 400, /Network interfaces and .*instance-level/);
  });

  it('a client token whose instance is terminated', async () => {
    const { run, client, pass } = await startRegion();
    const instances = await run({ ClientToken: 'once' });
    await client.send(new TerminateInstancesCommand({ InstanceIds: idsOf(instances) }));
    pass(60_000);
    await expectRefusal(run({ ClientToken: 'once' }), 'IdempotentInstanceTerminated', 400);
  });
});

describe('launch templates refuse what EC2 refuses', () => {
  it.each<[string, RequestLaunchTemplateData, string]>([
    ['51 tags', { TagSpecifications: [{ ResourceType: 'instance', Tags: tags(51) }] }, 'TagLimitExceeded'],
    ['two tag specifications for one type', tagging('instance', 'instance'), 'InvalidParameterValue'],
  ])('%s in their data', async (_, data, code) => {
    const { template } = await startRegion();
    await expectRefusal(template(data), code, 400);
  });

  it('a malformed id', async () => {
    const { client } = await startRegion();
    const call = client.send(new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: 'lt-nope' }));
    await expectRefusal(call, 'InvalidLaunchTemplateId.Malformed', 400);
  });
});

describe('fleets refuse what EC2 refuses', () => {
  const startFleets = async () => {
    const region = await startRegion({ settings: { subnets } });
    const LaunchTemplateId = await region.template();
    const LaunchTemplateSpecification = { LaunchTemplateId, Version: '1' };
    const create = (input: Partial<CreateFleetCommandInput>, Overrides: object[] = []) =>
      region.client.send(
        new CreateFleetCommand({
          Type: 'instant',
          LaunchTemplateConfigs: [{ LaunchTemplateSpecification, Overrides }],
          TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: 'on-demand' },
          ...input,
        }),
      );
    const request = (Overrides: object[]) =>
      region.client.send(
        new RequestSpotFleetCommand({
          SpotFleetRequestConfig: {
            IamFleetRole: 'arn:aws:iam::1:role/fleet',
            TargetCapacity: 1,
            LaunchTemplateConfigs: [{ LaunchTemplateSpecification, Overrides }],
          },
        }),
      );
    return { ...region, create, request };
  };
  const requirements = { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 4096 } };

  it.each<[string, object[]]>([
    ['two overrides of one pool', [{ InstanceType: 'm5.large' }, { InstanceType: 'm5.large' }]],
    ['two subnets of one zone', [{ SubnetId: 'subnet-0000000a' }, { SubnetId: 'subnet-0000001a' }]],
    [
      'requirements in two subnets of one zone',
      [
        { SubnetId: 'subnet-0000000a', InstanceRequirements: requirements },
        { SubnetId: 'subnet-0000001a', InstanceRequirements: requirements },
      ],
    ],
  ])('%s', async (_, overrides) => {
    const { create, request, emulator } = await startFleets();
    await expectRefusal(create({}, overrides), 'InvalidFleetConfig', 400, /duplicate instance pools/);
    await expectRefusal(create({ Type: 'maintain' }, overrides), 'InvalidFleetConfig', 400);
    await expectRefusal(request(overrides), 'InvalidSpotFleetRequestConfig', 400, /duplicate instance pools/);
    expect(emulator.instances()).toEqual([]);
  });

  it('takes one subnet of each zone', async () => {
    const { create } = await startFleets();
    const { Errors } = await create({}, [{ SubnetId: 'subnet-0000000a' }, { SubnetId: 'subnet-0000000b' }]);
    expect(Errors ?? []).toEqual([]);
  });

  it('an instant fleet of nothing', async () => {
    const { create } = await startFleets();
    const TargetCapacitySpecification = { TotalTargetCapacity: 0 };
    await expectRefusal(create({ TargetCapacitySpecification }), 'InvalidParameterValue', 400);
  });

  it('more than four requirements', async () => {
    const { create } = await startFleets();
    const overrides = Array.from({ length: 5 }, () => ({ InstanceRequirements: requirements }));
    await expectRefusal(create({}, overrides), 'InvalidParameterValue', 400, /InstanceRequirements \(4\)/);
  });

  it('tags for interfaces in the call', async () => {
    const { create } = await startFleets();
    await expectRefusal(create(tagging('network-interface')), 'InvalidParameterValue', 400, /taggable/);
  });
});

describe('Auto Scaling refuses what it refuses', () => {
  it('a group without subnets and zones', async () => {
    const { autoScaling, template } = await startRegion();
    const LaunchTemplate = { LaunchTemplateId: await template() };
    const input = { AutoScalingGroupName: 'g', MinSize: 0, MaxSize: 1, LaunchTemplate };
    const call = autoScaling.send(new CreateAutoScalingGroupCommand(input));
    await expectRefusal(call, 'ValidationError', 400, /Availability Zone or VPC Subnet/);
  });

  it('pages that are too large, in its own words', async () => {
    const { autoScaling } = await startRegion();
    const activities = autoScaling.send(new DescribeScalingActivitiesCommand({ MaxRecords: 101 }));
    await expectRefusal(activities, 'ValidationError', 400, /'101' at 'maxRecords'/);
    const instances = autoScaling.send(new DescribeAutoScalingInstancesCommand({ MaxRecords: 51 }));
    await expectRefusal(instances, 'ValidationError', 400, /'51' at 'maxRecords'/);
  });
});

it('Systems Manager refuses an unknown action in its own words', async () => {
  const { emulator } = await startRegion();
  const response = await fetch(emulator.url, {
    method: 'POST',
    headers: { authorization: 'Credential=A/x', 'x-amz-target': 'AmazonSSM.GetNothing' },
    body: '{}',
  });
  expect([response.status, await response.json()]).toMatchObject([400, { __type: 'UnknownOperationException' }]);
});
