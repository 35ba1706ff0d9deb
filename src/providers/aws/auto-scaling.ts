import {
  AutoScalingClient,
  type AutoScalingClientConfig,
  type AutoScalingGroup,
  CreateAutoScalingGroupCommand,
  type CreateAutoScalingGroupCommandInput,
  DeleteAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeScalingActivitiesCommand,
  LaunchInstancesCommand,
  type LaunchInstancesCommandInput,
  type LaunchInstancesCommandOutput,
  SetInstanceProtectionCommand,
  SuspendProcessesCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { type CallContext, callAws, type RetryPolicy } from './call.ts';

/** The Auto Scaling calls in use. The only file that knows its client; everything thrown is a `provider.*` error. */
export interface AutoScaling {
  createGroup(input: CreateAutoScalingGroupCommandInput): Promise<void>;
  suspend(group: string, processes: readonly string[]): Promise<void>;
  launch(input: LaunchInstancesCommandInput): Promise<LaunchInstancesCommandOutput>;
  group(name: string): Promise<AutoScalingGroup | undefined>;
  /** Messages of the activities that failed, newest first. */
  failures(group: string): Promise<readonly string[]>;
  resize(group: string, units: number): Promise<void>;
  unprotect(group: string, ids: readonly string[]): Promise<void>;
  /** Terminates instances of a group and lowers its desired capacity by their weights. At most 100 ids. */
  terminate(group: string, ids: readonly string[]): Promise<void>;
  /** With all its instances. */
  deleteGroup(name: string): Promise<void>;
}

export interface AutoScalingOptions extends CallContext {
  readonly client: AutoScalingClientConfig;
  readonly changes: RetryPolicy;
  readonly reads: RetryPolicy;
}

export const createAutoScaling = ({ client: config, changes, reads, ...context }: AutoScalingOptions): AutoScaling => {
  const client = new AutoScalingClient({ ...config, maxAttempts: 1 });
  type Send<O> = (options: { readonly abortSignal: AbortSignal }) => Promise<O>;
  const change = async <O>(action: string, send: Send<O>): Promise<O> =>
    callAws(context, changes, action, (abortSignal) => send({ abortSignal }));
  const read = async <O>(action: string, send: Send<O>): Promise<O> =>
    callAws(context, reads, action, (abortSignal) => send({ abortSignal }));

  return {
    createGroup: async (input) => {
      await change('CreateAutoScalingGroup', (options) =>
        client.send(new CreateAutoScalingGroupCommand(input), options),
      );
    },
    suspend: async (AutoScalingGroupName, processes) => {
      const command = new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses: [...processes] });
      await change('SuspendProcesses', (options) => client.send(command, options));
    },
    launch: (input) => change('LaunchInstances', (options) => client.send(new LaunchInstancesCommand(input), options)),
    group: async (name) => {
      const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] });
      return (await read('DescribeAutoScalingGroups', (options) => client.send(command, options)))
        .AutoScalingGroups?.[0];
    },
    failures: async (AutoScalingGroupName) => {
      const command = new DescribeScalingActivitiesCommand({ AutoScalingGroupName, MaxRecords: 100 });
      const { Activities = [] } = await read('DescribeScalingActivities', (options) => client.send(command, options));
      return Activities.filter(({ StatusCode }) => StatusCode === 'Failed').map(
        ({ StatusMessage = '' }) => StatusMessage,
      );
    },
    resize: async (AutoScalingGroupName, DesiredCapacity) => {
      const command = new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, DesiredCapacity });
      await change('UpdateAutoScalingGroup', (options) => client.send(command, options));
    },
    unprotect: async (AutoScalingGroupName, ids) => {
      const command = new SetInstanceProtectionCommand({
        AutoScalingGroupName,
        InstanceIds: [...ids],
        ProtectedFromScaleIn: false,
      });
      await change('SetInstanceProtection', (options) => client.send(command, options));
    },
    terminate: async (AutoScalingGroupName, ids) => {
      const [InstanceId] = ids;
      // One id in the form that older endpoints know too.
      const which = ids.length === 1 ? { InstanceId } : { AutoScalingGroupName, InstanceIds: [...ids] };
      const command = new TerminateInstanceInAutoScalingGroupCommand({
        ...which,
        ShouldDecrementDesiredCapacity: true,
      });
      await change('TerminateInstanceInAutoScalingGroup', (options) => client.send(command, options));
    },
    deleteGroup: async (AutoScalingGroupName) => {
      const command = new DeleteAutoScalingGroupCommand({ AutoScalingGroupName, ForceDelete: true });
      await change('DeleteAutoScalingGroup', (options) => client.send(command, options));
    },
  };
};
