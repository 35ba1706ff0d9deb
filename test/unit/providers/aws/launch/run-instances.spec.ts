import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Instance, RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { LaunchOrder } from '../../../../../src/application/ports/capacity.ts';
import { PluginError } from '../../../../../src/domain/errors.ts';
import type { Offering, RefusedOffering } from '../../../../../src/domain/offering.ts';
import type { PreparedLaunch } from '../../../../../src/domain/request/events.ts';
import type { Template } from '../../../../../src/domain/template/template.ts';
import { createLaunchTemplates } from '../../../../../src/providers/aws/launch/launch-templates.ts';
import {
  createRunInstancesProvider,
  type RunInstancesOptions,
} from '../../../../../src/providers/aws/launch/run-instances.ts';
import { onDemandTemplate } from '../../../domain/template/template-fixture.ts';
import { createRecordingLog } from '../../../recording-log.ts';
import { temporaryFolder } from '../../../temporary-folder.ts';
import { createFakeEc2 } from '../fake-ec2.ts';

const setUp = (options: Partial<RunInstancesOptions> = {}) => {
  const ec2 = createFakeEc2();
  const log = createRecordingLog();
  const ours = { owner: 'hostfactory/awsinst', store: 'store-1', version: '1.2.3' };
  const launchTemplates = createLaunchTemplates({
    ec2,
    ...ours,
    remember: (_key, _lifetime, find) => find(),
    forget: async () => undefined,
    pause: async () => undefined,
  });
  const provider = createRunInstancesProvider({
    ec2,
    log,
    launchTemplates,
    ...ours,
    clock: () => 1_000,
    rootDeviceOf: async (imageId) => `/dev/root-of-${imageId}`,
    offerings: { refused: async () => [], remember: async () => undefined, forget: async () => 0 },
    ...options,
  });
  return { ec2, log, provider };
};
const orderOf = (fields: Partial<Template> = {}, order: Partial<LaunchOrder> = {}): LaunchOrder => ({
  requestId: 'req-1',
  template: { ...onDemandTemplate, ...fields },
  count: 3,
  earlier: [],
  attributes: {},
  ...order,
});
const prepare = async (fields: Partial<Template> = {}, order: Partial<LaunchOrder> = {}): Promise<PreparedLaunch> => {
  const launch = await setUp().provider.prepare(orderOf(fields, order));
  if (launch === undefined) throw new Error('there is no pool left');
  return launch;
};
const callFor = async (fields: Partial<Template>, order: Partial<LaunchOrder> = {}) =>
  (await prepare(fields, order)).call;

const inSubnet = (subnetId: string): Offering => ({ market: 'ondemand', instanceType: 'm5.large', subnetId });

describe('a prepared call', () => {
  it('asks for as many as EC2 has, with our tags in the call, and ends with its hosts', async () => {
    const tags = [
      { Key: 'team', Value: 'quant' },
      { Key: 'hf-aws:owner', Value: 'hostfactory/awsinst' },
      { Key: 'hf-aws:request-id', Value: 'req-1' },
      { Key: 'hf-aws:template-id', Value: 'od-a' },
      { Key: 'hf-aws:store', Value: 'store-1' },
      { Key: 'hf-aws:version', Value: '1.2.3' },
    ];
    expect(await prepare()).toEqual({
      clientToken: 'req-1.0',
      count: 3,
      pool: 'm5.large in subnet-a',
      call: {
        ImageId: 'ami-12345678',
        InstanceType: 'm5.large',
        SubnetId: 'subnet-a',
        MinCount: 1,
        MaxCount: 3,
        ClientToken: 'req-1.0',
        InstanceInitiatedShutdownBehavior: 'terminate',
        MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled' },
        TagSpecifications: ['instance', 'volume', 'network-interface'].map((ResourceType) => ({
          ResourceType,
          Tags: tags,
        })),
      },
    });
  });

  it.each<[string, Partial<Template>, object]>([
    ['keyName', { keyName: 'mine' }, { KeyName: 'mine' }],
    ['securityGroupIds', { securityGroupIds: ['sg-1', 'sg-2'] }, { SecurityGroupIds: ['sg-1', 'sg-2'] }],
    ['instanceProfile, a name', { instanceProfile: 'host' }, { IamInstanceProfile: { Name: 'host' } }],
    [
      'instanceProfile, an ARN',
      { instanceProfile: 'arn:aws:iam::1:instance-profile/host' },
      { IamInstanceProfile: { Arn: 'arn:aws:iam::1:instance-profile/host' } },
    ],
    ['placementGroupName', { placementGroupName: 'near' }, { Placement: { GroupName: 'near' } }],
    ['tenancy', { tenancy: 'dedicated' }, { Placement: { Tenancy: 'dedicated' } }],
    ['ebsOptimized', { ebsOptimized: false }, { EbsOptimized: false }],
    [
      'launchTemplateId, at its default version as of now',
      { launchTemplateId: 'lt-1' },
      { LaunchTemplate: { LaunchTemplateId: 'lt-1', Version: '7' }, DisableApiTermination: false },
    ],
    [
      'launchTemplateVersion, $Latest as of now',
      { launchTemplateId: 'lt-1', launchTemplateVersion: '$Latest' },
      { LaunchTemplate: { LaunchTemplateId: 'lt-1', Version: '9' } },
    ],
    [
      'launchTemplateVersion',
      { launchTemplateId: 'lt-1', launchTemplateVersion: '3' },
      { LaunchTemplate: { LaunchTemplateId: 'lt-1', Version: '3' } },
    ],
    ['allOrNothing', { allOrNothing: true }, { MinCount: 3, MaxCount: 3 }],
    [
      'rootDeviceVolumeSize',
      { rootDeviceVolumeSize: 50 },
      {
        BlockDeviceMappings: [
          { DeviceName: '/dev/root-of-ami-12345678', Ebs: { DeleteOnTermination: true, VolumeSize: 50 } },
        ],
      },
    ],
    [
      'volumeType and iops',
      { volumeType: 'io2', iops: 4000 },
      {
        BlockDeviceMappings: [
          {
            DeviceName: '/dev/root-of-ami-12345678',
            Ebs: { DeleteOnTermination: true, VolumeType: 'io2', Iops: 4000 },
          },
        ],
      },
    ],
  ])('holds the template’s %s', async (_, fields, part) => expect(await callFor(fields)).toMatchObject(part));

  it('holds EFA interfaces in place of the subnet, one per card', async () => {
    const call = await callFor({ interfaceType: 'efa', efaCount: 2, securityGroupIds: ['sg-1'] });
    const common = { InterfaceType: 'efa', SubnetId: 'subnet-a', DeleteOnTermination: true, Groups: ['sg-1'] };
    expect(call['NetworkInterfaces']).toEqual([
      { ...common, DeviceIndex: 0, NetworkCardIndex: 0 },
      { ...common, DeviceIndex: 1, NetworkCardIndex: 1 },
    ]);
    expect(call).not.toHaveProperty('SubnetId');
    expect(call).not.toHaveProperty('SecurityGroupIds');
  });

  it('holds the groups and the subnet also on interfaces given raw, but for an interface that exists', async () => {
    const NetworkInterfaces = [
      { DeviceIndex: 0, AssociatePublicIpAddress: true },
      { DeviceIndex: 1, Groups: ['sg-2'] },
      { DeviceIndex: 2, NetworkInterfaceId: 'eni-1' },
    ];
    const call = await callFor({ securityGroupIds: ['sg-1'], launchTemplateSpec: { NetworkInterfaces } });
    expect(call['NetworkInterfaces']).toEqual([
      { DeviceIndex: 0, AssociatePublicIpAddress: true, Groups: ['sg-1'], SubnetId: 'subnet-a' },
      { DeviceIndex: 1, Groups: ['sg-2'], SubnetId: 'subnet-a' },
      { DeviceIndex: 2, NetworkInterfaceId: 'eni-1' },
    ]);
  });

  it('holds the root volume beside devices given raw, and raw fields of the root volume over ours', async () => {
    const BlockDeviceMappings = [
      { DeviceName: '/dev/sdb', Ebs: { VolumeSize: 10 } },
      { DeviceName: '/dev/root-of-ami-12345678', Ebs: { Encrypted: true } },
    ];
    const call = await callFor({ rootDeviceVolumeSize: 50, launchTemplateSpec: { BlockDeviceMappings } });
    expect(call['BlockDeviceMappings']).toEqual([
      {
        DeviceName: '/dev/root-of-ami-12345678',
        Ebs: { DeleteOnTermination: true, VolumeSize: 50, Encrypted: true },
      },
      { DeviceName: '/dev/sdb', Ebs: { VolumeSize: 10 } },
    ]);
  });

  it('keeps what the administrator’s launch template says beside the fields of ours', async () => {
    const { ec2, provider } = setUp();
    ec2.launchTemplateData = {
      Placement: { GroupName: 'near', Tenancy: 'default' },
      MetadataOptions: { State: 'applied', HttpPutResponseHopLimit: 2, HttpTokens: 'optional' },
      IamInstanceProfile: { Arn: 'arn:theirs' },
      KeyName: 'theirs',
      BlockDeviceMappings: [{ DeviceName: '/dev/root-of-ami-12345678', Ebs: { Encrypted: true, VolumeSize: 8 } }],
    };
    const fields = { tenancy: 'dedicated', instanceProfile: 'host', rootDeviceVolumeSize: 50 } as const;
    const launch = await provider.prepare(orderOf({ launchTemplateId: 'lt-1', ...fields }));
    expect(launch?.call).toMatchObject({
      Placement: { GroupName: 'near', Tenancy: 'dedicated' },
      MetadataOptions: { HttpPutResponseHopLimit: 2, HttpTokens: 'required', HttpEndpoint: 'enabled' },
      IamInstanceProfile: { Name: 'host' },
      BlockDeviceMappings: [
        {
          DeviceName: '/dev/root-of-ami-12345678',
          Ebs: { Encrypted: true, VolumeSize: 50, DeleteOnTermination: true },
        },
      ],
    });
    expect(launch?.call).not.toHaveProperty('KeyName');
    expect(launch?.call).not.toHaveProperty('MetadataOptions.State');
    expect(launch?.call).not.toHaveProperty('IamInstanceProfile.Arn');
  });

  it('is refused on demand where the launch template asks for spot, and goes out where the template does too', async () => {
    const { ec2, provider } = setUp();
    ec2.launchTemplateData = { InstanceMarketOptions: { MarketType: 'spot' } };
    await expect(provider.prepare(orderOf({ launchTemplateId: 'lt-1' }))).rejects.toMatchObject({
      code: 'template.invalid',
      message: expect.stringMatching(/^template od-a: launchTemplateId version 7 of lt-1 asks for spot instances/),
    });
    const launch = await provider.prepare(orderOf({ launchTemplateId: 'lt-1', priceType: 'spot' }));
    expect(launch?.call).toMatchObject({ InstanceMarketOptions: { SpotOptions: { SpotInstanceType: 'one-time' } } });
  });

  it('holds the user data as it stands in the file', async () => {
    const path = join(await temporaryFolder(), 'boot.sh');
    await writeFile(path, '#!/bin/bash\necho "$HOME \\ ä"\n');
    const { UserData } = await callFor({ userDataScript: path });
    expect(Buffer.from(String(UserData), 'base64').toString()).toBe('#!/bin/bash\necho "$HOME \\ ä"\n');
  });

  it('holds no user data where the file is empty', async () => {
    const path = join(await temporaryFolder(), 'boot.sh');
    await writeFile(path, '');
    expect(await callFor({ userDataScript: path })).not.toHaveProperty('UserData');
  });

  it('holds the caller’s account as a tag, where there is one', async () => {
    const account = { Key: 'RC_ACCOUNT', Value: 'quant' };
    const tagged = await callFor({}, { attributes: { rc_account: 'quant' } });
    expect(tagged).toMatchObject({ TagSpecifications: [{ Tags: expect.arrayContaining([account]) }, {}, {}] });
    expect(JSON.stringify(await callFor({}))).not.toContain('RC_ACCOUNT');
  });

  it('does not let a template forge our tags', async () => {
    const call = await callFor({ instanceTags: [['hf-aws:owner', 'somebody']] });
    expect(JSON.stringify(call)).not.toContain('somebody');
  });

  it('is plain JSON: what is stored is what goes out', async () => {
    const { call } = await prepare({ securityGroupIds: ['sg-1'], rootDeviceVolumeSize: 9, keyName: 'k' });
    expect(JSON.parse(JSON.stringify(call))).toEqual(call);
  });

  it('is for the next subnet, under the next token, until none is left', async () => {
    const first = await prepare();
    const second = await prepare({}, { earlier: [first], count: 2 });
    expect(second).toMatchObject({
      clientToken: 'req-1.1',
      pool: 'm5.large in subnet-b',
      call: { SubnetId: 'subnet-b', ClientToken: 'req-1.1', MaxCount: 2 },
    });
    expect(await setUp().provider.prepare(orderOf({}, { earlier: [first, second] }))).toBeUndefined();
  });

  it('goes on to the next type when no subnet has the first', async () => {
    const { vmType: _type, ...template } = orderOf().template;
    const order = (earlier: readonly PreparedLaunch[]) => ({
      ...orderOf(),
      template: { ...template, vmTypes: { 't3.medium': 2, 't3.large': 1 } },
      earlier,
    });
    const { provider } = setUp();
    const launches: PreparedLaunch[] = [];
    for (let launch = await provider.prepare(order([])); launch; launch = await provider.prepare(order(launches)))
      launches.push(launch);
    expect(launches.map(({ pool }) => pool)).toEqual([
      't3.medium in subnet-a',
      't3.medium in subnet-b',
      't3.large in subnet-a',
      't3.large in subnet-b',
    ]);
    expect(launches.map(({ call }) => call)).toMatchObject(
      ['t3.medium', 't3.medium', 't3.large', 't3.large'].map((InstanceType) => ({ InstanceType })),
    );
  });

  it('is for as many pools as there are subnets, also where the template has the call name none', async () => {
    const raw = { launchTemplateSpec: { NetworkInterfaces: [] }, providerApiSpec: { NetworkInterfaces: [] } };
    const first = await prepare(raw);
    const second = await prepare(raw, { earlier: [first] });
    expect(await setUp().provider.prepare(orderOf(raw, { earlier: [first, second] }))).toBeUndefined();
  });

  const refusing = (...refused: readonly Offering[]) =>
    setUp({ offerings: { refused: async () => refused, remember: async () => undefined, forget: async () => 0 } });

  it.each([
    ['refused lately', [inSubnet('subnet-a')], 'subnet-b'],
    ['not refused', [], 'subnet-a'],
    ['refused with all the others', [inSubnet('subnet-a'), inSubnet('subnet-b')], 'subnet-a'],
    ['refused for another type', [{ ...inSubnet('subnet-a'), instanceType: 'c5.large' }], 'subnet-a'],
    ['refused on the other market', [{ ...inSubnet('subnet-a'), market: 'spot' as const }], 'subnet-a'],
  ])('begins with a subnet that was %s only where it should', async (_what, refused, expected) => {
    const launch = await refusing(...refused).provider.prepare(orderOf());
    expect(launch?.call).toMatchObject({ SubnetId: expected });
  });

  it('comes back to a subnet that was refused lately when the others had not enough', async () => {
    const { provider } = refusing(inSubnet('subnet-a'));
    const first = await provider.prepare(orderOf());
    const earlier = first === undefined ? [] : [first];
    expect((await provider.prepare(orderOf({}, { earlier })))?.call).toMatchObject({ SubnetId: 'subnet-a' });
  });
});

describe('a call that cannot be prepared', () => {
  it.each(['/nowhere/boot.sh', '/dev/zero'])('for want of the user data names template and file: %s', async (file) =>
    expect(prepare({ userDataScript: file })).rejects.toMatchObject({
      code: 'template.invalid',
      message: `template od-a: userDataScript ${file} cannot be read`,
    }),
  );

  it.each([
    [16_384, true],
    [16_385, false],
  ])('for user data of %i bytes: may be sent: %s', async (size, fits) => {
    const path = join(await temporaryFolder(), 'boot.sh');
    await writeFile(path, 'x'.repeat(size));
    const prepared = await prepare({ userDataScript: path }).catch((error: unknown) => error);
    expect(prepared).toMatchObject(fits ? { count: 3 } : { code: 'template.invalid' });
  });

  it.each([
    ['%EXPORT_USER_DATA%', false],
    ['  export A=b; %EXPORT_USER_DATA%', false],
    ['# IBM filled %EXPORT_USER_DATA% in', true],
  ])('for a placeholder that nothing fills in: "%s" may be sent: %s', async (line, isFine) => {
    const path = join(await temporaryFolder(), 'boot.sh');
    await writeFile(path, `#!/bin/bash\n${line}\necho\n`);
    const prepared = await prepare({ userDataScript: path }).catch((error: unknown) => error);
    const message = expect.stringMatching(
      /^template od-a: userDataScript \/.*boot\.sh has IBM's placeholder %EXPORT_USER_DATA%.*write the exports/,
    );
    expect(prepared).toMatchObject(isFine ? { count: 3 } : { code: 'template.invalid', message });
  });

  it.runIf(process.platform !== 'win32')('for a path of Windows on another system says that', () =>
    expect(prepare({ userDataScript: 'C:\\hf\\boot.ps1' })).rejects.toMatchObject({
      code: 'template.invalid',
      message: 'template od-a: userDataScript C:\\hf\\boot.ps1 is a Windows path, and this host does not run Windows',
    }),
  );

  it('for want of the image’s root device passes the fault on', async () => {
    const error = new PluginError('provider.throttled', 'DescribeImages failed');
    const { provider } = setUp({ rootDeviceOf: () => Promise.reject(error) });
    await expect(provider.prepare(orderOf({ rootDeviceVolumeSize: 50 }))).rejects.toBe(error);
  });
});

describe('a key pair', () => {
  it('whose file is not in the administrator’s folder is worth a warning, no more', async () => {
    const keyDirectory = await temporaryFolder();
    await writeFile(join(keyDirectory, 'there.pem'), '');
    const { provider, log } = setUp({ keyDirectory });
    await provider.prepare(orderOf({ keyName: 'there' }));
    await provider.prepare(orderOf());
    expect(log.lines).toEqual([]);
    expect(await provider.prepare(orderOf({ keyName: 'gone' }))).toMatchObject({ call: { KeyName: 'gone' } });
    expect(log.lines).toMatchObject([{ level: 'warn', text: expect.stringContaining('gone.pem') }]);
  });
});

describe('a launch', () => {
  const instances = (count: number): readonly Instance[] =>
    Array.from({ length: count }, (_, n) => ({ InstanceId: `i-${n}`, State: { Code: 0 }, InstanceType: 'm5.large' }));
  const launchWith = async (answer: (input: RunInstancesCommandInput) => readonly Instance[]) => {
    const { ec2, provider } = setUp();
    ec2.launch = answer;
    const prepared = await prepare();
    const report = await provider.launch(JSON.parse(JSON.stringify(prepared)));
    return { report, sent: ec2.launches, prepared };
  };
  const fault = (code: PluginError['code'], aws: string) => () => {
    throw new PluginError(code, `RunInstances failed. Error Code: ${aws}: AWS says so: no`, {
      aws: { code: aws, action: 'RunInstances', awsRequestId: 'a1' },
    });
  };

  it.each([
    ['no room', 'InsufficientInstanceCapacity', [{ ...inSubnet('subnet-a'), expiresAt: 181_000 }]],
    ['no address', 'InsufficientFreeAddressesInSubnet', [{ subnetId: 'subnet-a', expiresAt: 181_000 }]],
    ['the quota', 'VcpuLimitExceeded', [{ instanceType: 'm5.large', expiresAt: 601_000 }]],
    ['permission', 'UnauthorizedOperation', []],
  ])('that was refused for %s leaves that on record', async (_what, aws, expected) => {
    const remembered: RefusedOffering[] = [];
    const { ec2, provider } = setUp({
      offerings: {
        refused: async () => [],
        remember: async (refused) => void remembered.push(...refused),
        forget: async () => 0,
      },
    });
    ec2.launch = fault('provider.capacity', aws);
    await provider.launch(await prepare());
    expect(remembered).toMatchObject(expected);
    expect(remembered).toHaveLength(expected.length);
  });

  it('that got all forgets what was refused of the same', async () => {
    const known = [inSubnet('subnet-a'), inSubnet('subnet-b'), { market: 'spot' as const, subnetId: 'subnet-a' }];
    const forgotten: Offering[] = [];
    const { ec2, provider } = setUp({
      offerings: {
        refused: async () => [],
        remember: async () => undefined,
        forget: async (isMeant) => forgotten.push(...known.filter(isMeant)),
      },
    });
    ec2.launch = () => instances(3);
    await provider.launch(await prepare());
    expect(forgotten).toEqual([inSubnet('subnet-a')]);
  });

  it('sends what was stored, and tells what came of it', async () => {
    const { report, sent, prepared } = await launchWith(() => instances(3));
    expect(sent).toEqual([prepared.call]);
    expect(report).toMatchObject({
      machines: [{ machineId: 'i-0', state: 'pending' }, { machineId: 'i-1' }, { machineId: 'i-2' }],
      tryNextPool: false,
    });
    expect(report).not.toHaveProperty('refusal');
  });

  it('that got part says so: EC2 itself does not', async () => {
    const { report } = await launchWith(() => instances(1));
    expect(report).toMatchObject({
      machines: [{ machineId: 'i-0' }],
      refusal: {
        missing: 2,
        code: 'PartialGrant',
        fault: 'provider.capacity',
        message: 'EC2 granted 1 of 3',
        pool: 'm5.large in subnet-a',
      },
      tryNextPool: true,
    });
  });

  it.each([
    ['provider.capacity', 'InsufficientInstanceCapacity', true],
    ['provider.quota', 'VcpuLimitExceeded', false],
    ['provider.denied', 'UnauthorizedOperation', false],
    ['provider.misconfigured', 'InvalidAMIID.NotFound', false],
    ['provider.missing', 'InvalidLaunchTemplateId.NotFound', false],
    ['provider.unreachable', 'ECONNREFUSED', false],
  ] as const)('refused with %s is a refusal in AWS’s words', async (code, aws, tryNextPool) => {
    const { report } = await launchWith(fault(code, aws));
    expect(report).toEqual({
      machines: [],
      refusal: {
        missing: 3,
        code: aws,
        fault: code,
        message: 'AWS says so: no',
        pool: 'm5.large in subnet-a',
        awsRequestId: 'a1',
      },
      tryNextPool,
    });
  });

  it.each(['provider.throttled', 'provider.transient'] as const)(
    'that is %s is thrown: the outcome is unknown',
    async (code) => expect(launchWith(fault(code, 'Whatever'))).rejects.toMatchObject({ code }),
  );

  it('of what this API did not render is refused', async () => {
    const { provider, ec2 } = setUp();
    const launch = { clientToken: 'req-1.0', count: 1, pool: 'p', call: { fleet: true } };
    await expect(provider.launch(launch)).rejects.toMatchObject({ code: 'storage.unreadable' });
    expect(ec2.launches).toEqual([]);
  });
});
