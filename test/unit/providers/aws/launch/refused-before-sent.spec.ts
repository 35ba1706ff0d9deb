import { CreateLaunchTemplateCommand, type RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { resultOf } from '../../../../../src/domain/machine.ts';
import type { Template } from '../../../../../src/domain/template/template.ts';
import { onDemandTemplate } from '../../../domain/template/template-fixture.ts';
import { clientOf } from '../../../emulator/region.ts';
import { startLaunches } from '../launches.ts';

const spot: Partial<Template> = {
  priceType: 'spot',
  vmTypes: { 'm5.large': 1, 'c5.large': 1 },
  subnetIds: ['subnet-0000000a', 'subnet-0000001a', 'subnet-0000000b'],
};
const twoOfZoneA = ['subnet-0000000a', 'subnet-0000001a'];

const tagsOf = (count: number, prefix = 'k') =>
  Array.from({ length: count }, (_, n) => ({ Key: `${prefix}${n}`, Value: 'v' }));

/** A launch template of the administrator's; its id. */
const makeTemplate = async (url: string, data: RequestLaunchTemplateData): Promise<string> => {
  const LaunchTemplateData = { ImageId: 'ami-12345678', InstanceType: 'm5.large', ...data } as const;
  const { LaunchTemplate } = await clientOf(url).send(
    new CreateLaunchTemplateCommand({ LaunchTemplateName: 'theirs', LaunchTemplateData }),
  );
  return LaunchTemplate?.LaunchTemplateId ?? '';
};

describe('a fleet draws on one subnet of a zone for each type', () => {
  it.each<[string, Partial<Template>, string, RegExp]>([
    ['EC2 Fleet, instant', spot, 'CreateFleet', /Overrides\.\d+\.SubnetId$/],
    ['EC2 Fleet, request', { ...spot, fleetType: 'request' }, 'CreateFleet', /Overrides\.\d+\.SubnetId$/],
    ['EC2 Fleet, maintain', { ...spot, fleetType: 'maintain' }, 'CreateFleet', /Overrides\.\d+\.SubnetId$/],
    ['EC2 Fleet, heterogeneous', { ...spot, priceType: 'heterogeneous' }, 'CreateFleet', /Overrides\.\d+\.SubnetId$/],
    ['Spot Fleet', { ...spot, fleetRole: 'arn:aws:iam::1:role/f' }, 'RequestSpotFleet', /Overrides\.\d+\.SubnetId$/],
    [
      'EC2 Fleet by requirements',
      {
        priceType: 'spot',
        subnetIds: spot.subnetIds ?? [],
        abisInstanceRequirements: { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 4096 } },
      },
      'CreateFleet',
      /Overrides\.\d+\.SubnetId$/,
    ],
  ])('%s', async (_, fields, action, name) => {
    const { launch, valuesOf } = await startLaunches();
    const [report] = await launch(fields);
    expect(report?.refusal).toBeUndefined();
    const used = new Set(valuesOf(action, name));
    expect([...used].filter((subnet) => twoOfZoneA.includes(subnet))).toHaveLength(1);
    expect(used).toContain('subnet-0000000b');
  });

  it('asks EC2 once for the zones, and not at all for a single subnet', async () => {
    const { launch, emulator } = await startLaunches();
    await launch({ ...spot, subnetIds: ['subnet-0000000b'] });
    expect(emulator.countCalls()).not.toHaveProperty('DescribeSubnets');
    await launch(spot, { requestId: 'req-2' });
    await launch(spot, { requestId: 'req-3' });
    expect(emulator.countCalls()).toMatchObject({ DescribeSubnets: 1 });
  });

  it('takes them in turn, request by request', async () => {
    const { prepare } = await startLaunches();
    const pools: string[] = [];
    for (let n = 0; n < 12; n++) pools.push((await prepare(spot, { requestId: `req-${n}` }))?.pool ?? '');
    for (const subnet of twoOfZoneA) expect(pools.filter((pool) => pool.includes(subnet)).length).toBeGreaterThan(1);
  });

  it('keeps the other for the next try where the first has no address left', async () => {
    for (const full of twoOfZoneA) {
      const { launch, emulator } = await startLaunches({ freeAddresses: { [full]: 0 } });
      const reports = await launch({ ...spot, subnetIds: twoOfZoneA });
      expect(reports.at(-1)?.machines).toHaveLength(2);
      expect(new Set(emulator.instances().map(({ subnetId }) => subnetId))).not.toContain(full);
    }
  });

  it('is not launched while EC2 turns the question for the zones away', async () => {
    const { prepare, emulator } = await startLaunches();
    emulator.addFault({
      action: 'DescribeSubnets',
      times: 'always',
      effect: { kind: 'error', code: 'RequestLimitExceeded' },
    });
    await expect(prepare(spot)).rejects.toMatchObject({ code: 'provider.throttled' });
  });

  it('goes by one subnet where EC2 does not tell the zones, and says so', async () => {
    const { prepare, log } = await startLaunches({ deniedActions: ['DescribeSubnets'] });
    const { pool = '' } = (await prepare(spot)) ?? {};
    expect(pool.match(/subnet-\w+/g)).toHaveLength(1);
    expect(log.codes()).toContain('subnets.unknown');
  });

  it('tells at most four requirements', async () => {
    const ids = [...'abcdef'].map((zone) => `subnet-0000000${zone}`);
    const subnets = Object.fromEntries(
      [...'abcdef'].map((zone, n) => [ids[n] ?? '', { zone: `us-east-1${zone}`, vpc: 'vpc-1' }]),
    );
    const { launch, sent, prepare } = await startLaunches({ subnets });
    const fields = {
      priceType: 'spot',
      subnetIds: ids,
      abisInstanceRequirements: { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 4096 } },
    } as const;
    await launch(fields);
    const first = Object.keys(sent('CreateFleet')[0] ?? {}).filter((key) => /Overrides\.\d+\.SubnetId$/.test(key));
    expect(first).toHaveLength(4);
    const [one, other] = [await prepare(fields, { requestId: 'req-1' }), await prepare(fields, { requestId: 'req-2' })];
    expect(one?.pool).not.toBe(other?.pool);
  });

  it('a group has all subnets, which Auto Scaling takes', async () => {
    const { launch, sent, emulator } = await startLaunches();
    await launch({ providerApi: 'ASG', subnetIds: twoOfZoneA });
    expect(sent('CreateAutoScalingGroup')[0]).toMatchObject({ VPCZoneIdentifier: twoOfZoneA.join(',') });
    expect(emulator.countCalls()).not.toHaveProperty('DescribeSubnets');
  });
});

describe('a launch by the administrator’s launch template that has interfaces', () => {
  it('puts subnet and groups on them', async () => {
    const { launch, sent, emulator } = await startLaunches();
    const NetworkInterfaces = [{ DeviceIndex: 0, Groups: ['sg-0000000a'], SubnetId: 'subnet-0000000b' }];
    const launchTemplateId = await makeTemplate(emulator.url, { NetworkInterfaces });
    const [report] = await launch({ launchTemplateId, securityGroupIds: ['sg-0000000b'] });
    expect(report?.refusal).toBeUndefined();
    const call = sent('RunInstances')[0];
    expect(call).toMatchObject({
      'NetworkInterface.1.SubnetId': 'subnet-0000000a',
      'NetworkInterface.1.SecurityGroupId.1': 'sg-0000000b',
    });
    expect(Object.keys(call ?? {}).filter((name) => /^(SubnetId|SecurityGroupId)/.test(name))).toEqual([]);
  });

  it('leaves one that exists alone, and tags no interface then', async () => {
    const { prepare, emulator } = await startLaunches();
    const launchTemplateId = await makeTemplate(emulator.url, {
      NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: 'eni-12345678' }],
    });
    const call = (await prepare({ launchTemplateId, securityGroupIds: ['sg-0000000b'] }))?.call;
    expect(call).toMatchObject({ NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: 'eni-12345678' }] });
    expect(JSON.stringify(call)).not.toMatch(/SubnetId|sg-0000000b|network-interface/);
  });

  it('is refused with a word where it has groups beside interfaces of ours', async () => {
    const { launch, sent, emulator } = await startLaunches();
    const launchTemplateId = await makeTemplate(emulator.url, { SecurityGroupIds: ['sg-0000000a'] });
    await expect(launch({ launchTemplateId, interfaceType: 'efa' })).rejects.toMatchObject({
      code: 'template.invalid',
      message: expect.stringMatching(/od-a: launchTemplateId .* security groups beside network interfaces/),
    });
    expect(sent('RunInstances')).toEqual([]);
  });
});

it('an interface that exists, given raw, gets no subnet and no tags from a launch or a launch template', async () => {
  const { prepare, launch, sent } = await startLaunches();
  const raw = { NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: 'eni-12345678' }] };
  expect(JSON.stringify((await prepare({ launchTemplateSpec: raw }))?.call)).not.toMatch(/SubnetId|network-interface/);
  await launch({ ...spot, launchTemplateSpec: raw });
  expect(Object.values(sent('CreateLaunchTemplate')[0] ?? {})).not.toContain('network-interface');
});

describe('tags', () => {
  const typesOf = (call: object | undefined) =>
    Object.entries(call ?? {}).flatMap(([key, value]) =>
      /TagSpecification\.\d+\.ResourceType$/.test(key) ? [value] : [],
    );

  it('are those that each call may give', async () => {
    const { launch, sent } = await startLaunches();
    await launch({});
    expect(typesOf(sent('RunInstances')[0])).toEqual(['instance', 'volume', 'network-interface']);
    await launch({ priceType: 'spot', providerApi: 'RunInstances' }, { requestId: 'req-2' });
    expect(typesOf(sent('RunInstances')[1])).toContain('spot-instances-request');
    await launch(spot, { requestId: 'req-3' });
    expect(typesOf(sent('CreateFleet')[0])).toEqual(['fleet', 'instance', 'volume']);
    expect(typesOf(sent('CreateLaunchTemplate')[0])).toEqual(['network-interface', 'launch-template']);
  });

  it('of interfaces are in the launch template of an instant fleet, which requests share', async () => {
    const { launch, sent, valuesOf } = await startLaunches();
    await launch(spot, { requestId: 'req-1', attributes: { rc_account: 'a' } });
    await launch(spot, { requestId: 'req-2', attributes: { rc_account: 'b' } });
    expect(sent('CreateLaunchTemplate')).toHaveLength(1);
    const keys = valuesOf('CreateLaunchTemplate', /LaunchTemplateData.TagSpecification.1.Tag.\d+.Key/);
    expect(keys).toEqual(['team', 'hf-aws:owner', 'hf-aws:template-id', 'hf-aws:store', 'hf-aws:version']);
  });

  it.each<[string, Partial<Template>, boolean]>([
    ['on demand', { providerApi: 'EC2Fleet' }, false],
    ['both markets', { ...spot, percentOnDemand: 50 }, false],
    ['spot', spot, true],
  ])('of spot requests in the administrator’s launch template go only with spot: %s', async (_, fields, isKept) => {
    const { launch, sent, emulator } = await startLaunches();
    const TagSpecifications = [{ ResourceType: 'spot-instances-request' as const, Tags: tagsOf(1) }];
    const launchTemplateId = await makeTemplate(emulator.url, { TagSpecifications });
    const [report] = await launch({ ...fields, launchTemplateId });
    expect(report?.refusal).toBeUndefined();
    expect(typesOf(sent('CreateLaunchTemplate')[1]).includes('spot-instances-request')).toBe(isKept);
  });

  it('of spot requests in a launch template are refused with a word for RunInstances on demand', async () => {
    const { launch, emulator } = await startLaunches();
    const TagSpecifications = [{ ResourceType: 'spot-instances-request' as const, Tags: tagsOf(1) }];
    const launchTemplateId = await makeTemplate(emulator.url, { TagSpecifications });
    await expect(launch({ launchTemplateId })).rejects.toThrow(/tags spot-instances-request/);
  });

  it.each<[string, Partial<Template>]>([
    ['RunInstances', {}],
    ['EC2 Fleet, instant', { providerApi: 'EC2Fleet' }],
    ['EC2 Fleet, request', { providerApi: 'EC2Fleet', fleetType: 'request' }],
    ['Spot Fleet', { ...spot, fleetRole: 'arn:aws:iam::1:role/f' }],
    ['ASG', { providerApi: 'ASG' }],
  ])('of template and launch template are counted together before anything is sent: %s', async (_, fields) => {
    const { launch, emulator, prepare } = await startLaunches();
    const TagSpecifications = [{ ResourceType: 'instance' as const, Tags: tagsOf(20, 'theirs') }];
    const launchTemplateId = await makeTemplate(emulator.url, { TagSpecifications });
    const instanceTags = (count: number) => tagsOf(count).map(({ Key, Value }) => [Key, Value] as const);
    const before = emulator.countCalls();
    await expect(launch({ ...fields, launchTemplateId, instanceTags: instanceTags(40) })).rejects.toMatchObject({
      code: 'template.invalid',
      message: expect.stringMatching(/od-a: launchTemplateId .* 20 tags for each instance.* 65, EC2 takes at most 50/),
    });
    const after = Object.keys(emulator.countCalls()).filter((action) => !action.startsWith('Describe'));
    expect(after).toEqual(Object.keys(before));
    await expect(prepare({ ...fields, launchTemplateId, instanceTags: instanceTags(25) })).resolves.toBeDefined();
  });

  it('hold as much of a long rc_account as EC2 takes, and the log says that it was cut', async () => {
    const { launch, emulator, log } = await startLaunches();
    const account = 'x'.repeat(300);
    await launch({}, { attributes: { rc_account: account } });
    expect(emulator.instances()[0]?.tags).toMatchObject({ RC_ACCOUNT: account.slice(0, 256) });
    expect(log.codes()).toContain('launch.account-cut');
  });
});

it.each([
  ['a placement group that is full does not keep', 'No room in the spread placement group.', 'subnet-0000000a'],
  ['a lack of capacity keeps', 'We currently do not have sufficient m5.large capacity.', 'subnet-0000000b'],
])('%s the next request from type and subnet', async (_, message, next) => {
  const { launch, prepare, emulator } = await startLaunches();
  const effect = { kind: 'error', code: 'InsufficientInstanceCapacity', message } as const;
  emulator.addFault({ action: 'RunInstances', effect });
  await launch({ placementGroupName: 'apart' });
  const prepared = await prepare({ subnetIds: ['subnet-0000000a', 'subnet-0000000b'] }, { requestId: 'req-2' });
  expect(prepared?.call).toMatchObject({ SubnetId: next });
});

it('validation tells of subnets of one zone, where a fleet takes one of them', async () => {
  const { aws } = await startLaunches();
  const { inspect } = await aws.inspector();
  const rules = async (fields: Partial<Template>) =>
    (await inspect({ ...onDemandTemplate, ...fields })).map(({ severity, rule }) => `${severity} ${rule}`);
  expect(await rules(spot)).toContainEqual(
    expect.stringMatching(/^warning subnet-0000000a, subnet-0000001a are all in us-east-1a/),
  );
  expect(await rules({ ...spot, providerApi: 'ASG' })).toEqual([]);
  expect(await rules({ ...spot, priceType: 'ondemand' })).toEqual([]);
});

it('a launch template that EC2 does not know yet is waited for', async () => {
  const { launch, emulator } = await startLaunches();
  const effect = { kind: 'error', code: 'InvalidLaunchTemplateId.NotFound' } as const;
  emulator.addFault({ action: 'CreateFleet', effect });
  const reports = await launch(spot);
  expect(reports.at(-1)?.machines).toHaveLength(2);
  const [first, second] = emulator.calls('CreateFleet').map(({ at }) => at);
  expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(1000);
});

describe('in a subnet that is IPv6-only', () => {
  const ipv6 = 'subnet-0000000c';
  const settings = {
    pendingMs: 0,
    subnets: { [ipv6]: { zone: 'us-east-1c', vpc: 'vpc-00000001', ipv6Native: true } },
  };

  it('a host is usable by its name and its IPv6 address', async () => {
    const { launch, aws, emulator } = await startLaunches(settings);
    await launch({ subnetIds: [ipv6] });
    const [observation] = await aws.hosts.describe(emulator.instances().map(({ id }) => id));
    expect(observation).toMatchObject({
      state: 'running',
      name: expect.stringMatching(/^i-[0-9a-f]+\.ec2\.internal$/),
      privateIpAddress: expect.stringMatching(/^2600:1f18::/),
    });
    expect(observation && resultOf(observation)).toBe('succeed');
  });

  it('validation says so, and counts no IPv4 addresses', async () => {
    const { aws } = await startLaunches(settings);
    const { inspect } = await aws.inspector();
    const found = await inspect({ ...onDemandTemplate, subnetIds: [ipv6] });
    expect(found).toEqual([{ severity: 'warning', field: 'subnetId', rule: expect.stringMatching(/IPv6-only/) }]);
  });
});
