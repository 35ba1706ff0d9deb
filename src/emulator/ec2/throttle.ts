import type { Parameters } from '../wire/parameters.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { World } from '../world.ts';

/** Tokens a bucket holds at most, and tokens it gains per second. */
type Bucket = readonly [most: number, perSecond: number];

// EC2 developer guide, "Request throttling for the Amazon EC2 API".
const nonMutating: Bucket = [100, 20];
const unpaged: Bucket = [50, 10];
const mutating: Bucket = [50, 5];
const requestBuckets: ReadonlyMap<string, Bucket> = new Map([
  ['RunInstances', [5, 2]],
  ['StartInstances', [5, 2]],
  ['TerminateInstances', [100, 5]],
  ['CreateLaunchTemplateVersion', [100, 5]],
  ['CreateTags', [100, 10]],
  ['DeleteTags', [100, 10]],
  ['DescribeSpotFleetInstances', [100, 5]],
  ['DescribeSpotFleetRequestHistory', [100, 5]],
  ['DescribeSpotFleetRequests', [50, 3]],
  ['ModifyLaunchTemplate', [100, 5]],
]);
const resourceBuckets: ReadonlyMap<string, Bucket> = new Map([
  ['RunInstances', [1000, 2]],
  ['StartInstances', [1000, 2]],
  ['StopInstances', [1000, 20]],
  ['TerminateInstances', [1000, 20]],
]);
const unpagedActions = new Set([
  'DescribeInstances',
  'DescribeInstanceStatus',
  'DescribeSpotInstanceRequests',
  'DescribeVolumes',
]);

const isPaged = (params: Parameters): boolean =>
  params.has('Filter') || params.has('MaxResults') || params.has('NextToken');

const requestBucket = (action: string, params: Parameters): Bucket => {
  const own = requestBuckets.get(action);
  if (own !== undefined) return own;
  if (!/^(Describe|Get)/.test(action)) return mutating;
  return unpagedActions.has(action) && !isPaged(params) ? unpaged : nonMutating;
};

const resourceCount = (params: Parameters): number => params.number('MaxCount') ?? params.list('InstanceId').length;

const tokensIn = (world: World, name: string, [most, perSecond]: Bucket): number => {
  const bucket = world.buckets.get(name);
  if (bucket === undefined) return most;
  return Math.min(most, bucket.tokens + ((world.now() - bucket.at) / 1000) * perSecond);
};

/** Takes the call's tokens, or fails with `RequestLimitExceeded` and takes none. Buckets are per action. */
export const throttle = (world: World, action: string, params: Parameters, code: string): void => {
  const request = requestBucket(action, params);
  const resource = resourceBuckets.get(action);
  const takings = [
    { name: `${action} ${request === unpaged ? 'unpaged ' : ''}requests`, bucket: request, tokens: 1 },
    ...(resource === undefined
      ? []
      : [{ name: `${action} instances`, bucket: resource, tokens: resourceCount(params) }]),
  ].map((taking) => ({ ...taking, before: tokensIn(world, taking.name, taking.bucket) }));

  if (takings.some(({ before, tokens }) => before < tokens)) throw new ServiceError(code, 'Request limit exceeded.');
  for (const { name, before, tokens } of takings) {
    world.buckets.set(name, { tokens: before - tokens, at: world.now() });
  }
};
