import type { Rehearsal } from '../../application/rehearsal.ts';
import { withoutUserData } from '../../application/user-data.ts';
import { tagKeys } from './instances/tags.ts';
import type { AutoScaling } from './services/auto-scaling.ts';
import type { Ec2 } from './services/ec2.ts';
import type { AutoScalingCalls, Ec2Calls } from './services/operations.ts';
import { type Answers, clientOf } from './wire/query-client.ts';

/** Ids of the form EC2 gives out, for machines that are never launched. */
const machineIds = (count: number | undefined = 0): string[] =>
  Array.from({ length: count }, (_, index) => `i-${index.toString(16).padStart(17, '0')}`);

/** EC2 as it would be spoken to: every call is noted, none is sent, and what was asked for is assumed to be granted. */
export const rehearsedEc2 = ({ record, recall }: Rehearsal, { owner }: { readonly owner: string }): Ec2 => {
  const answers: Answers<Ec2Calls> = {
    RunInstances: ({ MaxCount }) => ({ Instances: machineIds(MaxCount).map((InstanceId) => ({ InstanceId })) }),
    CreateFleet: ({ Type, TargetCapacitySpecification }) => ({
      FleetId: '<FleetId>',
      Instances:
        Type === 'instant' ? [{ InstanceIds: machineIds(TargetCapacitySpecification?.TotalTargetCapacity) }] : [],
    }),
    RequestSpotFleet: () => ({ SpotFleetRequestId: '<SpotFleetRequestId>' }),
    CreateLaunchTemplate: ({ LaunchTemplateName }) => ({
      LaunchTemplate: { LaunchTemplateId: `<LaunchTemplateId of ${LaunchTemplateName}>` },
    }),
    DescribeInstances: async ({ Filters = [] }) => {
      const found = await recall(Filters.flatMap(({ Values = [] }) => Values));
      const Instances = found.map(({ machineId, requestId, name }) => ({
        InstanceId: machineId,
        PrivateDnsName: name,
        State: { Code: 16, Name: 'running' as const },
        Tags: [
          { Key: tagKeys.owner, Value: owner },
          { Key: tagKeys.request, Value: requestId },
        ],
      }));
      return { Reservations: [{ Instances }] };
    },
    DescribeImages: ({ ImageIds: [ImageId = ''] = [] }) => ({
      Images: [{ ImageId, RootDeviceName: `<RootDeviceName of ${ImageId}>` }],
    }),
    DescribeLaunchTemplates: ({ LaunchTemplateNames = [] }) => ({
      LaunchTemplates: LaunchTemplateNames.map((name) => ({ LaunchTemplateId: `<LaunchTemplateId of ${name}>` })),
    }),
    DescribeLaunchTemplateVersions: () => ({ LaunchTemplateVersions: [{ LaunchTemplateData: {} }] }),
    DescribeFleets: ({ FleetIds = [] }) => ({ Fleets: FleetIds.map((FleetId) => ({ FleetId, FleetState: 'active' })) }),
    DescribeSpotFleetRequests: ({ SpotFleetRequestIds = [] }) => ({
      SpotFleetRequestConfigs: SpotFleetRequestIds.map((SpotFleetRequestId) => ({
        SpotFleetRequestId,
        SpotFleetRequestState: 'active',
      })),
    }),
  };
  return clientOf<Ec2Calls>(async (action, input) => {
    record({ service: 'ec2', action, input: withoutUserData(input) });
    return answers[action]?.(input) ?? {};
  });
};

/** The same of Auto Scaling. */
export const rehearsedAutoScaling = ({ record }: Pick<Rehearsal, 'record'>): AutoScaling => {
  const answers: Answers<AutoScalingCalls> = {
    LaunchInstances: ({ RequestedCapacity }) => ({ Instances: [{ InstanceIds: machineIds(RequestedCapacity) }] }),
  };
  return clientOf<AutoScalingCalls>(async (action, input) => {
    record({ service: 'autoscaling', action, input });
    return answers[action]?.(input) ?? {};
  });
};

export const rehearsedImage = ({ record }: Pick<Rehearsal, 'record'>, alias: string): string => {
  const Name = alias.replace(/^resolve:ssm:/, '');
  record({ service: 'ssm', action: 'GetParameter', input: { Name } });
  return `<value of ${Name}>`;
};
