import type { Message } from '../application/bus/bus.ts';
import type { Role } from '../application/bus/origin.ts';
import { type OperationName, operations } from '../application/operations.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A call whose parts fit the route's schemas. */
interface Call {
  readonly params: Json;
  readonly query: Json;
  readonly body: Json;
}

/** One thing REST can do: an HTTP form of one message. */
export interface Route {
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

export const propertiesOf = (type: OperationName): Json => operations[type].input;

/** Query parameters by the names of the message's fields. */
export const listing = {
  q: 'query',
  sort_by: 'sortBy',
  sort_order: 'sortOrder',
  limit: 'limit',
  offset: 'offset',
  page: 'page',
  page_size: 'pageSize',
} as const;

export const expectation = {
  expect_version: {
    type: 'string',
    pattern: '^(re[qt]-[0-9a-f-]{36}:)?\\d{1,9}$',
    description: 'Wait for this version: 7, in lists req-...:7',
  },
  wait: { type: 'number', minimum: 0, maximum: 60, description: 'Seconds to wait for it; default 5' },
} as const;

export const expectedOf = ({ expect_version: text, wait }: Json, shown: unknown) => {
  if (typeof text !== 'string') return {};
  const [version = '', requestId = shown] = text.split(':').reverse();
  return {
    expected: { requestId, version: Number(version), ...(typeof wait === 'number' ? { wait: wait * 1000 } : {}) },
  };
};

export const rename = (query: Json, names: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(
    Object.entries(names).flatMap(([from, to]) => (query[from] === undefined ? [] : [[to, query[from]]])),
  );

export const schemasOf = (type: OperationName, names: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(Object.entries(names).map(([from, field]) => [from, propertiesOf(type)[field]]));

export const object = (properties: Json, required: readonly string[]): Json => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
