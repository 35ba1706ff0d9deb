import type { GetOutputType, StaticOperationSchema } from '@smithy/types';
import { messageOf, PluginError } from '../../../domain/errors.ts';
import { fieldOf, queryAnswer, unexpected } from './aws-answer.ts';
import { type CallContext, callAws, type RetryPolicy } from './call.ts';
import type { ClientConfig } from './client-config.ts';
import type { Received } from './exchange.ts';
import { postSigned, type ServiceName } from './post-signed.ts';
import { type Dialect, fromContent, hasList, toForm } from './query-codec.ts';

/** A command class of the SDK: the types of what goes in and comes out. */
interface AnyCommand {
  readonly input: object;
}

/** Sends one operation of the service, again where that may help. Throws `provider.*`. */
type Operation = <C extends AnyCommand>(schema: StaticOperationSchema, input: C['input']) => Promise<GetOutputType<C>>;

export interface QueryClientOptions extends CallContext {
  readonly client: ClientConfig;
  readonly changes: RetryPolicy;
  readonly reads: RetryPolicy;
}

interface Service {
  readonly name: ServiceName;
  readonly dialect: Dialect;
  /** Of the API. */
  readonly version: string;
}

/** Reading by the schema of an operation's output makes it one. */
const isOutput = <O>(value: unknown): value is O => typeof value === 'object' && value !== null;

/** A description always has its list; what else AWS answers has at least the id of the call. */
const isWhole = (dialect: Dialect, schema: StaticOperationSchema, content: unknown, result: unknown): boolean =>
  schema[2].startsWith('Describe')
    ? hasList(schema[5], result)
    : fieldOf(content, dialect === 'ec2' ? 'requestId' : 'ResponseMetadata') !== undefined ||
      Object.keys(Object(result)).some((name) => name !== 'xmlns');

const understand = <O>({ dialect }: Service, schema: StaticOperationSchema, received: Received): O => {
  const content = queryAnswer(schema[2], received);
  const result = dialect === 'ec2' ? content : content[`${schema[2]}Result`];
  const output = fromContent(schema[5], result);
  if (isWhole(dialect, schema, content, result) && isOutput<O>(output)) return output;
  throw unexpected(received, 'the answer lacks what it must hold');
};

/** Before anything is sent: what cannot be written is no fault of AWS's. */
const written = ({ dialect, version }: Service, schema: StaticOperationSchema, input: object): string => {
  try {
    return `Action=${schema[2]}&Version=${version}${toForm(dialect, schema[4], input)}`;
  } catch (cause) {
    throw new PluginError('provider.misconfigured', `${schema[2]} cannot be written: ${messageOf(cause)}`, { cause });
  }
};

/**
 * A client for one of AWS's query services by the schemas of the SDK, without the SDK's clients: their middleware, and what
 * they look for in files and environment, would take most of a call's time. What it throws looks as theirs.
 */
export const createQueryClient = (
  service: Service,
  { client, changes, reads, ...context }: QueryClientOptions,
): { readonly change: Operation; readonly read: Operation } => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const under =
    (policy: RetryPolicy): Operation =>
    async <C extends AnyCommand>(schema: StaticOperationSchema, input: C['input']) => {
      const body = written(service, schema, input);
      return callAws(context, policy, schema[2], async (signal) =>
        understand<GetOutputType<C>>(
          service,
          schema,
          await postSigned(service.name, client, { headers, body }, signal),
        ),
      );
    };
  return { change: under(changes), read: under(reads) };
};
