import * as sdk from '@aws-sdk/client-ec2';
import { type Client, createQueryClient, type QueryClientOptions } from '../wire/query-client.ts';
import { type Ec2Calls, ec2Operations } from './operations.ts';

export type Ec2 = Client<Ec2Calls>;

/** The SDK's schema of an operation. */
// biome-ignore lint/performance/noDynamicNamespaceImportAccess: the build puts the schemas of the table in the SDK's place
const ec2Schema = (name: keyof Ec2Calls) => sdk[`${name}$`];

/** EC2 over the network. */
export const createEc2 = (options: QueryClientOptions): Ec2 =>
  createQueryClient<Ec2Calls>(
    { name: 'ec2', dialect: 'ec2', version: '2016-11-15', operations: ec2Operations, schemaOf: ec2Schema },
    options,
  );

export const createTags = async (
  ec2: Pick<Ec2, 'change'>,
  ids: readonly string[],
  tags: readonly sdk.Tag[],
): Promise<void> => {
  await ec2.change('CreateTags', { Resources: [...ids], Tags: [...tags] });
};

/** EC2: results per page of DescribeInstances. Paged reads draw on the larger throttling bucket. */
const pageSize = 1000;

/** What `take` makes of all instances that match, or of those on the first so many pages: nothing else of a page is kept. */
export const fromInstances = <T>(
  ec2: Pick<Ec2, 'readAll'>,
  filters: readonly sdk.Filter[],
  take: (instance: sdk.Instance) => readonly T[],
  mostPages?: number,
): Promise<readonly T[]> =>
  ec2.readAll(
    'DescribeInstances',
    { Filters: [...filters], MaxResults: pageSize },
    ({ Reservations = [] }) => Reservations.flatMap(({ Instances = [] }) => Instances.flatMap(take)),
    mostPages,
  );

/** All instances that match. */
export const instancesBy = (
  ec2: Pick<Ec2, 'readAll'>,
  filters: readonly sdk.Filter[],
): Promise<readonly sdk.Instance[]> => fromInstances(ec2, filters, (instance) => [instance]);
