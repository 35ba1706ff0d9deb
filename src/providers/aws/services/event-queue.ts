import type { EventQueue, QueuedMessage } from '../../../application/ports/instance-events.ts';
import { eventsIn } from '../instances/instance-events.ts';
import { fieldOf, jsonAnswer } from '../wire/aws-answer.ts';
import { type CallContext, callAws, type RetryPolicy } from '../wire/call.ts';
import type { ClientConfig } from '../wire/client-config.ts';
import { withQueueEndpoint } from '../wire/endpoint.ts';
import { postSigned } from '../wire/post-signed.ts';

export interface EventQueueOptions extends CallContext {
  readonly client: ClientConfig;
  readonly reads: RetryPolicy;
}

/** SQS: messages in one call, received or deleted. */
const mostMessages = 10;

/** Seconds for which a message that was received is hidden from other readers: noting and deleting ten takes far less. */
const visibilityTimeout = 60;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A call of SQS by its JSON protocol; the answer's object. */
export const callSqs = (
  { client, reads, ...context }: EventQueueOptions,
  action: string,
  input: Readonly<Record<string, unknown>> & { readonly QueueUrl: string },
): Promise<unknown> =>
  callAws(context, reads, action, async (signal) => {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` };
    const message = { headers, body: JSON.stringify(input) };
    const received = await postSigned('sqs', withQueueEndpoint(client, input.QueueUrl), message, signal);
    return jsonAnswer(received, (body) => (typeof body === 'object' ? body : undefined));
  });

/** The SQS queue of this URL. What it cannot tell of a message is none of ours: such messages are removed like others. */
export const createEventQueue = (options: EventQueueOptions, url: string): EventQueue => ({
  receive: async () => {
    const answer = await callSqs(options, 'ReceiveMessage', {
      QueueUrl: url,
      MaxNumberOfMessages: mostMessages,
      VisibilityTimeout: visibilityTimeout,
      // A wait would cost every quiet call a second; a message that a short look misses comes at the next.
      WaitTimeSeconds: 0,
    });
    return listOf(fieldOf(answer, 'Messages')).map(
      (message): QueuedMessage => ({
        receipt: String(fieldOf(message, 'ReceiptHandle')),
        events: eventsIn(String(fieldOf(message, 'Body'))),
      }),
    );
  },
  // Those that SQS does not delete come again, and are noted already.
  remove: async (messages) => {
    const Entries = messages.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }));
    await callSqs(options, 'DeleteMessageBatch', { QueueUrl: url, Entries });
  },
});
