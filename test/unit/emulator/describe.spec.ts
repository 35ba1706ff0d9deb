import {
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeImagesCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  paginateDescribeInstances,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { expectRefusal, idsOf, startRegion } from './region.ts';

const tagged = (Key: string, Value: string) => [
  { ResourceType: 'instance' as const, Tags: [{ Key, Value }] },
  { ResourceType: 'volume' as const, Tags: [{ Key, Value }] },
];

describe('DescribeInstances by id', () => {
  it('fails as a whole for one unknown or malformed id, and names it', async () => {
    const { run, describe } = await startRegion();
    const ids = idsOf(await run());
    await expectRefusal(
      describe({ InstanceIds: [...ids, 'i-00000000'] }),
      'InvalidInstanceID.NotFound',
      400,
      /^The instance ID 'i-00000000' does not exist$/,
    );
    await expectRefusal(
      describe({ InstanceIds: ['i-00000000', 'i-0000000a'] }),
      'InvalidInstanceID.NotFound',
      400,
      /^The instance IDs 'i-00000000, i-0000000a' do not exist$/,
    );
    await expectRefusal(describe({ InstanceIds: [...ids, 'host-7'] }), 'InvalidInstanceID.Malformed', 400, /"host-7"/);
  });

  it('takes no MaxResults', async () => {
    const { run, describe } = await startRegion();
    const InstanceIds = idsOf(await run());
    await expectRefusal(describe({ InstanceIds, MaxResults: 5 }), 'InvalidParameterCombination', 400);
  });
});

describe('DescribeInstances by filter', () => {
  it('leaves unknown ids out', async () => {
    const { run, describe } = await startRegion();
    const ids = idsOf(await run());
    expect(await describe({ Filters: [{ Name: 'instance-id', Values: [...ids, 'i-00000000'] }] })).toHaveLength(1);
  });

  it('joins filters by and, values by or, and knows wildcards', async () => {
    const { run, describe } = await startRegion();
    await run({ ClientToken: 'req-1.0', TagSpecifications: tagged('owner', 'hf.a') });
    await run({ ClientToken: 'req-1.1', TagSpecifications: tagged('owner', 'hf.b'), InstanceType: 'c5.xlarge' });
    await run({ ClientToken: 'req-2.0' });
    const tokens = async (...Filters: { Name: string; Values: string[] }[]) =>
      (await describe({ Filters })).map(({ ClientToken }) => ClientToken);

    expect(await tokens({ Name: 'tag:owner', Values: ['hf.a', 'hf.b'] })).toEqual(['req-1.0', 'req-1.1']);
    expect(await tokens({ Name: 'tag:owner', Values: ['hf?*'] }, { Name: 'instance-type', Values: ['c5.*'] })).toEqual([
      'req-1.1',
    ]);
    expect(await tokens({ Name: 'tag:owner', Values: ['hfxa'] })).toEqual([]);
    expect(await tokens({ Name: 'tag-key', Values: ['owner'] })).toHaveLength(2);
    expect(await tokens({ Name: 'client-token', Values: ['req-2.?'] })).toEqual(['req-2.0']);
    expect(await tokens({ Name: 'instance-state-name', Values: ['running'] })).toEqual([]);
    expect(await tokens({ Name: 'instance-state-code', Values: ['0'] })).toHaveLength(3);
    expect(await tokens({ Name: 'availability-zone', Values: ['us-east-1a'] })).toHaveLength(3);
  });

  it('takes 200 values per filter and 50 filters, and no unknown filter', async () => {
    const { describe } = await startRegion();
    const values = (count: number) => Array.from({ length: count }, (_, n) => `i-${n}`);
    const Name = 'instance-id';
    expect(await describe({ Filters: [{ Name, Values: values(200) }] })).toEqual([]);
    await expectRefusal(describe({ Filters: [{ Name, Values: values(201) }] }), 'FilterLimitExceeded', 400, /200/);
    const filters = (count: number) => Array.from({ length: count }, () => ({ Name, Values: ['i-*'] }));
    expect(await describe({ Filters: filters(50) })).toEqual([]);
    await expectRefusal(describe({ Filters: filters(51) }), 'FilterLimitExceeded', 400);
    await expectRefusal(
      describe({ Filters: [{ Name: 'color', Values: ['red'] }] }),
      'InvalidParameterValue',
      400,
      /^The filter 'color' is invalid$/,
    );
  });
});

describe('paging', () => {
  it('gives every instance once, in one order, however small the pages', async () => {
    const { run, client } = await startRegion({ settings: { pageSize: 3 } });
    const ids = [...idsOf(await run({ MaxCount: 5 })), ...idsOf(await run({ MaxCount: 5 }))];

    const pages: string[][] = [];
    for await (const { Reservations = [] } of paginateDescribeInstances({ client, pageSize: 1000 }, {}))
      pages.push(idsOf(Reservations.flatMap(({ Instances = [] }) => Instances)));

    expect(pages.map((page) => page.length)).toEqual([3, 3, 3, 1]);
    expect(pages.flat()).toEqual(ids);
  });

  it('goes on where it was even if the last instance of the page is forgotten meanwhile', async () => {
    const { run, client, emulator } = await startRegion({
      settings: { pageSize: 2, forgetTerminatedAfterMs: 3_600_000 },
    });
    const ids = idsOf(await run({ MaxCount: 4 }));
    const { NextToken } = await client.send(new DescribeInstancesCommand({ MaxResults: 5 }));
    emulator.setInstance(ids[1] ?? '', { state: 'terminated' });
    emulator.configure({ forgetTerminatedAfterMs: 0 });
    const { Reservations = [] } = await client.send(new DescribeInstancesCommand({ MaxResults: 5, NextToken }));
    expect(idsOf(Reservations.flatMap(({ Instances = [] }) => Instances))).toEqual(ids.slice(2));
  });

  it('refuses page sizes out of 5 to 1000 and tokens it never gave', async () => {
    const { describe } = await startRegion();
    await expectRefusal(describe({ MaxResults: 4 }), 'InvalidParameterValue', 400);
    await expectRefusal(describe({ MaxResults: 1001 }), 'InvalidParameterValue', 400);
    await expectRefusal(describe({ NextToken: 'guess' }), 'InvalidNextToken', 400);
  });
});

describe('the lesser describes', () => {
  it('show the status of running instances, of others only when asked', async () => {
    const { run, pass, client } = await startRegion();
    await run();
    pass(1000);
    await run();
    const count = async (IncludeAllInstances: boolean) =>
      (await client.send(new DescribeInstanceStatusCommand({ IncludeAllInstances }))).InstanceStatuses?.length;
    expect(await count(false)).toBe(1);
    expect(await count(true)).toBe(2);
  });

  it('show an image with its root device, and refuse a missing one', async () => {
    const arm = { rootDeviceName: '/dev/sda1', architecture: 'arm64', rootDeviceType: 'ebs' };
    const { client } = await startRegion({
      settings: { images: { 'ami-aaaaaaaa': arm }, missingImages: ['ami-dead0000'] },
    });
    const { Images } = await client.send(new DescribeImagesCommand({ ImageIds: ['ami-aaaaaaaa', 'ami-bbbbbbbb'] }));
    expect(Images).toMatchObject([
      { Architecture: 'arm64', RootDeviceName: '/dev/sda1', BlockDeviceMappings: [{ DeviceName: '/dev/sda1' }] },
      { Architecture: 'x86_64', RootDeviceName: '/dev/xvda' },
    ]);
    const missing = client.send(new DescribeImagesCommand({ ImageIds: ['ami-dead0000'] }));
    await expectRefusal(missing, 'InvalidAMIID.NotFound', 400, /^The image id '\[ami-dead0000\]' does not exist$/);
  });

  it('show subnets and keys, and refuse missing ones', async () => {
    const { client } = await startRegion({
      settings: {
        subnets: { 'subnet-aaaaaaaa': { zone: 'us-east-1c', vpc: 'vpc-aaaaaaaa' } },
        freeAddresses: { 'subnet-aaaaaaaa': 7 },
        missingKeys: ['lost'],
      },
    });
    const { Subnets } = await client.send(new DescribeSubnetsCommand({ SubnetIds: ['subnet-aaaaaaaa'] }));
    expect(Subnets).toMatchObject([
      { AvailabilityZone: 'us-east-1c', VpcId: 'vpc-aaaaaaaa', AvailableIpAddressCount: 7 },
    ]);
    const { KeyPairs } = await client.send(new DescribeKeyPairsCommand({ KeyNames: ['ops'] }));
    expect(KeyPairs).toMatchObject([{ KeyName: 'ops' }]);
    await expectRefusal(
      client.send(new DescribeKeyPairsCommand({ KeyNames: ['lost'] })),
      'InvalidKeyPair.NotFound',
      400,
    );
  });

  it('show root volumes with the tags of the launch', async () => {
    const { run, client } = await startRegion();
    const [instance] = await run({ TagSpecifications: tagged('owner', 'hf') });
    const { Volumes } = await client.send(
      new DescribeVolumesCommand({
        Filters: [{ Name: 'attachment.instance-id', Values: [instance?.InstanceId ?? ''] }],
      }),
    );
    expect(Volumes).toMatchObject([
      {
        VolumeId: instance?.BlockDeviceMappings?.[0]?.Ebs?.VolumeId,
        Attachments: [{ InstanceId: instance?.InstanceId, Device: '/dev/xvda' }],
        Tags: [{ Key: 'owner', Value: 'hf' }],
      },
    ]);
  });
});

describe('tags', () => {
  it('are added to and taken from instances and volumes', async () => {
    const { run, describe, client } = await startRegion();
    const [instance] = await run({ TagSpecifications: tagged('owner', 'hf') });
    const volume = instance?.BlockDeviceMappings?.[0]?.Ebs?.VolumeId ?? '';
    const Resources = [instance?.InstanceId ?? '', volume];
    await client.send(new CreateTagsCommand({ Resources, Tags: [{ Key: 'seen', Value: 'yes' }] }));
    await client.send(new DeleteTagsCommand({ Resources: [volume], Tags: [{ Key: 'owner' }] }));

    expect((await describe())[0]?.Tags).toEqual([
      { Key: 'owner', Value: 'hf' },
      { Key: 'seen', Value: 'yes' },
    ]);
    const { Volumes } = await client.send(new DescribeVolumesCommand({ VolumeIds: [volume] }));
    expect(Volumes).toMatchObject([{ Tags: [{ Key: 'seen', Value: 'yes' }] }]);
  });

  it('change on all resources or on none', async () => {
    const { run, describe, client } = await startRegion();
    const ids = idsOf(await run());
    const Tags = [{ Key: 'seen', Value: 'yes' }];
    const call = client.send(new CreateTagsCommand({ Resources: [...ids, 'i-00000000'], Tags }));
    await expectRefusal(call, 'InvalidInstanceID.NotFound', 400);
    expect((await describe())[0]?.Tags).toEqual([]);
  });
});
