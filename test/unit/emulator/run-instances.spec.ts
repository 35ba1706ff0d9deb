import { RunInstancesCommand, type RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { expectRefusal, idsOf, startRegion } from './region.ts';

describe('RunInstances', () => {
  it('answers with what EC2 tells of an instance', async () => {
    const { run } = await startRegion();
    const [instance] = await run({
      SubnetId: 'subnet-12345678',
      SecurityGroupIds: ['sg-12345678'],
      KeyName: 'ops',
      IamInstanceProfile: { Name: 'hosts' },
      ClientToken: 'req-1.0',
      MetadataOptions: { HttpTokens: 'required' },
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 40, VolumeType: 'gp3' } }],
    });
    expect(instance).toMatchObject({
      InstanceId: expect.stringMatching(/^i-0[0-9a-f]{16}$/),
      ImageId: 'ami-12345678',
      InstanceType: 'm5.large',
      LaunchTime: new Date(Date.UTC(2026, 0, 1)),
      SubnetId: 'subnet-12345678',
      KeyName: 'ops',
      ClientToken: 'req-1.0',
      AmiLaunchIndex: 0,
      Architecture: 'x86_64',
      RootDeviceName: '/dev/xvda',
      RootDeviceType: 'ebs',
      CpuOptions: { CoreCount: 1, ThreadsPerCore: 2 },
      MetadataOptions: { HttpTokens: 'required' },
      IamInstanceProfile: { Arn: 'arn:aws:iam::123456789012:instance-profile/hosts' },
      SecurityGroups: [{ GroupId: 'sg-12345678' }],
      NetworkInterfaces: [{ Attachment: { DeviceIndex: 0, NetworkCardIndex: 0 } }],
      BlockDeviceMappings: [
        { DeviceName: '/dev/xvda', Ebs: { VolumeId: expect.stringMatching(/^vol-0[0-9a-f]{16}$/) } },
      ],
    });
  });

  it('gives every instance a name and an address of its own', async () => {
    const { run } = await startRegion();
    const instances = [...(await run({ MaxCount: 600 })), ...(await run({ MaxCount: 600 }))];
    expect(new Set(instances.map(({ PrivateIpAddress }) => PrivateIpAddress)).size).toBe(1200);
    expect(new Set(instances.map(({ PrivateDnsName }) => PrivateDnsName)).size).toBe(1200);
  });

  it.each<[string, Partial<RunInstancesCommandInput>, string, number]>([
    ['a dry run', { DryRun: true }, 'DryRunOperation', 412],
    ['no image', { ImageId: undefined }, 'MissingParameter', 400],
    ['a malformed image id', { ImageId: 'ami-xyz' }, 'InvalidAMIID.Malformed', 400],
    ['a missing image', { ImageId: 'ami-dead0000' }, 'InvalidAMIID.NotFound', 400],
    ['a missing subnet', { SubnetId: 'subnet-dead0000' }, 'InvalidSubnetID.NotFound', 400],
    ['a malformed subnet id', { SubnetId: 'subnet-?' }, 'InvalidSubnetID.Malformed', 400],
    ['a malformed group id', { SecurityGroupIds: ['default'] }, 'InvalidGroupId.Malformed', 400],
    ['a missing key', { KeyName: 'lost' }, 'InvalidKeyPair.NotFound', 400],
    [
      'a missing launch template',
      { LaunchTemplate: { LaunchTemplateId: 'lt-12345678' } },
      'InvalidLaunchTemplateId.NotFound',
      400,
    ],
    ['a wrong type', { InstanceType: 'm5' as 'm5.large' }, 'InvalidParameterValue', 400],
    ['a wrong market', { InstanceMarketOptions: { MarketType: 'auction' as 'spot' } }, 'InvalidParameterValue', 400],
    ['fewer at most than at least', { MinCount: 3, MaxCount: 2 }, 'InvalidParameterValue', 400],
    ['user data that is not base64', { UserData: '#!/bin/sh' }, 'InvalidUserData.Malformed', 400],
    [
      'a subnet beside network interfaces',
      { SubnetId: 'subnet-12345678', NetworkInterfaces: [{ DeviceIndex: 0 }] },
      'InvalidParameterCombination',
      400,
    ],
    [
      'a reserved tag',
      { TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'aws:x', Value: '' }] }] },
      'InvalidParameterValue',
      400,
    ],
    [
      '51 tags',
      {
        TagSpecifications: [
          { ResourceType: 'instance', Tags: Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: '' })) },
        ],
      },
      'TagLimitExceeded',
      400,
    ],
  ])('refuses %s and launches nothing', async (_, input, code, status) => {
    const { run, emulator } = await startRegion({
      settings: { missingImages: ['ami-dead0000'], missingSubnets: ['subnet-dead0000'], missingKeys: ['lost'] },
    });
    await expectRefusal(run(input), code, status);
    expect(emulator.instances()).toEqual([]);
  });

  it('takes 16384 bytes of user data and not one more', async () => {
    const { run, emulator } = await startRegion();
    await run({ UserData: Buffer.alloc(16_384).toString('base64') });
    const call = run({ UserData: Buffer.alloc(16_385).toString('base64') });
    await expectRefusal(call, 'InvalidParameterValue', 400, /limited to 16384 bytes/);
    expect(emulator.instances()).toHaveLength(1);
  });
});

describe('client tokens', () => {
  it('give the first launch again, in its present state', async () => {
    const { run, pass, emulator } = await startRegion();
    const first = await run({ ClientToken: 'req-1.0', MaxCount: 3 });
    pass(1000);
    const again = await run({ ClientToken: 'req-1.0', MaxCount: 3 });

    expect(idsOf(again)).toEqual(idsOf(first));
    expect(again).toMatchObject([{ State: { Name: 'running' } }, {}, {}]);
    expect(emulator.instances()).toHaveLength(3);
  });

  it('refuse other parameters than the first', async () => {
    const { run, emulator } = await startRegion();
    await run({ ClientToken: 'req-1.0' });
    await expectRefusal(run({ ClientToken: 'req-1.0', MaxCount: 2 }), 'IdempotentParameterMismatch', 400);
    expect(emulator.instances()).toHaveLength(1);
  });

  it('are not used up by a launch that was refused', async () => {
    const { run, emulator } = await startRegion({ settings: { capacity: { '*:*': 0 } } });
    await expectRefusal(run({ ClientToken: 'req-1.0' }), 'InsufficientInstanceCapacity', 500);
    emulator.configure({ capacity: {} });
    expect(await run({ ClientToken: 'req-1.0' })).toHaveLength(1);
  });

  it('have at most 64 characters', async () => {
    const { run } = await startRegion();
    await expectRefusal(run({ ClientToken: 'x'.repeat(65) }), 'InvalidParameterValue', 400);
  });
});

describe('capacity', () => {
  it('grants what a pool holds, as long as that is the minimum', async () => {
    const { run } = await startRegion({ settings: { capacity: { 'm5.large:us-east-1a': 5 } } });
    expect(await run({ MinCount: 2, MaxCount: 3 })).toHaveLength(3);
    expect(await run({ MinCount: 1, MaxCount: 10 })).toHaveLength(2);
  });

  it('launches nothing below the minimum, and says where and where else', async () => {
    const { run, emulator } = await startRegion({ settings: { capacity: { 'm5.large:us-east-1a': 5 } } });
    await expectRefusal(
      run({ MinCount: 6, MaxCount: 6 }),
      'InsufficientInstanceCapacity',
      500,
      /sufficient m5\.large capacity in the Availability Zone you requested \(us-east-1a\).*choosing us-east-1b, us-east-1c/,
    );
    expect(emulator.instances()).toEqual([]);
  });

  it('comes back when instances go', async () => {
    const { run, emulator } = await startRegion({ settings: { capacity: { 'm5.large:*': 1 } } });
    const [id = ''] = idsOf(await run());
    await expectRefusal(run(), 'InsufficientInstanceCapacity', 500);
    emulator.setInstance(id, { state: 'terminated' });
    expect(await run()).toHaveLength(1);
  });

  it('is that of the most specific key', async () => {
    const { run } = await startRegion({ settings: { capacity: { '*:*': 0, '*:us-east-1a': 1, 'm5.large:*': 2 } } });
    expect(await run({ MaxCount: 9 })).toHaveLength(2);
    expect(await run({ MaxCount: 9, InstanceType: 'c5.large' })).toHaveLength(1);
    const elsewhere = run({ InstanceType: 'c5.large', Placement: { AvailabilityZone: 'us-east-1b' } });
    await expectRefusal(elsewhere, 'InsufficientInstanceCapacity', 500);
  });

  it('is looked for in another zone when the call names none', async () => {
    const { run } = await startRegion({ settings: { capacity: { '*:us-east-1a': 0 } } });
    expect(await run({ Placement: {} })).toMatchObject([{ Placement: { AvailabilityZone: 'us-east-1b' } }]);
  });

  it('of addresses is the subnet’s', async () => {
    const { run } = await startRegion({ settings: { freeAddresses: { 'subnet-12345678': 2 } } });
    expect(await run({ SubnetId: 'subnet-12345678', MaxCount: 5 })).toHaveLength(2);
    await expectRefusal(run({ SubnetId: 'subnet-12345678' }), 'InsufficientFreeAddressesInSubnet', 400);
    expect(await run({ SubnetId: 'subnet-87654321' })).toHaveLength(1);
  });

  it('of Spot has EC2’s own words', async () => {
    const { client } = await startRegion({ settings: { capacity: { '*:*': 0 } } });
    const call = client.send(
      new RunInstancesCommand({
        ImageId: 'ami-12345678',
        MinCount: 1,
        MaxCount: 1,
        InstanceMarketOptions: { MarketType: 'spot' },
      }),
    );
    await expectRefusal(call, 'InsufficientInstanceCapacity', 500, /no Spot capacity available/);
  });
});
