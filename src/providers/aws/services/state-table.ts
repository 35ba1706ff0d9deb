import { connectAhead } from '../wire/connections.ts';
import { type EndpointSettings, endpointOf } from '../wire/endpoint.ts';
import { type JsonConnection, jsonCall } from '../wire/json-call.ts';

/** The AWS SDK's figures for DynamoDB: it takes calls again far sooner than EC2 does. */
const retry = { retries: 6, interval: 0, base: 25 };

/** Milliseconds: DynamoDB answers within a few; who waits for longer had better ask again. */
const [connectionTime, answerTime] = [3000, 5000];

/**
 * Calls DynamoDB, signed, without the SDK. A condition that does not hold is an answer. `region` where the table is in another than
 * the machines. Throws `provider.*`.
 */
export const tableCaller = (
  { client, record: _state, ...context }: JsonConnection,
  region: string | undefined,
): ((action: string, input: object) => Promise<unknown>) => {
  const connection = {
    ...context,
    client: {
      ...client,
      connectionTimeoutMs: Math.min(connectionTime, client.connectionTimeoutMs),
      requestTimeoutMs: Math.min(answerTime, client.requestTimeoutMs),
      ...(region === undefined ? {} : { region }),
    },
  };
  const about = { service: 'dynamodb', version: '1.0', retry, answers: ['ConditionalCheckFailedException'] } as const;
  return (action, input) => jsonCall(connection, { ...about, target: `DynamoDB_20120810.${action}` }, input);
};

/**
 * Begins to connect to the table, unless that is the proxy's to do. Throws `configuration.invalid` where FIPS cannot be had.
 */
export const connectToTable = (settings: EndpointSettings & { readonly proxy?: string }): void => {
  if (settings.proxy === undefined) connectAhead(endpointOf('dynamodb', settings));
};
