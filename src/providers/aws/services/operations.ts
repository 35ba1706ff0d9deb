import type { GetOutputType } from '@smithy/types';
import type { Operation } from '../wire/query-client.ts';

/** `why` its permission is needed reads on from "it is needed". */
interface Row extends Operation {
  readonly why: string;
}

const read = (why: string) => ({ kind: 'read', why }) as const;
const change = (why: string) => ({ kind: 'change', why }) as const;
const launch = (why: string, ...token: readonly string[]) => ({ kind: 'change', why, token }) as const;

/** The EC2 operations in use, each one row: types, schemas, rehearsal and the IAM policy follow from it. */
export const ec2Operations = {
  CancelSpotFleetRequests: change("to end a Spot Fleet's search for capacity"),
  CreateFleet: launch('to launch by EC2 Fleet', 'ClientToken'),
  // Idempotent by its name.
  CreateLaunchTemplate: change('to make the launch templates that fleets and groups launch by'),
  CreateTags: change('to tag what is launched'),
  DeleteFleets: change("to end an EC2 Fleet's search for capacity"),
  DeleteLaunchTemplate: change('to remove launch templates after use'),
  DescribeCapacityReservations: read('for templates validate --aws'),
  DescribeFleetHistory: read('to tell why an EC2 Fleet lacks capacity'),
  DescribeFleetInstances: read('to see the machines of an EC2 Fleet'),
  DescribeFleets: read('to see EC2 Fleets of ours, also forgotten ones'),
  DescribeImages: read('to look up the root device of an image, and for templates validate --aws'),
  DescribeInstanceStatus: read('to hear of retirements'),
  DescribeInstanceTypeOfferings: read('for hf-aws init'),
  DescribeInstanceTypes: read('for instance-types refresh and templates validate --aws'),
  DescribeInstances: read('to see the machines'),
  DescribeKeyPairs: read('for templates validate --aws'),
  DescribeLaunchTemplateVersions: read('to read the version of a launch template of yours'),
  DescribeLaunchTemplates: read('to find launch templates of ours again'),
  DescribeSecurityGroups: read('for templates validate --aws'),
  DescribeSpotFleetInstances: read('to see the machines of a Spot Fleet'),
  DescribeSpotFleetRequestHistory: read('to tell why a Spot Fleet lacks capacity'),
  DescribeSpotFleetRequests: read('to see Spot Fleets of ours, also forgotten ones'),
  DescribeSpotInstanceRequests: read('to hear of interruptions'),
  DescribeSpotPriceHistory: read('for prices refresh'),
  DescribeSubnets: read('to look at the subnets of a template'),
  DescribeVpcs: read('for hf-aws init'),
  ModifyFleet: change('to keep an EC2 Fleet from replacing what is returned'),
  ModifySpotFleetRequest: change('to keep a Spot Fleet from replacing what is returned'),
  RequestSpotFleet: launch('to launch by Spot Fleet', 'SpotFleetRequestConfig', 'ClientToken'),
  RunInstances: launch('to launch, also for what fleets and groups launch in your name', 'ClientToken'),
  TerminateInstances: change('to give machines back'),
} satisfies Readonly<Record<string, Row>>;

/** The Auto Scaling operations in use. */
export const autoScalingOperations = {
  // Idempotent by the name of the group.
  CreateAutoScalingGroup: change('to make a group per request'),
  DeleteAutoScalingGroup: change('to remove a group that is empty'),
  DescribeAutoScalingGroups: read('to see groups of ours, also forgotten ones'),
  DescribeScalingActivities: read('to tell why a group lacks capacity'),
  LaunchInstances: launch('to launch into a group of yours', 'ClientToken'),
  SetInstanceProtection: change('to let a returned machine go, and to keep machines of others in a group of ours'),
  SuspendProcesses: change('to keep a group from replacing machines by itself'),
  TerminateInstanceInAutoScalingGroup: change('to give machines of a group back'),
  UpdateAutoScalingGroup: change('to set the size of a group'),
} satisfies Readonly<Record<string, Row>>;

type CommandOf<Sdk, Name extends string> = Sdk extends {
  readonly [K in `${Name}Command`]: abstract new (
    ...given: never
  ) => infer Command;
}
  ? Command
  : never;

/** The operations of a table with the types that the SDK has for them. */
type CallsOf<Sdk, Table extends Readonly<Record<string, Row>>> = {
  readonly [Name in keyof Table & string]: {
    readonly kind: Table[Name]['kind'];
    readonly input: CommandOf<Sdk, Name> extends { readonly input: infer Input extends object } ? Input : never;
    readonly output: Omit<GetOutputType<CommandOf<Sdk, Name>>, '$metadata'>;
  };
};

export type Ec2Calls = CallsOf<typeof import('@aws-sdk/client-ec2'), typeof ec2Operations>;
export type AutoScalingCalls = CallsOf<typeof import('@aws-sdk/client-auto-scaling'), typeof autoScalingOperations>;
