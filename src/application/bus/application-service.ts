import type { Commands, Queries } from '../handlers.ts';
import type { Bus, Message, Operation } from './bus.ts';

/** `createRequest` takes and answers what the message CreateRequest does. */
type Methods<M extends Readonly<Record<keyof M, Operation<Message, unknown>>>> = {
  readonly [N in keyof M & string as Uncapitalize<N>]: Method<Omit<M[N]['message'], 'type'>, M[N]['answer']>;
};

type Method<I, A> = object extends I ? (input?: I) => Promise<A> : (input: I) => Promise<A>;

/** The one way in for every entry point: Host Factory's scripts, the command line, REST. */
export interface ApplicationService extends Methods<Commands>, Methods<Queries> {
  /** A message as JSON to one of the buses, for tools. */
  dispatch(bus: 'command' | 'query', message: Message): Promise<unknown>;
  /** What each bus handles. */
  readonly handlers: { readonly commands: readonly string[]; readonly queries: readonly string[] };
}

const methodsOf = ({ types, dispatch }: Pick<Bus<Commands | Queries>, 'types' | 'dispatch'>) =>
  types.map((type) => [
    type.charAt(0).toLowerCase() + type.slice(1),
    (input: object = {}) => dispatch({ type, ...input }),
  ]);

/** One method for each operation, by its name. */
export function createApplicationService(commands: Bus<Commands>, queries: Bus<Queries>): ApplicationService;
// TypeScript cannot follow names that are made from others: the handlers' own types hold the two sides together.
export function createApplicationService(commands: Bus<Commands>, queries: Bus<Queries>): object {
  return {
    ...Object.fromEntries([...methodsOf(commands), ...methodsOf(queries)]),
    dispatch: (bus: 'command' | 'query', message: Message) =>
      (bus === 'command' ? commands : queries).dispatch(message),
    handlers: { commands: commands.types, queries: queries.types },
  };
}
