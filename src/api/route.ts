import type { Message } from '../application/bus/bus.ts';
import { named } from '../application/bus/json-schema.ts';
import type { AnyOperation } from '../application/bus/operation.ts';
import type { Role } from '../application/bus/origin.ts';
import { uuid } from '../application/bus/shapes.ts';
import { type OperationName, operations } from '../application/operations.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A call whose parts fit the route's schemas. */
export interface Call {
  readonly params: Json;
  readonly query: Json;
  readonly body: Json;
}

/** One thing REST can do: an HTTP form of one message. */
export interface Route {
  readonly operation: OperationName;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** What a client made from the description calls it. */
  readonly name: string;
  /** With `:id` as the framework writes it. */
  readonly path: string;
  readonly summary: string;
  readonly role: Role;
  readonly bus: 'command' | 'query';
  readonly status: 200 | 201;
  /** The forms of its answer. */
  readonly answers: readonly object[];
  readonly params: Json;
  readonly query: Json;
  readonly body?: Json;
  readonly message: (call: Call) => Message;
  /** The answer in the words of this route, where they are others than the message's. */
  readonly answer?: (answer: Json, call: Call) => unknown;
}

/** The parameters of a call, by field of the message. */
type Names = Readonly<Record<string, string>>;

interface Form {
  readonly name: string;
  readonly path: string;
  readonly method?: Route['method'];
  /** Unless it is the operation's title. */
  readonly summary?: string;
  readonly status?: Route['status'];
  readonly params?: Names;
  readonly query?: Names;
  readonly body?: Names;
  /** Fields of the message where the call says nothing of them. */
  readonly otherwise?: Json;
  /** The name of its answer in the description, where the operation's has none. */
  readonly answer?: string;
}

const pageNames: Names = {
  q: 'query',
  sort_by: 'sortBy',
  sort_order: 'sortOrder',
  limit: 'limit',
  offset: 'offset',
  page: 'page',
  page_size: 'pageSize',
};

const expectation = {
  expect_version: {
    type: 'string',
    pattern: '^(re[qt]-[0-9a-f-]{36}:)?\\d{1,9}$',
    description: 'Wait for this version: 7, in lists req-...:7',
  },
  wait: { type: 'number', minimum: 0, maximum: 60, description: 'Seconds to wait for it; default 5' },
} as const;

const propertiesOf = (schema: object): Json => ('properties' in schema ? { ...Object(schema.properties) } : {});

/** `7` of the request that is shown, `req-...:7` of any where the message says which. */
const expectedOf = (schema: object, { expect_version: text, wait }: Json): Json => {
  if (typeof text !== 'string') return {};
  const [version = '', requestId = ''] = text.split(':').reverse();
  const ms = typeof wait === 'number' ? { wait: wait * 1000 } : {};
  const of = 'requestId' in propertiesOf(schema) ? { requestId } : {};
  return { expected: { ...of, version: Number(version), ...ms } };
};

export const rename = (given: Json, names: Names): Json =>
  Object.fromEntries(
    Object.entries(names).flatMap(([from, to]) => (given[from] === undefined ? [] : [[to, given[from]]])),
  );

const schemasOf = ({ input }: AnyOperation, names: Names): Json =>
  Object.fromEntries(Object.entries(names).map(([from, field]) => [from, input[field]]));

export const object = (properties: Json, required: readonly string[]): Json => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});

const bodyOf = (operation: AnyOperation, names: Names): Json =>
  object(
    { ...schemasOf(operation, names), command_id: uuid },
    Object.keys(names).filter((name) => operation.required?.includes(names[name] ?? '')),
  );

const renamed = ({ requestId, ...rest }: Json): Json => ({ request_id: requestId, ...rest });

/** An answer of a command as a schema: REST spells the id of a request in its own way. */
const restAnswer = (title: string, { answer }: Pick<AnyOperation, 'answer'>) => {
  const properties = renamed(propertiesOf(answer));
  return named(title, object(properties, Object.keys(properties)));
};

/** The HTTP form of an operation, of which it has role, schemas, answer and title. */
export const routeOf = (type: OperationName, form: Form): Route => {
  const operation: AnyOperation = operations[type];
  const { bus, role, title, input } = operation;
  const { name, path, params = {}, body, otherwise = {}, answer } = form;
  const query = { ...form.query, ...('pageSize' in input ? pageNames : {}) };
  const { expected } = input;
  return {
    operation: type,
    name,
    path,
    bus,
    role,
    method: form.method ?? (bus === 'query' ? 'GET' : 'POST'),
    summary: form.summary ?? title,
    status: form.status ?? 200,
    params: schemasOf(operation, params),
    query: { ...schemasOf(operation, query), ...(expected ? expectation : {}) },
    ...(body === undefined ? {} : { body: bodyOf(operation, body) }),
    answers: [answer === undefined ? operation.answer : restAnswer(answer, operation)],
    message: (call) => ({
      type,
      ...otherwise,
      ...rename(call.params, params),
      ...rename(call.query, query),
      ...(expected ? expectedOf(expected, call.query) : {}),
      ...(body === undefined ? {} : rename(call.body, { ...body, command_id: 'commandId' })),
    }),
    ...(answer === undefined ? {} : { answer: renamed }),
  };
};
