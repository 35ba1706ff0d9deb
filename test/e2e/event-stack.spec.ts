import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasMoto } from '../moto.ts';
import { type Backend, motoBackend } from './backends.ts';
import { createPlugin, home, hostOf, type Json } from './plugin.ts';

const file = join(home, 'config', 'aws', 'event-queue.cloudformation.yaml');

const authorization = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=AKIATEST/20261128/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;

/** A call of CloudFormation, but for the signature, which moto does not check. Resolves with its XML. */
const cloudFormation = async (url: string, parameters: Readonly<Record<string, string>>): Promise<string> => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: authorization('cloudformation') },
    body: new URLSearchParams({ Version: '2010-05-15', ...parameters }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.text();
};

const events = async (url: string, action: string, input: Json): Promise<Json> => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSEvents.${action}`,
      authorization: authorization('events'),
    },
    body: JSON.stringify(input),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return JSON.parse(await answer.text());
};

const every = (text: string, form: RegExp): readonly string[] =>
  [...text.matchAll(form)].map(([, found = '']) => found);

describe.skipIf(!hasMoto)('the stack of the event queue, as it is shipped, by the CloudFormation of moto', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await motoBackend();
  });
  afterAll(() => backend.close());

  const create = async (name: string, stateChanges: string): Promise<readonly [stack: string, rules: string]> => {
    const values = { QueueName: name, StateChanges: stateChanges };
    const parameters = Object.entries(values).flatMap(([key, value], index) => [
      [`Parameters.member.${index + 1}.ParameterKey`, key] as const,
      [`Parameters.member.${index + 1}.ParameterValue`, value] as const,
    ]);
    await cloudFormation(backend.url, {
      Action: 'CreateStack',
      StackName: name,
      TemplateBody: await readFile(file, 'utf8'),
      ...Object.fromEntries(parameters),
    });
    return [
      await cloudFormation(backend.url, { Action: 'DescribeStacks', StackName: name }),
      await cloudFormation(backend.url, { Action: 'DescribeStackResources', StackName: name }),
    ];
  };
  const rulesIn = (resources: string): readonly string[] =>
    every(resources, /<LogicalResourceId>(\w+)<\/LogicalResourceId>(?:(?!<\/member>).)*AWS::Events::Rule/g);

  it('is made, and AWS is heard by its queue: from the rules to getReturnRequests', async () => {
    const [stack, resources] = await create('stack-events', 'true');
    expect(every(stack, /<StackStatus>(\w+)</g)).toEqual(['CREATE_COMPLETE']);
    expect(rulesIn(resources)).toEqual(['SpotInterruptions', 'Rebalance', 'ScheduledChanges', 'EndedInstances']);
    const [queue = ''] = every(stack, /<OutputKey>EventQueue<\/OutputKey><OutputValue>([^<]+)</g);
    expect(queue).toMatch(/\/stack-events$/);

    const eventQueue = `${backend.url}${new URL(queue).pathname}`;
    const settings = { AWS_ENDPOINT_URL: backend.url, eventQueue, sweepIntervalMinutes: 0 };
    const template = { templateId: 'od', maxNumber: 10, vmType: 'm5.large', ...backend.place };
    const plugin = await createPlugin(settings, [template]);
    const { machines } = await plugin.settled(await plugin.request('od', 2));
    expect(await plugin.reclaims(machines.map(hostOf))).toEqual([]);
    const [first, second] = machines;
    const tell = (detailType: string, detail: Json): Json => ({
      Source: 'aws.ec2',
      DetailType: detailType,
      Detail: JSON.stringify(detail),
    });
    await events(backend.url, 'PutEvents', {
      Entries: [
        tell('EC2 Spot Instance Interruption Warning', {
          'instance-id': first?.machineId,
          'instance-action': 'terminate',
        }),
        // No rule is for these.
        tell('EC2 Instance State-change Notification', { 'instance-id': second?.machineId, state: 'running' }),
        tell('EBS Volume Notification', { event: 'createVolume' }),
      ],
    });
    const reclaimed = await plugin.reclaims(machines.map(hostOf));
    expect(reclaimed.map(({ machineId }) => machineId)).toEqual([first?.machineId]);
    await plugin.remove();
  });

  it('has no rule for the ends of instances where StateChanges is false', async () => {
    const [, resources] = await create('quiet-events', 'false');
    expect(rulesIn(resources)).toEqual(['SpotInterruptions', 'Rebalance', 'ScheduledChanges']);
  });
});
