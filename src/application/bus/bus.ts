import { isPluginError, messageOf, PluginError } from '../../domain/errors.ts';
import type { Logger } from '../ports/telemetry.ts';
import type { Origin, Role } from './origin.ts';

/** What every command and query carries. Messages are plain JSON. */
export interface Message {
  readonly type: string;
  readonly correlationId?: string;
  readonly userId?: string;
  readonly role?: Role;
}

export interface Command extends Message {
  /** Makes the command idempotent; becomes the id of what it creates. A UUID. */
  readonly commandId?: string;
}

/** The answer type travels with the message type. */
export interface Operation<M extends Message, A> {
  readonly message: M;
  readonly answer: A;
}

type Operations<M> = { readonly [T in keyof M]: Operation<Message, unknown> };

type Handler<O extends Operation<Message, unknown>> = (message: O['message'], origin: Origin) => Promise<O['answer']>;

/** A handler is loaded when its message first comes: a script pays only for the operation it runs. */
export type Handlers<M extends Operations<M>> = { readonly [T in keyof M]: () => Promise<Handler<M[T]>> };

/** Wraps every message: sees it and its answer or error, and must pass both on. */
export type Middleware = <A>(message: Command, origin: Origin, next: () => Promise<A>) => Promise<A>;

export interface Bus<M extends Operations<M>> {
  /**
   * Runs the handler registered for exactly this type; its error passes through unchanged.
   * Throws `handler.not-found` for a type nobody handles.
   */
  execute<T extends keyof M & string>(message: M[T]['message'] & { readonly type: T }): Promise<M[T]['answer']>;
  /** The same for a message that came as JSON. */
  dispatch(message: Message): Promise<unknown>;
  /** The registered types. */
  readonly types: readonly string[];
}

class HandlerNotFoundError extends PluginError {
  constructor(bus: string, type: string) {
    super('handler.not-found', `no handler for the ${bus} ${type}`);
  }
}

export interface BusOptions {
  readonly name: 'command' | 'query';
  /** For messages that bring none. */
  readonly correlationId: () => string;
  /** Gives commands that bring none an id. */
  readonly commandId?: () => string;
  /** Outermost first. */
  readonly middleware: readonly Middleware[];
}

/** A bus over a constant table of handlers: a missing or wrong handler does not compile, a duplicate cannot be written. */
export const createBus = <M extends Operations<M>>(
  handlers: Handlers<M>,
  { name, correlationId, commandId, middleware }: BusOptions,
): Bus<M> => {
  /** What is in the message beside its type is for the validating middleware to judge. */
  const isHandled = (message: Message): message is M[keyof M & string]['message'] & { type: keyof M & string } =>
    Object.hasOwn(handlers, message.type);
  const execute = async <T extends keyof M & string>(message: M[T]['message'] & { readonly type: T }) => {
    if (!Object.hasOwn(handlers, message.type)) throw new HandlerNotFoundError(name, message.type);
    const origin = originOf(
      { ...(commandId === undefined ? {} : { commandId: commandId() }), ...message },
      correlationId,
    );
    const handle = async (): Promise<M[T]['answer']> => (await handlers[message.type]())(message, origin);
    return middleware.reduceRight((next, around) => () => around(message, origin, next), handle)();
  };
  return {
    types: Object.keys(handlers),
    execute,
    dispatch: async (message) => {
      const { type } = message;
      if (!isHandled(message)) throw new HandlerNotFoundError(name, type);
      return execute(message);
    },
  };
};

const originOf = ({ correlationId, userId, role, commandId }: Command, newId: () => string): Origin => ({
  correlationId: correlationId ?? newId(),
  ...(userId === undefined ? {} : { userId }),
  ...(role === undefined ? {} : { role }),
  ...(commandId === undefined ? {} : { commandId }),
});

const isInfrastructure = (code: string): boolean => !/^(input|template|request|machine|command|handler)\./.test(code);

/** Logs each message as it starts and ends; an error is logged with its code and passed on. */
export const logging =
  (log: Logger): Middleware =>
  async (message, origin, next) => {
    log.debug('bus.executing', message.type, { ...origin });
    try {
      const answer = await next();
      log.debug('bus.succeeded', message.type, { ...origin });
      return answer;
    } catch (error) {
      const code = isPluginError(error) ? error.code : 'internal';
      const fault = isInfrastructure(code) ? 'infrastructure error' : 'domain error';
      const aws = isPluginError(error) ? error.aws : undefined;
      log.error('bus.failed', `${message.type}: ${fault}: ${messageOf(error)}`, { ...origin, code, aws });
      throw error;
    }
  };
