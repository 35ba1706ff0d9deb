import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Template } from '../../../../../src/domain/template/template.ts';
import { fieldEntries } from '../../../../../src/templates/fields/template-fields.ts';
import { temporaryFolder } from '../../../temporary-folder.ts';
import { reservationGroup, startLaunches } from '../launches.ts';

type Api = 'RunInstances' | 'EC2Fleet' | 'SpotFleet' | 'ASG';
/** Template fields, the AWS call they come to, and its parameters: text as it is, or `undefined` for none. */
type Row = readonly [
  fields: Partial<Template>,
  action: string,
  parameters: Readonly<Record<string, string | undefined>>,
];

const apis: readonly Api[] = ['RunInstances', 'EC2Fleet', 'SpotFleet', 'ASG'];
const fleetRole = 'arn:aws:iam::1:role/fleet';
const types = { 'm5.large': 1, 'c5.large': 2 };
const requirements = { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 4096 } };
const twoZones = ['subnet-0000000a', 'subnet-0000000b'];

/** What is needed for a template to be served by the API at all. */
const bases: Readonly<Record<Api, Partial<Template>>> = {
  RunInstances: { providerApi: 'RunInstances' },
  EC2Fleet: { providerApi: 'EC2Fleet' },
  SpotFleet: { providerApi: 'SpotFleet', priceType: 'spot', fleetRole },
  ASG: { providerApi: 'ASG' },
};

/** What each host is: in the launch call of RunInstances, in the launch template of all others. */
const ofEachHost: readonly (readonly [Partial<Template>, Readonly<Record<string, string | undefined>>])[] = [
  [{ imageId: 'ami-87654321' }, { ImageId: 'ami-87654321' }],
  [{ keyName: 'mine' }, { KeyName: 'mine' }],
  [
    { securityGroupIds: ['sg-00000001', 'sg-00000002'] },
    { 'SecurityGroupId.1': 'sg-00000001', 'SecurityGroupId.2': 'sg-00000002' },
  ],
  [{ instanceProfile: 'host' }, { 'IamInstanceProfile.Name': 'host' }],
  [
    { instanceProfile: 'arn:aws:iam::1:instance-profile/h' },
    { 'IamInstanceProfile.Arn': 'arn:aws:iam::1:instance-profile/h' },
  ],
  [{ placementGroupName: 'near' }, { 'Placement.GroupName': 'near' }],
  [{ tenancy: 'dedicated' }, { 'Placement.Tenancy': 'dedicated' }],
  [{ ebsOptimized: true }, { EbsOptimized: 'true' }],
  [
    { rootDeviceVolumeSize: 50, volumeType: 'io2', iops: 900 },
    {
      'BlockDeviceMapping.1.DeviceName': '/dev/xvda',
      'BlockDeviceMapping.1.Ebs.VolumeSize': '50',
      'BlockDeviceMapping.1.Ebs.VolumeType': 'io2',
      'BlockDeviceMapping.1.Ebs.Iops': '900',
      'BlockDeviceMapping.1.Ebs.DeleteOnTermination': 'true',
    },
  ],
  [
    { interfaceType: 'efa', efaCount: 2 },
    {
      'NetworkInterface.1.InterfaceType': 'efa',
      'NetworkInterface.2.InterfaceType': 'efa',
      'NetworkInterface.2.NetworkCardIndex': '1',
      'NetworkInterface.3.InterfaceType': undefined,
    },
  ],
  [{ launchTemplateSpec: { Monitoring: { Enabled: true } } }, { 'Monitoring.Enabled': 'true' }],
  [{}, { 'MetadataOptions.HttpTokens': 'required', InstanceInitiatedShutdownBehavior: 'terminate' }],
];

const inLaunchTemplate = (parameters: Row[2]): Row[2] =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`LaunchTemplateData.${name}`, value]));

const strategies = [
  ['capacityOptimized', 'capacity-optimized', 'capacityOptimized'],
  ['capacityOptimizedPrioritized', 'capacity-optimized-prioritized', 'capacityOptimizedPrioritized'],
  ['lowestPrice', 'lowest-price', 'lowestPrice'],
  [undefined, 'price-capacity-optimized', 'priceCapacityOptimized'],
] as const;
const strategyOf = (name: string | undefined): Partial<Template> =>
  name === undefined ? {} : { allocationStrategy: name };

const override = (n: number, name: string) => `LaunchTemplateConfigs.1.Overrides.${n}.${name}`;
const spotOverride = (n: number, name: string) => `SpotFleetRequestConfig.${override(n, name)}`;
const target = (name: string) => `TargetCapacitySpecification.${name}`;
const mixed = (name: string) => `MixedInstancesPolicy.${name}`;
const distribution = (name: string) => mixed(`InstancesDistribution.${name}`);
const groupOverride = (n: number, name: string) => mixed(`LaunchTemplate.Overrides.${n}.${name}`);

/** What each host is where it is bought on demand alone. */
const reserved: typeof ofEachHost = [
  [{ capacityReservation: 'open' }, { 'CapacityReservationSpecification.CapacityReservationPreference': 'open' }],
  [{ capacityReservation: 'none' }, { 'CapacityReservationSpecification.CapacityReservationPreference': 'none' }],
  [
    { capacityReservation: 'cr-00000001' },
    {
      'CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId': 'cr-00000001',
      'CapacityReservationSpecification.CapacityReservationPreference': undefined,
      'InstanceMarketOptions.MarketType': undefined,
    },
  ],
  [
    { capacityReservation: reservationGroup },
    {
      'CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationResourceGroupArn':
        reservationGroup,
    },
  ],
];
const block: Partial<Template> = {
  capacityReservation: 'cr-00000002',
  marketType: 'capacity-block',
  vmType: 'p5.48xlarge',
};
const blockData = {
  'CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId': 'cr-00000002',
  'InstanceMarketOptions.MarketType': 'capacity-block',
};
const usageStrategy = 'OnDemandOptions.CapacityReservationOptions.UsageStrategy';
const reservationsFirst = 'use-capacity-reservations-first';

const spot: Partial<Template> = { priceType: 'spot', vmTypes: types };

/** What each API makes of where, how many, of what market and by what choice. Two hosts or units are asked for. */
const ofTheCall: Readonly<Record<Api, readonly Row[]>> = {
  RunInstances: [
    [{ vmType: 'c5.large' }, 'RunInstances', { InstanceType: 'c5.large' }],
    [{ vmTypes: types }, 'RunInstances', { InstanceType: 'm5.large' }],
    [{ subnetIds: ['subnet-0000000b'] }, 'RunInstances', { SubnetId: 'subnet-0000000b' }],
    [{ allOrNothing: true }, 'RunInstances', { MinCount: '2', MaxCount: '2' }],
    [{ allOrNothing: false }, 'RunInstances', { MinCount: '1', MaxCount: '2' }],
    [
      { priceType: 'spot', maxSpotPrice: '0.07' },
      'RunInstances',
      {
        'InstanceMarketOptions.MarketType': 'spot',
        'InstanceMarketOptions.SpotOptions.SpotInstanceType': 'one-time',
        'InstanceMarketOptions.SpotOptions.MaxPrice': '0.07',
      },
    ],
    [
      { priceType: 'ondemand', maxSpotPrice: '0.07' },
      'RunInstances',
      { 'InstanceMarketOptions.MarketType': undefined },
    ],
    [{ providerApiSpec: { Ipv6AddressCount: 1 } }, 'RunInstances', { Ipv6AddressCount: '1' }],
    [block, 'RunInstances', blockData],
  ],
  EC2Fleet: [
    [{ vmType: 'c5.large' }, 'CreateFleet', { [override(1, 'InstanceType')]: 'c5.large' }],
    [
      { vmTypes: types, vmTypesPriority: { 'c5.large': 1, 'm5.large': 2 } },
      'CreateFleet',
      {
        [override(1, 'InstanceType')]: 'm5.large',
        [override(1, 'WeightedCapacity')]: '1',
        [override(1, 'Priority')]: '2',
        [override(2, 'InstanceType')]: 'c5.large',
        [override(2, 'WeightedCapacity')]: '2',
        [override(2, 'Priority')]: '1',
      },
    ],
    [
      { subnetIds: twoZones },
      'CreateFleet',
      { [override(1, 'SubnetId')]: 'subnet-0000000a', [override(2, 'SubnetId')]: 'subnet-0000000b' },
    ],
    [
      { ...spot, maxSpotPrice: '0.07' },
      'CreateFleet',
      { [override(1, 'MaxPrice')]: '0.07', [override(2, 'MaxPrice')]: '0.07' },
    ],
    [{ maxSpotPrice: '0.07' }, 'CreateFleet', { [override(1, 'MaxPrice')]: undefined }],
    ...strategies.map(
      ([name, ec2]): Row => [
        { ...spot, ...strategyOf(name) },
        'CreateFleet',
        { 'SpotOptions.AllocationStrategy': ec2, 'OnDemandOptions.AllocationStrategy': undefined },
      ],
    ),
    [
      { ...spot, allocationStrategy: 'diversified' },
      'CreateFleet',
      { 'SpotOptions.AllocationStrategy': 'diversified' },
    ],
    [
      { ...spot, allocationStrategy: 'lowestPrice', poolsCount: 2 },
      'CreateFleet',
      { 'SpotOptions.InstancePoolsToUseCount': '2' },
    ],
    [{ ...spot, poolsCount: 2 }, 'CreateFleet', { 'SpotOptions.InstancePoolsToUseCount': undefined }],
    [
      { allocationStrategyOnDemand: 'prioritized' },
      'CreateFleet',
      { 'OnDemandOptions.AllocationStrategy': 'prioritized' },
    ],
    [
      { allocationStrategyOnDemand: 'lowestPrice' },
      'CreateFleet',
      { 'OnDemandOptions.AllocationStrategy': 'lowest-price' },
    ],
    [
      { priceType: 'ondemand' },
      'CreateFleet',
      {
        [target('TotalTargetCapacity')]: '2',
        [target('OnDemandTargetCapacity')]: '2',
        [target('SpotTargetCapacity')]: '0',
        [target('DefaultTargetCapacityType')]: 'on-demand',
      },
    ],
    [
      { ...spot, percentOnDemand: 50 },
      'CreateFleet',
      {
        [target('TotalTargetCapacity')]: '2',
        [target('OnDemandTargetCapacity')]: '1',
        [target('SpotTargetCapacity')]: '1',
        [target('DefaultTargetCapacityType')]: 'spot',
      },
    ],
    [
      { allOrNothing: true },
      'CreateFleet',
      { 'OnDemandOptions.MinTargetCapacity': '2', 'OnDemandOptions.SingleAvailabilityZone': 'true' },
    ],
    [
      { ...bases.EC2Fleet, priceType: 'spot', allOrNothing: true, subnetIds: twoZones },
      'CreateFleet',
      { 'SpotOptions.MinTargetCapacity': '2', 'SpotOptions.SingleInstanceType': 'true' },
    ],
    [{ allOrNothing: false }, 'CreateFleet', { 'OnDemandOptions.MinTargetCapacity': undefined }],
    [{}, 'CreateFleet', { Type: 'instant', ValidUntil: undefined }],
    [{ fleetType: 'request' }, 'CreateFleet', { Type: 'request', TerminateInstancesWithExpiration: 'false' }],
    [
      { fleetType: 'maintain' },
      'CreateFleet',
      { Type: 'maintain', ReplaceUnhealthyInstances: 'false', ExcessCapacityTerminationPolicy: 'no-termination' },
    ],
    [
      { ...spot, vmTypesOnDemand: { 'm5.large': 1 }, priceType: 'heterogeneous' },
      'CreateFleet',
      { Type: 'request', [target('SpotTargetCapacity')]: '2', [target('OnDemandTargetCapacity')]: '0' },
    ],
    [
      { abisInstanceRequirements: requirements },
      'CreateFleet',
      { [override(1, 'InstanceRequirements.VCpuCount.Min')]: '2' },
    ],
    [{ providerApiSpec: { Context: 'mine' } }, 'CreateFleet', { Context: 'mine' }],
    ...['open', 'cr-00000001', reservationGroup].map(
      (capacityReservation): Row => [
        { capacityReservation },
        'CreateFleet',
        { [usageStrategy]: reservationsFirst, 'OnDemandOptions.AllocationStrategy': 'lowest-price' },
      ],
    ),
    [{ capacityReservation: 'none' }, 'CreateFleet', { [usageStrategy]: undefined }],
    [{ capacityReservation: 'open', fleetType: 'request' }, 'CreateFleet', { [usageStrategy]: undefined }],
    [block, 'CreateLaunchTemplate', inLaunchTemplate(blockData)],
    [
      block,
      'CreateFleet',
      {
        [target('TotalTargetCapacity')]: '2',
        [target('OnDemandTargetCapacity')]: undefined,
        [target('DefaultTargetCapacityType')]: 'capacity-block',
        'OnDemandOptions.AllocationStrategy': undefined,
      },
    ],
  ],
  SpotFleet: [
    [{ fleetRole }, 'RequestSpotFleet', { 'SpotFleetRequestConfig.IamFleetRole': fleetRole }],
    [
      { vmTypes: types, vmTypesPriority: { 'c5.large': 1, 'm5.large': 2 }, maxSpotPrice: '0.07' },
      'RequestSpotFleet',
      {
        [spotOverride(1, 'InstanceType')]: 'm5.large',
        [spotOverride(1, 'WeightedCapacity')]: '1',
        [spotOverride(1, 'Priority')]: '2',
        [spotOverride(1, 'SpotPrice')]: '0.07',
        [spotOverride(2, 'InstanceType')]: 'c5.large',
        [spotOverride(2, 'WeightedCapacity')]: '2',
        [spotOverride(2, 'Priority')]: '1',
        [spotOverride(2, 'SpotPrice')]: '0.07',
      },
    ],
    [{ vmType: 'c5.large' }, 'RequestSpotFleet', { [spotOverride(1, 'InstanceType')]: 'c5.large' }],
    [
      { subnetIds: twoZones },
      'RequestSpotFleet',
      { [spotOverride(1, 'SubnetId')]: 'subnet-0000000a', [spotOverride(2, 'SubnetId')]: 'subnet-0000000b' },
    ],
    ...strategies.map(
      ([name, , spotFleet]): Row => [
        { vmTypes: types, ...strategyOf(name) },
        'RequestSpotFleet',
        { 'SpotFleetRequestConfig.AllocationStrategy': spotFleet },
      ],
    ),
    [
      { allocationStrategy: 'diversified' },
      'RequestSpotFleet',
      { 'SpotFleetRequestConfig.AllocationStrategy': 'diversified' },
    ],
    [
      { allocationStrategy: 'lowestPrice', poolsCount: 2 },
      'RequestSpotFleet',
      { 'SpotFleetRequestConfig.InstancePoolsToUseCount': '2' },
    ],
    [
      { allocationStrategyOnDemand: 'prioritized' },
      'RequestSpotFleet',
      { 'SpotFleetRequestConfig.OnDemandAllocationStrategy': 'prioritized' },
    ],
    [{ priceType: 'ondemand' }, 'RequestSpotFleet', { 'SpotFleetRequestConfig.OnDemandTargetCapacity': '2' }],
    [
      { percentOnDemand: 50 },
      'RequestSpotFleet',
      {
        'SpotFleetRequestConfig.TargetCapacity': '2',
        'SpotFleetRequestConfig.OnDemandTargetCapacity': '1',
        'SpotFleetRequestConfig.TerminateInstancesWithExpiration': 'false',
        'SpotFleetRequestConfig.Type': 'request',
      },
    ],
    // Spot for all of it; what it does not find is sought on demand by an EC2 Fleet.
    [
      { vmTypes: types, vmTypesOnDemand: { 'm5.large': 1 }, priceType: 'heterogeneous' },
      'RequestSpotFleet',
      {
        'SpotFleetRequestConfig.TargetCapacity': '2',
        'SpotFleetRequestConfig.OnDemandTargetCapacity': undefined,
        'SpotFleetRequestConfig.Type': 'request',
        [spotOverride(1, 'InstanceType')]: 'm5.large',
        [spotOverride(2, 'InstanceType')]: 'c5.large',
      },
    ],
    [
      { fleetType: 'maintain' },
      'RequestSpotFleet',
      {
        'SpotFleetRequestConfig.Type': 'maintain',
        'SpotFleetRequestConfig.ReplaceUnhealthyInstances': 'false',
        'SpotFleetRequestConfig.ExcessCapacityTerminationPolicy': 'noTermination',
      },
    ],
    [
      { abisInstanceRequirements: requirements },
      'RequestSpotFleet',
      { [spotOverride(1, 'InstanceRequirements.VCpuCount.Min')]: '2' },
    ],
    [{ providerApiSpec: { Context: 'mine' } }, 'RequestSpotFleet', { 'SpotFleetRequestConfig.Context': 'mine' }],
  ],
  ASG: [
    [
      { vmTypes: types, vmTypesPriority: { 'c5.large': 1, 'm5.large': 2 } },
      'CreateAutoScalingGroup',
      {
        [groupOverride(1, 'InstanceType')]: 'c5.large',
        [groupOverride(1, 'WeightedCapacity')]: '2',
        [groupOverride(2, 'InstanceType')]: 'm5.large',
        [groupOverride(2, 'WeightedCapacity')]: '1',
      },
    ],
    [{ vmType: 'c5.large' }, 'CreateAutoScalingGroup', { [groupOverride(1, 'InstanceType')]: 'c5.large' }],
    [{ subnetIds: twoZones }, 'CreateAutoScalingGroup', { VPCZoneIdentifier: twoZones.join(',') }],
    [{}, 'CreateAutoScalingGroup', { MinSize: '0', MaxSize: '2', DesiredCapacity: '0', CapacityRebalance: 'false' }],
    [{}, 'UpdateAutoScalingGroup', { DesiredCapacity: '2' }],
    [
      { ...spot, maxSpotPrice: '0.07', percentOnDemand: 50 },
      'CreateAutoScalingGroup',
      {
        [distribution('SpotMaxPrice')]: '0.07',
        [distribution('OnDemandBaseCapacity')]: '1',
        [distribution('OnDemandPercentageAboveBaseCapacity')]: '0',
      },
    ],
    // Spot for all of it; what it does not find is sought on demand by an EC2 Fleet.
    [
      { ...spot, vmTypesOnDemand: { 'm5.large': 1 }, priceType: 'heterogeneous', maxSpotPrice: '0.07' },
      'CreateAutoScalingGroup',
      {
        [distribution('SpotMaxPrice')]: '0.07',
        [distribution('OnDemandBaseCapacity')]: '0',
        [distribution('OnDemandPercentageAboveBaseCapacity')]: '0',
        [groupOverride(1, 'InstanceType')]: 'm5.large',
        [groupOverride(2, 'InstanceType')]: 'c5.large',
      },
    ],
    [
      { priceType: 'ondemand', maxSpotPrice: '0.07' },
      'CreateAutoScalingGroup',
      {
        [distribution('SpotMaxPrice')]: undefined,
        [distribution('OnDemandBaseCapacity')]: '0',
        [distribution('OnDemandPercentageAboveBaseCapacity')]: '100',
      },
    ],
    ...strategies.map(
      ([name, ec2]): Row => [
        { ...spot, ...strategyOf(name) },
        'CreateAutoScalingGroup',
        { [distribution('SpotAllocationStrategy')]: ec2 },
      ],
    ),
    [
      { ...spot, allocationStrategy: 'lowestPrice', poolsCount: 2 },
      'CreateAutoScalingGroup',
      { [distribution('SpotInstancePools')]: '2' },
    ],
    [
      { allocationStrategyOnDemand: 'prioritized' },
      'CreateAutoScalingGroup',
      { [distribution('OnDemandAllocationStrategy')]: 'prioritized' },
    ],
    [
      { abisInstanceRequirements: requirements },
      'CreateAutoScalingGroup',
      { [groupOverride(1, 'InstanceRequirements.VCpuCount.Min')]: '2' },
    ],
    [{ providerApiSpec: { HealthCheckGracePeriod: 60 } }, 'CreateAutoScalingGroup', { HealthCheckGracePeriod: '60' }],
  ],
};

const rowsOf = (api: Api): readonly Row[] => [
  ...ofTheCall[api],
  ...[...ofEachHost, ...(api === 'SpotFleet' ? [] : reserved)].map(
    ([fields, parameters]): Row =>
      api === 'RunInstances'
        ? [fields, 'RunInstances', parameters]
        : [fields, 'CreateLaunchTemplate', inLaunchTemplate(parameters)],
  ),
];

/** What was sent of the parameters that a row names; those of value `undefined` may not be there. */
const sentOf = async (api: Api, [fields, action, parameters]: Row) => {
  const { launch, sent } = await startLaunches();
  const reports = await launch({ ...bases[api], ...fields });
  expect(reports[0]?.refusal).toBeUndefined();
  const call = sent(action).at(-1) ?? {};
  return Object.fromEntries(Object.keys(parameters).map((name) => [name, call[name]]));
};

describe.each(apis)('by %s', (api) => {
  it.each(rowsOf(api).map((row) => [JSON.stringify(row[0]), row[1], row] as const))(
    '%s comes to %s',
    async (_fields, _action, row) => {
      expect(await sentOf(api, row)).toEqual(row[2]);
    },
  );

  it('userDataScript is the user data', async () => {
    const userDataScript = join(await temporaryFolder(), 'user-data.sh');
    await writeFile(userDataScript, '#!/bin/sh\n');
    const UserData = Buffer.from('#!/bin/sh\n').toString('base64');
    const row: Row =
      api === 'RunInstances'
        ? [{ userDataScript }, 'RunInstances', { UserData }]
        : [{ userDataScript }, 'CreateLaunchTemplate', { 'LaunchTemplateData.UserData': UserData }];
    expect(await sentOf(api, row)).toEqual(row[2]);
  });

  it('instanceTags are on the hosts, with ours', async () => {
    const { launch, emulator } = await startLaunches();
    await launch({ ...bases[api], instanceTags: [['team', 'quant']] });
    await expect.poll(() => emulator.instances().map(({ tags }) => tags)).toHaveLength(2);
    for (const { tags } of emulator.instances())
      expect(tags).toMatchObject({
        team: 'quant',
        'hf-aws:owner': 'hostfactory/awsinst',
        'hf-aws:request-id': 'req-1',
      });
  });
});

it.each(['EC2Fleet', 'SpotFleet'] as const)('spotFleetRequestExpiry is how long a fleet looks: %s', async (api) => {
  const { launch, sent } = await startLaunches();
  const before = Date.now();
  await launch({ ...bases[api], fleetType: 'request', spotFleetRequestExpiry: 7 });
  const [call = {}] = sent(api === 'EC2Fleet' ? 'CreateFleet' : 'RequestSpotFleet');
  const until = Date.parse(call['ValidUntil'] ?? call['SpotFleetRequestConfig.ValidUntil'] ?? '');
  expect(Math.round((until - before) / 60_000)).toBe(7);
});

it.each([
  ['of this name', 'grid', 'arn:aws:iam::123456789012:role/grid'],
  [
    'that AWS makes for an account where none is given',
    undefined,
    'arn:aws:iam::123456789012:role/aws-service-role/spotfleet.amazonaws.com/AWSServiceRoleForEC2SpotFleet',
  ],
])('fleetRole is the role %s, in the account of the credentials', async (_what, role, arn) => {
  const { launch, sent } = await startLaunches();
  await launch({ providerApi: 'SpotFleet', priceType: 'spot', ...(role === undefined ? {} : { fleetRole: role }) });
  expect(sent('RequestSpotFleet')).toEqual([expect.objectContaining({ 'SpotFleetRequestConfig.IamFleetRole': arn })]);
});

it('autoScalingGroupName is the group that is launched into', async () => {
  const { launch, sent } = await startLaunches();
  await launch({ providerApi: 'ASG', autoScalingGroupName: 'theirs' });
  expect(sent('LaunchInstances')[0]).toMatchObject({
    AutoScalingGroupName: 'theirs',
    'SubnetIds.1': 'subnet-0000000a',
    RequestedCapacity: '2',
  });
});

/** What is proved above or elsewhere by more than a call's parameters. */
const provedOtherwise: Readonly<Record<string, string>> = {
  userDataScript: 'is the user data, above',
  instanceTags: 'are on the hosts, above',
  spotFleetRequestExpiry: 'is how long a fleet looks, above',
  autoScalingGroupName: 'is the group that is launched into, above',
  launchTemplateId: 'refused-before-sent.spec.ts and launch-templates.spec.ts',
  launchTemplateVersion: 'refused-before-sent.spec.ts and launch-templates.spec.ts',
  vmTypesOnDemand: 'launches of the rest that spot did not give: ec2-fleet.spec.ts',
};

/** The parameters that a row finds in the call, without the numbers of lists. */
const foundBy = ([, , parameters]: Row): readonly string[] =>
  Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [name.replaceAll(/\.\d+\b/g, '')]));

const told = fieldEntries
  .filter(([name]) => provedOtherwise[name] === undefined)
  .flatMap(([name, { aws = {} }]) => apis.map((api) => [name, api, aws[api] ?? []] as const))
  .filter(([, , parameters]) => parameters.length > 0);

it.each(told)('the table of fields tells of %s by %s what a row finds', (name, api, parameters) => {
  const inTemplate = name === 'subnetId' ? 'subnetIds' : name;
  const found = rowsOf(api)
    .filter(([fields]) => Object.hasOwn(fields, inTemplate))
    .flatMap(foundBy);
  const isFound = (parameter: string): boolean =>
    found.some((each) => parameter.endsWith('*') || each === parameter || each.startsWith(`${parameter}.`));
  expect(parameters.filter((parameter) => !isFound(parameter))).toEqual([]);
});

it('the table of fields tells of every field but those that AWS never hears of', () => {
  const silent = fieldEntries.filter(([, { aws }]) => aws === undefined).map(([name]) => name);
  expect(silent).toEqual(['templateId', 'maxNumber', 'attributes', 'providerApi']);
});
