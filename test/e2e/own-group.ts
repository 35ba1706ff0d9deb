import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  DeleteAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
} from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateCommand, DeleteLaunchTemplateCommand } from '@aws-sdk/client-ec2';
import { expect } from 'vitest';
import type { Backend } from './backends.ts';

export type Market = 'ondemand' | 'spot' | 'mixed';

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'planted-secret' };
const AutoScalingGroupName = 'grid';

/** The Auto Scaling group `grid` as an administrator makes it, with machines of its own. */
export const createOwnGroup = async ({ url, client, place }: Backend, market: Market, machines = 0) => {
  const { LaunchTemplate } = await client.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: AutoScalingGroupName,
      LaunchTemplateData: { ImageId: String(place['imageId']), InstanceType: 'm5.large' },
    }),
  );
  const scaling = new AutoScalingClient({ endpoint: url, region: 'us-east-1', credentials });
  const LaunchTemplateSpecification = { LaunchTemplateId: LaunchTemplate?.LaunchTemplateId, Version: '1' };
  await scaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName,
      MinSize: 0,
      MaxSize: 10,
      DesiredCapacity: machines,
      VPCZoneIdentifier: String(place['subnetId']),
      NewInstancesProtectedFromScaleIn: true,
      MixedInstancesPolicy: {
        LaunchTemplate: { LaunchTemplateSpecification, Overrides: [{ InstanceType: 'm5.large' }] },
        InstancesDistribution: {
          OnDemandBaseCapacity: market === 'mixed' ? 1 : 0,
          OnDemandPercentageAboveBaseCapacity: market === 'ondemand' ? 100 : 0,
        },
      },
    }),
  );
  const group = {
    instanceIds: async (): Promise<readonly (string | undefined)[]> => {
      const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [AutoScalingGroupName] });
      const { AutoScalingGroups = [] } = await scaling.send(command);
      const living = (AutoScalingGroups[0]?.Instances ?? []).filter(
        ({ LifecycleState = '' }) => !LifecycleState.startsWith('Terminat'),
      );
      return living.map(({ InstanceId }) => InstanceId);
    },
    remove: async (): Promise<void> => {
      await scaling.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName, ForceDelete: true }));
      await client.send(new DeleteLaunchTemplateCommand({ LaunchTemplateName: AutoScalingGroupName }));
      scaling.destroy();
    },
  };
  await expect.poll(group.instanceIds, { timeout: 10_000 }).toHaveLength(machines);
  return group;
};
