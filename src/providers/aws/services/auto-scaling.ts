import * as sdk from '@aws-sdk/client-auto-scaling';
import { type Client, createQueryClient, type QueryClientOptions } from '../wire/query-client.ts';
import { type AutoScalingCalls, autoScalingOperations } from './operations.ts';

export type AutoScaling = Client<AutoScalingCalls>;

/** The SDK's schema of an operation. */
// biome-ignore lint/performance/noDynamicNamespaceImportAccess: the build puts the schemas of the table in the SDK's place
export const autoScalingSchema = (name: keyof AutoScalingCalls) => sdk[`${name}$`];

/** Auto Scaling over the network. */
export const createAutoScaling = (options: QueryClientOptions): AutoScaling =>
  createQueryClient<AutoScalingCalls>(
    {
      name: 'autoscaling',
      dialect: 'query',
      version: '2011-01-01',
      operations: autoScalingOperations,
      schemaOf: autoScalingSchema,
    },
    options,
  );
