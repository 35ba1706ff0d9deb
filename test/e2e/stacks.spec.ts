import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CollectionTag, parse, type ScalarTag } from 'yaml';
import { home } from './plugin.ts';

const read = (name: string): Promise<string> => readFile(join(home, 'config', 'aws', name), 'utf8');

/** What is there once in a list, as HCL's blocks are given. */
type Blocks = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
interface Terraform {
  readonly resource: Readonly<Record<string, Blocks>>;
  readonly variable: Blocks;
  readonly output: Blocks;
  readonly locals?: readonly Readonly<Record<string, string>>[];
}
interface CloudFormation {
  readonly Parameters: Readonly<Record<string, { readonly Default: string }>>;
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: unknown }>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
}

const terraform = async (name: string): Promise<Terraform> => {
  const program = join(import.meta.dirname, 'hcl-to-json.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    input: await read(`${name}.tf`),
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
};

/** `!Ref` and others, as what they are given. */
const functions: readonly (ScalarTag | CollectionTag)[] = ['Ref', 'GetAtt', 'Equals', 'If', 'Not'].flatMap((name) => [
  { tag: `!${name}`, resolve: (text: string) => text },
  { tag: `!${name}`, collection: 'seq' as const, resolve: (items: unknown) => items },
]);
const cloudFormation = async (name: string): Promise<CloudFormation> =>
  parse(await read(`${name}.cloudformation.yaml`), { customTags: [...functions] });

/** `QueueName` as Terraform writes names. */
const snake = (name: string): string => name.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
/** The quoted texts in HCL or JSON that are no keys, each once. */
const texts = (of: string): readonly string[] =>
  [...new Set([...of.matchAll(/"([\w. -]+)"(?!:)/g)].map(([, text = '']) => text))].sort();

const kinds: Readonly<Record<string, string>> = {
  'AWS::SQS::Queue': 'aws_sqs_queue',
  'AWS::SQS::QueuePolicy': 'aws_sqs_queue_policy',
  'AWS::Events::Rule': 'aws_cloudwatch_event_rule',
  'AWS::DynamoDB::Table': 'aws_dynamodb_table',
};

describe.each(['event-queue', 'state-table'])('the two files that make the %s', (name) => {
  it('have resources of the same kinds, parameters with the same values, and the same outputs', async () => {
    const [hcl, yaml] = [await terraform(name), await cloudFormation(name)];
    // With CloudFormation what a rule sends to is part of it.
    const ofTerraform = Object.keys(hcl.resource).filter((kind) => kind !== 'aws_cloudwatch_event_target');
    const ofCloudFormation = new Set(Object.values(yaml.Resources).map(({ Type }) => kinds[Type] ?? Type));
    expect(ofTerraform.sort()).toEqual([...ofCloudFormation].sort());
    const values = Object.entries(yaml.Parameters).map(([key, { Default }]) => [snake(key), Default] as const);
    const variables = Object.entries(hcl.variable).map(
      ([key, [block]]) => [key, String(block?.['default'] ?? '')] as const,
    );
    expect(Object.fromEntries(variables)).toEqual(Object.fromEntries(values));
    expect(Object.keys(hcl.output)).toEqual(Object.keys(yaml.Outputs).map(snake));
  });
});

it('the rules of the event queue hear the same events by either file', async () => {
  const [hcl, yaml] = [await terraform('event-queue'), await cloudFormation('event-queue')];
  const rules = Object.values(yaml.Resources).filter(({ Type }) => Type === 'AWS::Events::Rule');
  const patterns = rules.map(({ Properties }) => Object(Properties).EventPattern);
  const heard = texts(JSON.stringify(patterns));
  expect(heard).toContain('EC2 Spot Instance Interruption Warning');
  expect(texts(hcl.locals?.[0]?.['patterns'] ?? '')).toEqual(heard);
});

it('the queue and the table are set up alike by either file', async () => {
  const [queue, stack] = [await terraform('event-queue'), await cloudFormation('event-queue')];
  expect(queue.resource['aws_sqs_queue']?.['events']?.[0]).toMatchObject({
    message_retention_seconds: Object(stack.Resources['Queue']?.Properties).MessageRetentionPeriod,
    sqs_managed_sse_enabled: Object(stack.Resources['Queue']?.Properties).SqsManagedSseEnabled,
  });
  const [table, made] = [await terraform('state-table'), await cloudFormation('state-table')];
  const { KeySchema, GlobalSecondaryIndexes, BillingMode, TimeToLiveSpecification } = Object(
    made.Resources['Table']?.Properties,
  );
  const [index] = GlobalSecondaryIndexes;
  const keys = (schema: readonly { AttributeName: string }[]) => ({
    hash_key: schema[0]?.AttributeName,
    range_key: schema[1]?.AttributeName,
  });
  expect(table.resource['aws_dynamodb_table']?.['state']?.[0]).toMatchObject({
    ...keys(KeySchema),
    billing_mode: BillingMode,
    ttl: [{ attribute_name: TimeToLiveSpecification.AttributeName, enabled: TimeToLiveSpecification.Enabled }],
    global_secondary_index: [
      { name: index.IndexName, ...keys(index.KeySchema), projection_type: index.Projection.ProjectionType },
    ],
  });
});
