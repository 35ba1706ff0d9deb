import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  DeleteAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateCommand, DeleteLaunchTemplateCommand } from '@aws-sdk/client-ec2';
import { expect } from 'vitest';
import type { Backend } from './backends.ts';

export type Market = 'ondemand' | 'spot' | 'mixed';

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'planted-secret' };
const AutoScalingGroupName = 'grid';

/** The Auto Scaling group `grid` as the README asks administrators to make it, with machines of its own. */
export const createOwnGroup = async (
  { url, client, place }: Backend,
  market: Market,
  machines = 0,
  { weight = 1, most = 10 }: { readonly weight?: number; readonly most?: number } = {},
) => {
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
      MaxSize: most,
      DesiredCapacity: machines,
      VPCZoneIdentifier: String(place['subnetId']),
      NewInstancesProtectedFromScaleIn: true,
      MixedInstancesPolicy: {
        LaunchTemplate: {
          LaunchTemplateSpecification,
          Overrides: [{ InstanceType: 'm5.large', WeightedCapacity: String(weight) }],
        },
        InstancesDistribution: {
          OnDemandBaseCapacity: market === 'mixed' ? 1 : 0,
          OnDemandPercentageAboveBaseCapacity: market === 'ondemand' ? 100 : 0,
        },
      },
    }),
  );
  const ScalingProcesses = ['AZRebalance', 'ReplaceUnhealthy'];
  await scaling.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses }));
  const describe = async () => {
    const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [AutoScalingGroupName] });
    return (await scaling.send(command)).AutoScalingGroups?.[0];
  };
  const group = {
    desiredCapacity: async (): Promise<number | undefined> => (await describe())?.DesiredCapacity,
    instanceIds: async (): Promise<readonly (string | undefined)[]> => {
      const living = ((await describe())?.Instances ?? []).filter(
        ({ LifecycleState = '' }) => !LifecycleState.startsWith('Terminat'),
      );
      return living.map(({ InstanceId }) => InstanceId);
    },
    /** As an administrator may leave it; the named processes go on. */
    change: async (
      to: {
        readonly isProtecting: boolean;
        readonly isRebalancing: boolean;
        readonly least: number;
        readonly most: number;
      },
      ...resumed: readonly string[]
    ): Promise<void> => {
      await scaling.send(
        new UpdateAutoScalingGroupCommand({
          AutoScalingGroupName,
          NewInstancesProtectedFromScaleIn: to.isProtecting,
          CapacityRebalance: to.isRebalancing,
          MinSize: to.least,
          MaxSize: to.most,
        }),
      );
      await scaling.send(new ResumeProcessesCommand({ AutoScalingGroupName, ScalingProcesses: [...resumed] }));
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
