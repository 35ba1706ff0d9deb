import {
  type AutoScalingGroup,
  CreateAutoScalingGroup$,
  type CreateAutoScalingGroupCommand,
  type CreateAutoScalingGroupCommandInput,
  CreateAutoScalingGroupType$,
  DeleteAutoScalingGroup$,
  type DeleteAutoScalingGroupCommand,
  DescribeAutoScalingGroups$,
  type DescribeAutoScalingGroupsCommand,
  DescribeScalingActivities$,
  type DescribeScalingActivitiesCommand,
  InstanceRequirements$,
  LaunchInstances$,
  type LaunchInstancesCommand,
  type LaunchInstancesCommandInput,
  type LaunchInstancesCommandOutput,
  SetInstanceProtection$,
  type SetInstanceProtectionCommand,
  SuspendProcesses$,
  type SuspendProcessesCommand,
  TerminateInstanceInAutoScalingGroup$,
  type TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroup$,
  type UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { required } from '../wire/aws-answer.ts';
import { createQueryClient, type QueryClientOptions } from '../wire/query-client.ts';

/** The Auto Scaling calls in use. The only file that knows its operations; everything thrown is a `provider.*` error. */
export interface AutoScaling {
  createGroup(input: CreateAutoScalingGroupCommandInput): Promise<void>;
  suspend(group: string, processes: readonly string[]): Promise<void>;
  launch(input: LaunchInstancesCommandInput): Promise<LaunchInstancesCommandOutput>;
  group(name: string): Promise<AutoScalingGroup | undefined>;
  /** The groups with this tag. */
  groupsTagged(key: string, value: string): Promise<readonly AutoScalingGroup[]>;
  /** Messages of the activities begun since then, ms, that failed; newest first. */
  failures(group: string, since: number): Promise<readonly string[]>;
  resize(group: string, units: number): Promise<void>;
  /** From scale-in. At most 50 ids. */
  protect(group: string, ids: readonly string[]): Promise<void>;
  unprotect(group: string, ids: readonly string[]): Promise<void>;
  /** Terminates instances of a group and lowers its desired capacity by their weights. At most 100 ids. */
  terminate(group: string, ids: readonly string[]): Promise<void>;
  /** With all its instances. */
  deleteGroup(name: string): Promise<void>;
}

/** What the fields of templates in AWS's own words end up in. */
export const groupSchemas = {
  providerApiSpec: CreateAutoScalingGroupType$,
  abisInstanceRequirements: InstanceRequirements$,
};

const service = { name: 'autoscaling', dialect: 'query', version: '2011-01-01' } as const;

export const createAutoScaling = (options: QueryClientOptions): AutoScaling => {
  const { change, read } = createQueryClient(service, options);
  const setProtection = (ProtectedFromScaleIn: boolean) => async (group: string, ids: readonly string[]) => {
    await change<SetInstanceProtectionCommand>(SetInstanceProtection$, {
      AutoScalingGroupName: group,
      InstanceIds: [...ids],
      ProtectedFromScaleIn,
    });
  };
  return {
    createGroup: async (input) => {
      await change<CreateAutoScalingGroupCommand>(CreateAutoScalingGroup$, input);
    },
    suspend: async (AutoScalingGroupName, processes) => {
      await change<SuspendProcessesCommand>(SuspendProcesses$, {
        AutoScalingGroupName,
        ScalingProcesses: [...processes],
      });
    },
    launch: async (input) => {
      const answer = await change<LaunchInstancesCommand>(LaunchInstances$, input);
      required('LaunchInstances', 'instance and no error', answer.Instances?.[0] ?? answer.Errors?.[0]);
      return answer;
    },
    group: async (name) => {
      return (
        await read<DescribeAutoScalingGroupsCommand>(DescribeAutoScalingGroups$, { AutoScalingGroupNames: [name] })
      ).AutoScalingGroups?.[0];
    },
    groupsTagged: async (key, value) => {
      const Filters = [{ Name: `tag:${key}`, Values: [value] }];
      const found: AutoScalingGroup[] = [];
      let token: string | undefined;
      do {
        const page = { Filters, MaxRecords: 100, ...(token === undefined ? {} : { NextToken: token }) };
        const answer = await read<DescribeAutoScalingGroupsCommand>(DescribeAutoScalingGroups$, page);
        found.push(...(answer.AutoScalingGroups ?? []));
        token = answer.NextToken;
      } while (token !== undefined && token !== '');
      return found;
    },
    failures: async (AutoScalingGroupName, since) => {
      const { Activities = [] } = await read<DescribeScalingActivitiesCommand>(DescribeScalingActivities$, {
        AutoScalingGroupName,
        MaxRecords: 100,
      });
      return Activities.filter(
        ({ StatusCode, StartTime }) => StatusCode === 'Failed' && (StartTime?.getTime() ?? since) >= since,
      ).map(({ StatusMessage = '' }) => StatusMessage);
    },
    resize: async (AutoScalingGroupName, DesiredCapacity) => {
      await change<UpdateAutoScalingGroupCommand>(UpdateAutoScalingGroup$, { AutoScalingGroupName, DesiredCapacity });
    },
    protect: setProtection(true),
    unprotect: setProtection(false),
    terminate: async (AutoScalingGroupName, ids) => {
      const [InstanceId] = ids;
      // One id in the form that older endpoints know too.
      const which = ids.length === 1 ? { InstanceId } : { AutoScalingGroupName, InstanceIds: [...ids] };
      await change<TerminateInstanceInAutoScalingGroupCommand>(TerminateInstanceInAutoScalingGroup$, {
        ...which,
        ShouldDecrementDesiredCapacity: true,
      });
    },
    deleteGroup: async (AutoScalingGroupName) => {
      await change<DeleteAutoScalingGroupCommand>(DeleteAutoScalingGroup$, { AutoScalingGroupName, ForceDelete: true });
    },
  };
};
