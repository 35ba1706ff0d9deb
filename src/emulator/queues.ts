import { randomUUID } from 'node:crypto';
import { type Action, action, isoTime, ownerId, required } from './ec2/action.ts';
import type { Parameters } from './wire/parameters.ts';
import { ServiceError } from './wire/service-error.ts';
import type { QueuedMessage, World } from './world.ts';

const nameIn = (url: string): string => url.replace(/^.*\//, '');

const queueOf = (world: World, params: Parameters): string => {
  const name = nameIn(required(params.text('QueueUrl'), 'QueueUrl'));
  if (world.settings.queues.includes(name)) return name;
  throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
};

const messagesOf = (world: World, queue: string): readonly QueuedMessage[] => world.queues.get(queue) ?? [];

/** Puts a message into a queue. */
export const send = (world: World, queue: string, body: string): void => {
  const message = { id: randomUUID(), body, visibleFrom: world.now() };
  world.queues.set(queue, [...messagesOf(world, queue), message]);
};

/** EventBridge: the event reaches every queue of the account; its rules take them all. */
export const announce = (world: World, kind: string, detail: Readonly<Record<string, unknown>>): void => {
  const event = {
    version: '0',
    id: randomUUID(),
    'detail-type': kind,
    source: kind.startsWith('AWS Health') ? 'aws.health' : 'aws.ec2',
    account: ownerId,
    time: isoTime(world.now()),
    region: world.settings.region,
    resources: [],
    detail,
  };
  for (const queue of world.settings.queues) send(world, queue, JSON.stringify(event));
};

const receiveMessage = action('QueueUrl MaxNumberOfMessages VisibilityTimeout WaitTimeSeconds', (world, params) => {
  const queue = queueOf(world, params);
  const most = params.number('MaxNumberOfMessages') ?? 1;
  if (most < 1 || most > 10)
    throw new ServiceError('InvalidParameterValue', 'MaxNumberOfMessages must be between 1 and 10.');
  const hidden = (params.number('VisibilityTimeout') ?? 30) * 1000;
  const given = new Map(
    messagesOf(world, queue)
      .filter(({ visibleFrom }) => visibleFrom <= world.now())
      .slice(0, most)
      .map((message) => [message.id, { ...message, visibleFrom: world.now() + hidden, receipt: randomUUID() }]),
  );
  const left = messagesOf(world, queue).map((message) => given.get(message.id) ?? message);
  world.queues.set(queue, left);
  const Messages = [...given.values()].map(({ id, body, receipt }) => ({
    MessageId: id,
    ReceiptHandle: receipt,
    Body: body,
  }));
  return Messages.length === 0 ? {} : { Messages };
});

const deleteMessageBatch = action('QueueUrl Entries.N{Id ReceiptHandle}', (world, params) => {
  const queue = queueOf(world, params);
  const entries = params.each('Entries').map((entry) => ({
    id: required(entry.text('Id'), 'Id'),
    receipt: entry.text('ReceiptHandle'),
  }));
  if (entries.length === 0)
    throw new ServiceError('EmptyBatchRequest', 'There should be at least one DeleteMessageBatchRequestEntry.');
  const receipts = new Set(entries.map(({ receipt }) => receipt));
  world.queues.set(
    queue,
    messagesOf(world, queue).filter(({ receipt }) => receipt === undefined || !receipts.has(receipt)),
  );
  return { Successful: entries.map(({ id }) => ({ Id: id })), Failed: [] };
});

const sendMessage = action('QueueUrl MessageBody', (world, params) => {
  send(world, queueOf(world, params), required(params.text('MessageBody'), 'MessageBody'));
  return { MessageId: randomUUID() };
});

const getQueueAttributes = action('QueueUrl AttributeNames.N', (world, params) => {
  const queue = queueOf(world, params);
  return {
    Attributes: {
      QueueArn: `arn:aws:sqs:${world.settings.region}:${ownerId}:${queue}`,
      Policy: JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' } }] }),
      ApproximateNumberOfMessages: String(messagesOf(world, queue).length),
    },
  };
});

const listRuleNamesByTarget = action('TargetArn', (world, params) => {
  const queue = required(params.text('TargetArn'), 'TargetArn').replace(/^.*:/, '');
  return { RuleNames: world.settings.queues.includes(queue) ? ['every-event'] : [] };
});

export const eventBridgeActions: ReadonlyMap<string, Action> = new Map([
  ['ListRuleNamesByTarget', listRuleNamesByTarget],
]);

export const sqsActions: ReadonlyMap<string, Action> = new Map([
  ['DeleteMessageBatch', deleteMessageBatch],
  ['GetQueueAttributes', getQueueAttributes],
  ['ReceiveMessage', receiveMessage],
  ['SendMessage', sendMessage],
]);
