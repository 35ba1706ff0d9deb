import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  CreateTagsCommand,
  DeleteLaunchTemplateCommand,
  DescribeLaunchTemplatesCommand,
  type DescribeLaunchTemplatesCommandInput,
  DescribeLaunchTemplateVersionsCommand,
  ModifyLaunchTemplateCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { expectRefusal, startRegion } from './region.ts';

const tagged = (value: string) => [{ ResourceType: 'instance' as const, Tags: [{ Key: 'owner', Value: value }] }];

describe('launch templates', () => {
  it('give a launch what it leaves out; its own parameters and tags come first', async () => {
    const { template, run } = await startRegion();
    const LaunchTemplateId = await template({
      KeyName: 'ops',
      SecurityGroupIds: ['sg-12345678'],
      TagSpecifications: [
        {
          ResourceType: 'instance',
          Tags: [
            { Key: 'owner', Value: 'template' },
            { Key: 'team', Value: 'a' },
          ],
        },
      ],
    });
    const [instance] = await run({
      ImageId: undefined,
      InstanceType: 'c5.large',
      LaunchTemplate: { LaunchTemplateId },
      TagSpecifications: tagged('call'),
    });
    expect(instance).toMatchObject({ ImageId: 'ami-12345678', InstanceType: 'c5.large', KeyName: 'ops' });
    expect(new Map(instance?.Tags?.map(({ Key, Value }) => [Key, Value]))).toEqual(
      new Map([
        ['owner', 'call'],
        ['team', 'a'],
      ]),
    );
  });

  it('have versions by number, $Latest and $Default, with the data as stored', async () => {
    const { client, template, run } = await startRegion();
    const LaunchTemplateId = await template({
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 30 } }],
      NetworkInterfaces: [{ DeviceIndex: 0, NetworkCardIndex: 0 }],
      TagSpecifications: tagged('x'),
    });
    await client.send(
      new CreateLaunchTemplateVersionCommand({
        LaunchTemplateId,
        SourceVersion: '1',
        LaunchTemplateData: { InstanceType: 'r5.large' },
      }),
    );
    const versions = async (...Versions: string[]) =>
      (await client.send(new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, Versions })))
        .LaunchTemplateVersions ?? [];
    expect(await versions('$Latest', '$Default')).toMatchObject([
      {
        VersionNumber: 2,
        DefaultVersion: false,
        LaunchTemplateData: { ImageId: 'ami-12345678', InstanceType: 'r5.large' },
      },
      {
        VersionNumber: 1,
        DefaultVersion: true,
        LaunchTemplateData: {
          BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 30 } }],
          NetworkInterfaces: [{ DeviceIndex: 0, NetworkCardIndex: 0 }],
          TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'owner', Value: 'x' }] }],
        },
      },
    ]);
    await expectRefusal(versions('3'), 'InvalidLaunchTemplateId.VersionNotFound', 400);
    await client.send(new ModifyLaunchTemplateCommand({ LaunchTemplateId, DefaultVersion: '2' }));
    const [instance] = await run({ ImageId: undefined, InstanceType: undefined, LaunchTemplate: { LaunchTemplateId } });
    expect(instance?.InstanceType).toBe('r5.large');
  });

  it('are made once per token, and each name once', async () => {
    const { client, template } = await startRegion();
    const input = { LaunchTemplateName: 'a-name', LaunchTemplateData: { ImageId: 'ami-12345678' }, ClientToken: 't' };
    const create = async () =>
      (await client.send(new CreateLaunchTemplateCommand(input))).LaunchTemplate?.LaunchTemplateId;
    expect(await create()).toBe(await create());
    await expectRefusal(template({}, 'a-name'), 'InvalidLaunchTemplateName.AlreadyExistsException', 400);
  });

  it('are found by id, name, tag and page, and not after deletion', async () => {
    const { client, template } = await startRegion();
    const ids = [await template({}, 'one'), await template({}, 'two'), await template({}, 'three')];
    await client.send(new CreateTagsCommand({ Resources: [ids[1] ?? ''], Tags: [{ Key: 'used', Value: 'now' }] }));
    const find = async (input: DescribeLaunchTemplatesCommandInput) =>
      client.send(new DescribeLaunchTemplatesCommand(input));

    expect((await find({ Filters: [{ Name: 'tag:used', Values: ['now'] }] })).LaunchTemplates).toMatchObject([
      { LaunchTemplateName: 'two' },
    ]);
    const first = await find({ MaxResults: 2 });
    expect(first.LaunchTemplates).toHaveLength(2);
    expect((await find({ NextToken: first.NextToken })).LaunchTemplates).toMatchObject([{ LaunchTemplateId: ids[2] }]);
    await expectRefusal(find({ MaxResults: 201 }), 'InvalidParameterValue', 400);

    await client.send(new DeleteLaunchTemplateCommand({ LaunchTemplateName: 'one' }));
    await expectRefusal(find({ LaunchTemplateIds: ids }), 'InvalidLaunchTemplateId.NotFound', 400);
    await expectRefusal(find({ LaunchTemplateNames: ['one'] }), 'InvalidLaunchTemplateName.NotFoundException', 400);
  });
});
