import type { AssumedMachine, Rehearsal } from '../../application/rehearsal.ts';
import { withoutUserData } from '../../application/user-data.ts';
import { tagKeys } from './instances/tags.ts';
import type { AutoScaling } from './services/auto-scaling.ts';
import type { Ec2 } from './services/ec2.ts';

const $metadata = {};

/** Ids of the form EC2 gives out, for machines that are never launched. */
const machineIds = (count: number | undefined = 0): string[] =>
  Array.from({ length: count }, (_, index) => `i-${index.toString(16).padStart(17, '0')}`);

/** EC2 as it would be spoken to: every call is noted, none is sent, and what was asked for is assumed to be granted. */
export const rehearsedEc2 = ({ record, recall }: Rehearsal, owner: string): Ec2 => {
  const note = (action: string, input: object): void =>
    record({ service: 'ec2', action, input: withoutUserData(input) });
  const assumed = ({ machineId, requestId, name }: AssumedMachine) => ({
    InstanceId: machineId,
    PrivateDnsName: name,
    State: { Code: 16, Name: 'running' as const },
    Tags: [
      { Key: tagKeys.owner, Value: owner },
      { Key: tagKeys.request, Value: requestId },
    ],
  });
  const target = (total: number, onDemand: number) => ({
    TotalTargetCapacity: total,
    OnDemandTargetCapacity: onDemand,
  });
  return {
    runInstances: async (input) => {
      note('RunInstances', input);
      return { $metadata, Instances: machineIds(input.MaxCount).map((InstanceId) => ({ InstanceId })) };
    },
    describeInstances: async (filters) => {
      note('DescribeInstances', { Filters: filters });
      return (await recall(filters.flatMap(({ Values = [] }) => Values))).map(assumed);
    },
    terminateInstances: async (ids) => note('TerminateInstances', { InstanceIds: ids }),
    createTags: async (resources, tags) => note('CreateTags', { Resources: resources, Tags: tags }),
    spotRequests: async () => [],
    scheduledEvents: async () => [],
    rootDeviceName: async (imageId) => {
      note('DescribeImages', { ImageIds: [imageId] });
      return `<RootDeviceName of ${imageId}>`;
    },
    subnetZones: async (ids) => {
      note('DescribeSubnets', { SubnetIds: ids });
      return {};
    },
    instanceTypes: async () => [],

    createLaunchTemplate: async (input) => {
      note('CreateLaunchTemplate', input);
      return `<LaunchTemplateId of ${input.LaunchTemplateName}>`;
    },
    launchTemplateId: async (name) => `<LaunchTemplateId of ${name}>`,
    launchTemplates: async () => [],
    launchTemplateVersion: async (id, version) => {
      note('DescribeLaunchTemplateVersions', { LaunchTemplateId: id, Versions: [version] });
      return { version: version.startsWith('$') ? `<number of version ${version}>` : version, data: {} };
    },
    deleteLaunchTemplate: async (id) => note('DeleteLaunchTemplate', { LaunchTemplateId: id }),

    createFleet: async (input) => {
      note('CreateFleet', input);
      const count = input.Type === 'instant' ? input.TargetCapacitySpecification?.TotalTargetCapacity : 0;
      return { $metadata, FleetId: '<FleetId>', Instances: [{ InstanceIds: machineIds(count) }] };
    },
    fleetState: async (id) => {
      note('DescribeFleets', { FleetIds: [id] });
      return { isOver: false, target: 0 };
    },
    fleetErrors: async () => [],
    fleetInstances: async () => [],
    activeFleets: async () => [],
    modifyFleet: async (id, { total, onDemand }) =>
      note('ModifyFleet', { FleetId: id, TargetCapacitySpecification: target(total, onDemand) }),
    deleteFleet: async (id) => note('DeleteFleets', { FleetIds: [id], TerminateInstances: false }),

    requestSpotFleet: async (config) => {
      note('RequestSpotFleet', { SpotFleetRequestConfig: config });
      return '<SpotFleetRequestId>';
    },
    spotFleetState: async (id) => {
      note('DescribeSpotFleetRequests', { SpotFleetRequestIds: [id] });
      return { isOver: false, target: 0 };
    },
    spotFleetErrors: async () => [],
    spotFleetInstances: async () => [],
    activeSpotFleets: async () => [],
    modifySpotFleet: async (id, { total, onDemand }) =>
      note('ModifySpotFleetRequest', {
        SpotFleetRequestId: id,
        TargetCapacity: total,
        OnDemandTargetCapacity: onDemand,
      }),
    cancelSpotFleet: async (id) =>
      note('CancelSpotFleetRequests', { SpotFleetRequestIds: [id], TerminateInstances: false }),
  };
};

/** The same of Auto Scaling. */
export const rehearsedAutoScaling = ({ record }: Pick<Rehearsal, 'record'>): AutoScaling => {
  const note = (action: string, input: object): void => record({ service: 'autoscaling', action, input });
  return {
    createGroup: async (input) => note('CreateAutoScalingGroup', input),
    suspend: async (AutoScalingGroupName, ScalingProcesses) =>
      note('SuspendProcesses', { AutoScalingGroupName, ScalingProcesses }),
    launch: async (input) => {
      note('LaunchInstances', input);
      return { $metadata, Instances: [{ InstanceIds: machineIds(input.RequestedCapacity) }] };
    },
    group: async (name) => {
      note('DescribeAutoScalingGroups', { AutoScalingGroupNames: [name] });
      return undefined;
    },
    groupsTagged: async () => [],
    failures: async () => [],
    resize: async (AutoScalingGroupName, DesiredCapacity) =>
      note('UpdateAutoScalingGroup', { AutoScalingGroupName, DesiredCapacity }),
    protect: async (AutoScalingGroupName, InstanceIds) =>
      note('SetInstanceProtection', { AutoScalingGroupName, InstanceIds, ProtectedFromScaleIn: true }),
    unprotect: async (AutoScalingGroupName, InstanceIds) =>
      note('SetInstanceProtection', { AutoScalingGroupName, InstanceIds, ProtectedFromScaleIn: false }),
    terminate: async (AutoScalingGroupName, InstanceIds) =>
      note('TerminateInstanceInAutoScalingGroup', {
        AutoScalingGroupName,
        InstanceIds,
        ShouldDecrementDesiredCapacity: true,
      }),
    deleteGroup: async (AutoScalingGroupName) =>
      note('DeleteAutoScalingGroup', { AutoScalingGroupName, ForceDelete: true }),
  };
};

export const rehearsedImage = ({ record }: Pick<Rehearsal, 'record'>, alias: string): string => {
  const Name = alias.replace(/^resolve:ssm:/, '');
  record({ service: 'ssm', action: 'GetParameter', input: { Name } });
  return `<value of ${Name}>`;
};
