import type { EventQueue, QueuedMessage } from '../../../application/ports/instance-events.ts';
import { eventsIn } from '../instances/instance-events.ts';
import { fieldOf } from '../wire/aws-answer.ts';
import { withQueueEndpoint } from '../wire/endpoint.ts';
import { type JsonConnection, jsonCall } from '../wire/json-call.ts';

/** SQS: messages in one call, received or deleted. */
const mostMessages = 10;

/** Seconds for which a message that was received is hidden from other readers: noting and deleting ten takes far less. */
const visibilityTimeout = 60;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A call of SQS by its JSON protocol; the answer's object. */
export const callSqs = (
  connection: JsonConnection,
  action: string,
  input: Readonly<Record<string, unknown>> & { readonly QueueUrl: string },
): Promise<unknown> =>
  jsonCall(
    { ...connection, client: withQueueEndpoint(connection.client, input.QueueUrl) },
    { service: 'sqs', target: `AmazonSQS.${action}`, version: '1.0' },
    input,
  );

/** The SQS queue of this URL. What it cannot tell of a message is none of ours: such messages are removed like others. */
export const createEventQueue = (connection: JsonConnection, url: string): EventQueue => ({
  receive: async () => {
    const answer = await callSqs(connection, 'ReceiveMessage', {
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
    await callSqs(connection, 'DeleteMessageBatch', { QueueUrl: url, Entries });
  },
});
