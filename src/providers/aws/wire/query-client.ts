import type { StaticOperationSchema } from '@smithy/types';
import { hasCode, messageOf, PluginError } from '../../../domain/errors.ts';
import { fieldOf, queryAnswer, unexpected } from './aws-answer.ts';
import { type CallContext, callAws, type RetryPolicy } from './call.ts';
import type { ClientConfig } from './client-config.ts';
import type { Received } from './exchange.ts';
import { postSigned, type ServiceName } from './post-signed.ts';
import { type Dialect, fromContent, hasList, toForm } from './query-codec.ts';

/** What a client knows of an operation. */
export interface Operation {
  readonly kind: 'read' | 'change';
  /** Where its input holds the client token, without which a repeated call would launch twice. */
  readonly token?: readonly string[];
}

/** Operations by name, with the types of what goes in and comes out. */
type Calls<C> = {
  readonly [N in keyof C]: {
    readonly kind: Operation['kind'];
    readonly input: object;
    readonly output: object;
  };
};

type NamesOf<C extends Calls<C>, Kind> = { [N in keyof C]: C[N]['kind'] extends Kind ? N : never }[keyof C] & string;
type DryRunnable<C extends Calls<C>> = {
  [N in keyof C]: 'DryRun' extends keyof C[N]['input'] ? N : never;
}[keyof C] &
  string;

/** A service by its operations. Everything thrown is a `provider.*` error. */
export interface Client<C extends Calls<C>> {
  read<N extends NamesOf<C, 'read'>>(name: N, input: C[N]['input']): Promise<C[N]['output']>;
  /** What all pages of a listing have, or the first so many. */
  readAll<N extends NamesOf<C, 'read'>, T>(
    name: N,
    input: C[N]['input'],
    itemsOf: (page: C[N]['output']) => readonly T[] | undefined,
    mostPages?: number,
  ): Promise<readonly T[]>;
  change<N extends NamesOf<C, 'change'>>(name: N, input: C[N]['input']): Promise<C[N]['output']>;
  /** A dry run: asks whether the service would do it. Throws its refusal, which is logged at DEBUG only. */
  dryRun<N extends DryRunnable<C>>(name: N, input: C[N]['input']): Promise<void>;
}

/** How an operation goes out: `dryRun` as a read of which nobody need hear that it failed. */
type Manner = 'read' | 'change' | 'dryRun';

/** Sends one operation and answers with its output. */
export type Send<C extends Calls<C>> = <N extends keyof C & string>(
  name: N,
  input: C[N]['input'],
  manner: Manner,
) => Promise<unknown>;

/** Answers to some operations, in AWS's stead. */
export type Answers<C extends Calls<C>> = {
  readonly [N in keyof C]?: (input: C[N]['input']) => C[N]['output'] | Promise<C[N]['output']>;
};

/** What sends an operation answers with an output of it: reading by the operation's schema makes it one. */
const isOutput = <O>(value: unknown): value is O => typeof value === 'object' && value !== null;

export const clientOf = <C extends Calls<C>>(send: Send<C>): Client<C> => {
  const ask = async <N extends keyof C & string>(
    name: N,
    input: C[N]['input'],
    manner: Manner,
  ): Promise<C[N]['output']> => {
    const output = await send(name, input, manner);
    if (isOutput<C[N]['output']>(output)) return output;
    throw new TypeError(`${name} has no output`);
  };
  return {
    read: (name, input) => ask(name, input, 'read'),
    change: (name, input) => ask(name, input, 'change'),
    readAll: async <N extends NamesOf<C, 'read'>, T>(
      name: N,
      input: C[N]['input'],
      itemsOf: (page: C[N]['output']) => readonly T[] | undefined,
      mostPages = Number.POSITIVE_INFINITY,
    ) => {
      const found: T[] = [];
      let token: unknown;
      let pages = 0;
      do {
        pages++;
        const page = await ask(name, token === undefined ? input : { ...input, NextToken: token }, 'read');
        found.push(...(itemsOf(page) ?? []));
        token = fieldOf(page, 'NextToken');
      } while (token !== undefined && token !== '' && pages < mostPages);
      return found;
    },
    dryRun: async (name, input) => {
      try {
        await ask(name, { ...input, DryRun: true }, 'dryRun');
      } catch (error) {
        if (!hasCode(error, 'provider.misconfigured') || error.aws?.code !== 'DryRunOperation') throw error;
      }
    },
  };
};

export interface QueryClientOptions extends CallContext {
  readonly client: ClientConfig;
  readonly changes: RetryPolicy;
  readonly reads: RetryPolicy;
}

/** A service of AWS's that speaks a query protocol. */
export interface QueryService<C extends Calls<C>> {
  readonly name: ServiceName;
  readonly dialect: Dialect;
  /** Of the API. */
  readonly version: string;
  readonly operations: Readonly<Record<keyof C & string, Operation>>;
  /** The SDK's schema of an operation. */
  readonly schemaOf: (name: keyof C & string) => StaticOperationSchema;
}

/** A description always has its list; what else AWS answers has at least the id of the call. */
const isWhole = (dialect: Dialect, schema: StaticOperationSchema, content: unknown, result: unknown): boolean =>
  schema[2].startsWith('Describe')
    ? hasList(schema[5], result)
    : fieldOf(content, dialect === 'ec2' ? 'requestId' : 'ResponseMetadata') !== undefined ||
      Object.keys(Object(result)).some((name) => name !== 'xmlns');

const understand = (dialect: Dialect, schema: StaticOperationSchema, received: Received): unknown => {
  const content = queryAnswer(schema[2], received);
  const result = dialect === 'ec2' ? content : content[`${schema[2]}Result`];
  if (isWhole(dialect, schema, content, result)) return fromContent(schema[5], result);
  throw unexpected(received, 'the answer lacks what it must hold');
};

const unwritable = (name: string, why: string, cause?: unknown): PluginError =>
  new PluginError('provider.misconfigured', `${name} cannot be written: ${why}`, { cause });

/** Before anything is sent: what cannot be written is no fault of AWS's. */
const written = (dialect: Dialect, version: string, schema: StaticOperationSchema, input: object): string => {
  try {
    return `Action=${schema[2]}&Version=${version}${toForm(dialect, schema[4], input)}`;
  } catch (cause) {
    throw unwritable(schema[2], messageOf(cause), cause);
  }
};

const holds = (input: unknown, path: readonly string[]): boolean => path.reduce(fieldOf, input) !== undefined;

/**
 * A client for one of AWS's query services by the schemas of the SDK, without the SDK's clients: their middleware, and what
 * they look for in files and environment, would take most of a call's time. What it throws looks as theirs.
 */
export const createQueryClient = <C extends Calls<C>>(
  { name: service, dialect, version, operations, schemaOf }: QueryService<C>,
  { client, changes, reads, ...context }: QueryClientOptions,
): Client<C> => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const { observe: _observe, ...unobserved } = context;
  const { log } = context;
  const quiet: CallContext = {
    ...unobserved,
    log: { ...log, warn: (_code, text, fields) => log.debug('aws.refused', text, fields) },
  };
  return clientOf<C>((name, input, manner) => {
    const schema = schemaOf(name);
    const { token = [] } = operations[name];
    if (manner === 'change' && !holds(input, token)) throw unwritable(name, `it has no ${token.join('.')}`);
    const body = written(dialect, version, schema, input);
    return callAws(
      manner === 'dryRun' ? quiet : context,
      manner === 'change' ? changes : reads,
      name,
      async (signal) => understand(dialect, schema, await postSigned(service, client, { headers, body }, signal)),
      input,
    );
  });
};
