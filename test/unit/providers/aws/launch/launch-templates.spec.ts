import type { RequestLaunchTemplateData, ResponseLaunchTemplateData } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { PluginError } from '../../../../../src/domain/errors.ts';
import { createLaunchTemplates } from '../../../../../src/providers/aws/launch/launch-templates.ts';
import { createFakeEc2 } from '../fake-ec2.ts';

/** What is made of the administrator's launch template with ours over it. */
const over = async (base: ResponseLaunchTemplateData, own: RequestLaunchTemplateData) => {
  const made: RequestLaunchTemplateData[] = [];
  const ec2 = createFakeEc2();
  ec2.launchTemplateData = base;
  ec2.answers.CreateLaunchTemplate = ({ LaunchTemplateData }) => {
    made.push(LaunchTemplateData ?? {});
    return { LaunchTemplate: { LaunchTemplateId: 'lt-ours' } };
  };
  const { ensure } = createLaunchTemplates({
    ec2,
    owner: 'hostfactory/awsinst',
    store: 'store-1',
    version: '1.2.3',
    remember: (_key, _lifetime, find) => find(),
    forget: async () => undefined,
    pause: async () => undefined,
  });
  await ensure(own, { id: 'lt-theirs', version: '3', ownTypes: true, onlySpot: true });
  return made[0] ?? {};
};

type Mapping = NonNullable<ResponseLaunchTemplateData['BlockDeviceMappings']>[number];

describe('a launch template of ours over the administrator’s', () => {
  it('keeps what ours does not name, object by object and device by device', async () => {
    const base: ResponseLaunchTemplateData = {
      Placement: { GroupName: 'near', Tenancy: 'default' },
      MetadataOptions: { State: 'applied', HttpPutResponseHopLimit: 2 },
      CpuOptions: { CoreCount: 2, ThreadsPerCore: 2 },
      IamInstanceProfile: { Arn: 'arn:theirs' },
      KeyName: 'theirs',
      BlockDeviceMappings: [
        { DeviceName: '/dev/xvda', Ebs: { Encrypted: true, VolumeSize: 8 } },
        { DeviceName: '/dev/sdb' },
      ],
      InstanceMarketOptions: { MarketType: 'spot' },
      DisableApiTermination: true,
      InstanceType: 'm5.large',
    };
    const own: RequestLaunchTemplateData = {
      Placement: { Tenancy: 'dedicated' },
      MetadataOptions: { HttpTokens: 'required' },
      CpuOptions: { ThreadsPerCore: 1 },
      IamInstanceProfile: { Name: 'ours' },
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 50 } }],
    };
    expect(await over(base, own)).toEqual({
      Placement: { GroupName: 'near', Tenancy: 'dedicated' },
      MetadataOptions: { HttpPutResponseHopLimit: 2, HttpTokens: 'required' },
      CpuOptions: { CoreCount: 2, ThreadsPerCore: 1 },
      IamInstanceProfile: { Name: 'ours' },
      KeyName: 'theirs',
      BlockDeviceMappings: [
        { DeviceName: '/dev/xvda', Ebs: { Encrypted: true, VolumeSize: 50 } },
        { DeviceName: '/dev/sdb' },
      ],
      TagSpecifications: [],
    });
    expect(await over({ ...base, BlockDeviceMappings: [{ DeviceName: '/dev/sdb' }] }, {})).toMatchObject({
      BlockDeviceMappings: [{ DeviceName: '/dev/sdb' }],
      IamInstanceProfile: { Arn: 'arn:theirs' },
    });
  });

  it.each<[string, Mapping, RequestLaunchTemplateData, Mapping]>([
    [
      'the performance of another type of volume',
      { DeviceName: '/dev/xvda', Ebs: { VolumeType: 'io1', Iops: 5000, Encrypted: true } },
      { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeType: 'gp2' } }] },
      { DeviceName: '/dev/xvda', Ebs: { VolumeType: 'gp2', Encrypted: true } },
    ],
    [
      'nothing of the performance of the same type',
      { DeviceName: '/dev/xvda', Ebs: { VolumeType: 'io1', Iops: 5000 } },
      { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeType: 'io1', VolumeSize: 50 } }] },
      { DeviceName: '/dev/xvda', Ebs: { VolumeType: 'io1', VolumeSize: 50, Iops: 5000 } },
    ],
    [
      'the snapshot of another image',
      { DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-1', Encrypted: true } },
      { ImageId: 'ami-1', BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 50 } }] },
      { DeviceName: '/dev/xvda', Ebs: { VolumeSize: 50, Encrypted: true } },
    ],
    [
      'a volume where there is to be none',
      { DeviceName: '/dev/sdb', Ebs: { VolumeSize: 8 } },
      { BlockDeviceMappings: [{ DeviceName: '/dev/sdb', NoDevice: '' }] },
      { DeviceName: '/dev/sdb', NoDevice: '' },
    ],
    [
      'nothing of devices we do not name',
      { DeviceName: '/dev/sdc', Ebs: { SnapshotId: 'snap-2' } },
      { ImageId: 'ami-1' },
      { DeviceName: '/dev/sdc', Ebs: { SnapshotId: 'snap-2' } },
    ],
  ])('of its devices leaves out %s', async (_what, theirs, own, device) => {
    expect(await over({ BlockDeviceMappings: [theirs] }, own)).toMatchObject({ BlockDeviceMappings: [device] });
    const [merged] = (await over({ BlockDeviceMappings: [theirs] }, own)).BlockDeviceMappings ?? [];
    expect(merged).toEqual(device);
  });

  it('has a placement group by its name or by its id', async () => {
    expect(await over({ Placement: { GroupId: 'pg-1' } }, { Placement: { GroupName: 'near' } })).toMatchObject({
      Placement: { GroupName: 'near' },
    });
    const { Placement } = await over({ Placement: { GroupId: 'pg-1' } }, { Placement: { GroupName: 'near' } });
    expect(Placement).not.toHaveProperty('GroupId');
  });

  it('leaves interfaces that exist their own groups', async () => {
    const NetworkInterfaces = [{ DeviceIndex: 0, NetworkInterfaceId: 'eni-1' }];
    expect(await over({ NetworkInterfaces }, { SecurityGroupIds: ['sg-ours'] })).toMatchObject({ NetworkInterfaces });
    const [kept] = (await over({ SecurityGroupIds: ['sg-theirs'] }, { NetworkInterfaces })).NetworkInterfaces ?? [];
    expect(kept).toEqual(NetworkInterfaces[0]);
  });

  it('has our groups in one place: on the interfaces where there are any', async () => {
    const ours = { SecurityGroupIds: ['sg-ours'] };
    expect(
      await over({ NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: 'subnet-1', Groups: ['sg-theirs'] }] }, ours),
    ).toEqual({
      NetworkInterfaces: [{ DeviceIndex: 0, Groups: ['sg-ours'] }],
      TagSpecifications: [],
    });
    expect(await over({ SecurityGroupIds: ['sg-theirs'] }, ours)).toEqual({ ...ours, TagSpecifications: [] });
  });
});

describe('a launch template that EC2 does not know yet', () => {
  const missing = (code: string) =>
    new PluginError('provider.missing', `It failed. Error Code: ${code}: no`, { aws: { code, action: 'It' } });
  const setUp = (unknownFor: number) => {
    const pauses: number[] = [];
    let left = unknownFor;
    const ec2 = createFakeEc2();
    ec2.answers.CreateLaunchTemplate = () => {
      const code = 'InvalidLaunchTemplateName.AlreadyExistsException';
      const aws = { code, action: 'CreateLaunchTemplate' };
      throw new PluginError('provider.misconfigured', `It failed. Error Code: ${code}: taken`, { aws });
    };
    ec2.answers.DescribeLaunchTemplates = () => {
      left -= 1;
      if (left >= 0) throw missing('InvalidLaunchTemplateName.NotFoundException');
      return { LaunchTemplates: [{ LaunchTemplateId: 'lt-ours' }] };
    };
    const templates = createLaunchTemplates({
      ec2,
      owner: 'hostfactory/awsinst',
      store: 'store-1',
      version: '1.2.3',
      remember: (_key, _lifetime, find) => find(),
      forget: async () => undefined,
      pause: async (ms) => void pauses.push(ms),
    });
    return { templates, pauses };
  };

  it('is looked for again by its name, a little later each time', async () => {
    const { templates, pauses } = setUp(2);
    expect(await templates.ensure({ KeyName: 'mine' })).toEqual({ id: 'lt-ours', version: '1' });
    expect(pauses).toEqual([1000, 2000]);
  });

  it('is given up after some tries', async () => {
    const { templates, pauses } = setUp(10);
    await expect(templates.ensure({ KeyName: 'mine' })).rejects.toMatchObject({ code: 'provider.missing' });
    expect(pauses).toEqual([1000, 2000, 4000]);
  });

  it('keeps the launch that missed it from coming again at once', async () => {
    const { templates, pauses } = setUp(0);
    for (let n = 0; n < 5; n++) await templates.forget('lt-ours');
    expect(pauses).toEqual([1000, 2000, 4000]);
  });
});
