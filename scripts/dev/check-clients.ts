import { createServer } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import * as autoScaling from '@aws-sdk/client-auto-scaling';
import * as ec2 from '@aws-sdk/client-ec2';
import { autoScalingOperations, ec2Operations } from '../../src/providers/aws/services/operations.ts';
import { createAwsClock } from '../../src/providers/aws/wire/aws-clock.ts';
import { clientConfig } from '../../src/providers/aws/wire/client-config.ts';
import type { Operation, QueryClientOptions } from '../../src/providers/aws/wire/query-client.ts';
import { type Dialect, toForm } from '../../src/providers/aws/wire/query-codec.ts';
import { sampleOf } from './sdk-samples.ts';

/** A client as the program has it. */
interface AnyClient {
  readonly read: (name: string, input: object) => Promise<object>;
  readonly change: (name: string, input: object) => Promise<object>;
}

const isClient = (value: unknown): value is AnyClient =>
  typeof value === 'object' && value !== null && 'read' in value && 'change' in value;

interface Subject {
  /** The program's own `(options: QueryClientOptions) => Client`. */
  readonly create: unknown;
  readonly dialect: Dialect;
  readonly operations: Readonly<Record<string, Operation>>;
  /** What the SDK has. */
  readonly sdk: Readonly<Record<string, unknown>>;
}

export const ec2Subject = (create: unknown): Subject => ({
  create,
  dialect: 'ec2',
  operations: ec2Operations,
  sdk: ec2,
});

export const autoScalingSubject = (create: unknown): Subject => ({
  create,
  dialect: 'query',
  operations: autoScalingOperations,
  sdk: autoScaling,
});

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** AWS on loopback: keeps the form of each call, and answers with what `answer` says at the time. */
const listen = async (answer: () => string) => {
  const forms: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: string[] = [];
    for await (const chunk of request.setEncoding('utf8')) chunks.push(String(chunk));
    forms.push(chunks.join(''));
    response.writeHead(200, { 'content-type': 'text/xml', 'x-amzn-requestid': 'r', connection: 'close' }).end(answer());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, forms, close: () => void server.close() };
};

/**
 * Lets a client send each of its operations with every field the SDK has for it, and read an answer with every field. Throws where
 * anything of it is lost on the way, or comes out as something else.
 */
export const checkClient = async ({ create, dialect, operations, sdk }: Subject): Promise<void> => {
  let body = '';
  const aws = await listen(() => body);
  try {
    const connection = { region: 'us-east-1', endpoint: aws.url, connectionTimeoutMs: 5000, requestTimeoutMs: 5000 };
    const credentials = async () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'x' });
    const options: QueryClientOptions = {
      client: await clientConfig({ ...connection, useFips: false }, createAwsClock(Date.now), credentials),
      changes: { retries: 0, interval: 0 },
      reads: { retries: 0, interval: 0 },
      log: silent,
      signal: new AbortController().signal,
      random: Math.random,
    };
    const client: unknown = typeof create === 'function' ? create(options) : undefined;
    if (!isClient(client)) throw new Error('the program has no such client');
    for (const [name, { kind }] of Object.entries(operations)) {
      const operation = sdk[`${name}$`];
      const [input, output]: readonly unknown[] = Array.isArray(operation) ? operation.slice(4) : [];
      const [sent, given] = [sampleOf(input), sampleOf(output)];
      const result = dialect === 'ec2' ? given.xml : `<${name}Result>${given.xml}</${name}Result>`;
      body = `<${name}Response><requestId>r</requestId>${result}<ResponseMetadata/></${name}Response>`;
      const read = await client[kind](name, Object(sent.value));
      const form = aws.forms.at(-1)?.replace(/^Action=\w+&Version=[\d-]+/, '');
      if (form !== toForm(dialect, input, Object(sent.value)))
        throw new Error(`${name} is not written as the SDK has it: ${form}`);
      if (!isDeepStrictEqual(read, given.value))
        throw new Error(`the answer to ${name} is not read as the SDK has it: ${JSON.stringify(read)}`);
    }
  } catch (cause) {
    throw new Error('the program that was built cannot speak to AWS', { cause });
  } finally {
    aws.close();
  }
};
