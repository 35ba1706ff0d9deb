import {
  CreateTagsCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  EC2Client,
  type EC2ClientConfig,
  type Filter,
  type Instance,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  type RunInstancesCommandOutput,
  type Tag,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { type CallContext, callAws, type RetryPolicy } from './call.ts';

/** The EC2 calls in use. The only file that knows the SDK's client; everything thrown is a `provider.*` error. */
export interface Ec2 {
  runInstances(input: RunInstancesCommandInput): Promise<RunInstancesCommandOutput>;
  /** All instances that match, over all pages. */
  describeInstances(filters: readonly Filter[]): Promise<readonly Instance[]>;
  terminateInstances(ids: readonly string[]): Promise<void>;
  createTags(resources: readonly string[], tags: readonly Tag[]): Promise<void>;
  rootDeviceName(imageId: string): Promise<string | undefined>;
}

export interface Ec2Options extends CallContext {
  readonly client: EC2ClientConfig;
  readonly changes: RetryPolicy;
  readonly reads: RetryPolicy;
}

/** EC2: results per page of DescribeInstances. Paged reads draw on the larger throttling bucket. */
const pageSize = 1000;

export const createEc2 = ({ client: config, changes, reads, ...context }: Ec2Options): Ec2 => {
  const client = new EC2Client({ ...config, maxAttempts: 1 });
  return {
    runInstances: (input) =>
      callAws(context, changes, 'RunInstances', (abortSignal) =>
        client.send(new RunInstancesCommand(input), { abortSignal }),
      ),

    describeInstances: async (filters) => {
      const found: Instance[] = [];
      let token: string | undefined;
      do {
        const input = {
          Filters: [...filters],
          MaxResults: pageSize,
          ...(token === undefined ? {} : { NextToken: token }),
        };
        const page = await callAws(context, reads, 'DescribeInstances', (abortSignal) =>
          client.send(new DescribeInstancesCommand(input), { abortSignal }),
        );
        for (const { Instances = [] } of page.Reservations ?? []) found.push(...Instances);
        token = page.NextToken;
      } while (token !== undefined && token !== '');
      return found;
    },

    terminateInstances: async (ids) => {
      await callAws(context, changes, 'TerminateInstances', (abortSignal) =>
        client.send(new TerminateInstancesCommand({ InstanceIds: [...ids] }), { abortSignal }),
      );
    },

    createTags: async (resources, tags) => {
      await callAws(context, changes, 'CreateTags', (abortSignal) =>
        client.send(new CreateTagsCommand({ Resources: [...resources], Tags: [...tags] }), { abortSignal }),
      );
    },

    rootDeviceName: async (imageId) => {
      const { Images = [] } = await callAws(context, reads, 'DescribeImages', (abortSignal) =>
        client.send(new DescribeImagesCommand({ ImageIds: [imageId] }), { abortSignal }),
      );
      return Images[0]?.RootDeviceName;
    },
  };
};
