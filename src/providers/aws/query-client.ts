import type { GetOutputType, StaticOperationSchema } from '@smithy/types';
import { type CallContext, callAws, type RetryPolicy } from './call.ts';
import type { ClientConfig } from './client-config.ts';
import { postSigned, type Received, type ServiceName } from './post-signed.ts';
import { contentOf, type Dialect, fromContent, toForm } from './query-codec.ts';

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

const childOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined;

/** EC2 says `Errors.Error`, the other services `Error`. An answer that is not AWS's has neither. */
const serviceError = (status: number, content: unknown): Error => {
  const fault = childOf(childOf(content, 'Errors'), 'Error') ?? childOf(content, 'Error');
  const code = String(childOf(fault, 'Code') ?? 'Unknown');
  const error = new Error(String(childOf(fault, 'Message') ?? `the answer was HTTP ${status} without an error code`));
  return Object.assign(error, { name: code, Code: code, $fault: status < 500 ? 'client' : 'server' });
};

/** Reading by the schema of an operation's output makes it one. */
const isOutput = <O>(value: unknown): value is O => typeof value === 'object' && value !== null;

/** What AWS says in place of an answer. */
export const refusalIn = ({ status, requestId, text }: Received): Error =>
  Object.assign(serviceError(status, contentOf(text)), { $metadata: { httpStatusCode: status, requestId } });

const understand = <O>(
  { dialect }: Service,
  schema: StaticOperationSchema,
  { status, requestId, text }: Received,
): O => {
  try {
    const content = contentOf(text);
    if (status >= 300) throw serviceError(status, content);
    const output = fromContent(schema[5], dialect === 'ec2' ? content : content[`${schema[2]}Result`]);
    if (isOutput<O>(output)) return output;
    throw new Error('the answer is empty');
  } catch (error) {
    throw Object.assign(error instanceof Error ? error : new Error(String(error)), {
      $metadata: { httpStatusCode: status, requestId },
    });
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
  const { name, version, dialect } = service;
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const send = async <O>(schema: StaticOperationSchema, input: object, signal: AbortSignal): Promise<O> => {
    const body = `Action=${schema[2]}&Version=${version}${toForm(dialect, schema[4], input)}`;
    return understand<O>(service, schema, await postSigned(name, client, { headers, body }, signal));
  };
  const under =
    (policy: RetryPolicy): Operation =>
    <C extends AnyCommand>(schema: StaticOperationSchema, input: C['input']) =>
      callAws(context, policy, schema[2], (signal) => send<GetOutputType<C>>(schema, input, signal));
  return { change: under(changes), read: under(reads) };
};
