import type { FromSchema, Json, Properties } from './json-schema.ts';
import { type Origin, type Role, roles } from './origin.ts';
import { text, uuid } from './shapes.ts';

const origin = {
  correlationId: { ...text, description: 'Stored with log lines and events' },
  userId: { ...text, description: 'Who is asking; stored with the events' },
  role: { enum: roles },
} as const;

const identity = {
  commandId: { ...uuid, description: 'UUID; repeating the command with it gives the same answer' },
} as const;

/** What an operation is, but for what it does. */
interface Declaration<
  N extends string,
  B extends 'command' | 'query',
  P extends Properties,
  R extends keyof P & string,
  A extends object,
> {
  /** The type of its messages, in the form of its file's name: `CreateRequest` is in create-request.ts. */
  readonly name: N;
  /** A command changes state; a query only reads. */
  readonly bus: B;
  /** Who may ask for it, where callers have roles. */
  readonly role: Role;
  /** What it does, for people. */
  readonly title: string;
  /** Whether Host Factory's scripts run it: then it is in the file that they load. */
  readonly isHot?: boolean;
  /** The fields of its messages, as JSON Schema. */
  readonly input: P;
  /** Those without which a message is refused. */
  readonly required?: readonly R[];
  /** What it answers, as JSON Schema. */
  readonly answer: A;
}

/** Declares an operation. Its types, the check of its messages and its description come from here. */
export const defineOperation = <
  const N extends string,
  const B extends 'command' | 'query',
  const P extends Properties,
  const A extends object,
  const R extends keyof P & string = never,
>(
  declared: Declaration<N, B, P, R, A>,
) => {
  const { name, bus, input, required = [] } = declared;
  /** Of its whole message, with who asks. */
  const schema: object = {
    $id: name,
    type: 'object',
    additionalProperties: false,
    required,
    properties: { type: { const: name }, ...origin, ...(bus === 'command' ? identity : {}), ...input },
  };
  return { isHot: false, ...declared, schema } as const;
};

export interface AnyOperation {
  readonly name: string;
  readonly bus: 'command' | 'query';
  readonly role: Role;
  readonly title: string;
  readonly isHot: boolean;
  readonly input: Properties;
  readonly required?: readonly string[];
  readonly answer: object;
  readonly schema: object;
}

/** What a caller leaves out may also be there and undefined. */
type InputOf<O> = O extends { readonly input: infer P; readonly required?: readonly (infer R)[] }
  ? { readonly [K in keyof P as K extends R ? K : never]: FromSchema<P[K]> } & {
      readonly [K in keyof P as K extends R ? never : K]?: FromSchema<P[K]> | undefined;
    }
  : never;

type CarriedBy<O> = Partial<Omit<Origin, 'commandId'>> &
  (O extends { readonly bus: 'command' } ? { readonly commandId?: string } : unknown);

/** The messages of an operation. */
export type MessageOf<O extends AnyOperation> = { readonly type: O['name'] } & CarriedBy<O> & InputOf<O>;

export type AnswerOf<O extends AnyOperation> = FromSchema<O['answer']>;

/** What carries an operation out. `A` where its answer is known more closely than its schema tells; JSON in any case. */
export type HandlerOf<O extends AnyOperation, A extends AnswerOf<O> = AnswerOf<O>> = (
  message: MessageOf<O>,
  origin: Origin,
) => Promise<Json<A>>;
