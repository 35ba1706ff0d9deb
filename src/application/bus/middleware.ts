import { PluginError } from '../../domain/errors.ts';
import type { Observe, Span } from '../ports/telemetry.ts';
import type { Command, Middleware } from './bus.ts';

/** Lets traces and metrics see the message: who asks, and its plain fields. */
export const observing =
  (observe: Observe, kind: Span['kind']): Middleware =>
  (message, origin, next) =>
    observe({ kind, name: message.type, attributes: { ...message, ...origin } }, next);

/** Problems that a message for people tells. */
const mostListed = 20;

const firstOf = (problems: readonly string[]): readonly string[] =>
  problems.length <= mostListed
    ? problems
    : [...problems.slice(0, mostListed), `and ${problems.length - mostListed} more problems`];

/** Refuses a message that is not of its type's form. */
export const validating =
  (problemsOf: (message: Command) => Promise<readonly string[]>): Middleware =>
  async (message, _origin, next) => {
    const problems = await problemsOf(message);
    if (problems.length > 0) throw new PluginError('input.invalid', `${message.type}: ${firstOf(problems).join('; ')}`);
    return next();
  };

/** Commands that change nothing unless they are told to apply what they find. */
const readOnlyUnlessApplied: ReadonlySet<string> = new Set(['ValidateTemplate', 'CollectLaunchTemplates', 'Reconcile']);

const isReadOnly = (message: Command): boolean =>
  readOnlyUnlessApplied.has(message.type) && !('apply' in message && message.apply === true);

/** Tells that a command begins that may change something. */
export const noticingChanges =
  (begins: () => void): Middleware =>
  async (message, _origin, next) => {
    if (!isReadOnly(message)) begins();
    return next();
  };

/** Where there is a reason to, refuses what would change something, and says why. */
export const refusingChanges =
  (why: string | undefined): Middleware =>
  async (message, _origin, next) => {
    if (why === undefined || isReadOnly(message)) return next();
    throw new PluginError('storage.foreign', why);
  };

/** The answer of a command, by the id its caller gave it. */
export interface Answered<A> {
  readonly type: string;
  /** The command without what differs from call to call. */
  readonly asked: string;
  readonly answer: A;
}

/** Answers are trusted as events are: only this program writes them, and a command has one type of answer. */
export interface Answers {
  find<A>(commandId: string): Promise<Answered<A> | undefined>;
  /** Keeps it unless another process was first; answers with what is kept. */
  keep<A>(commandId: string, answered: Answered<A>): Promise<Answered<A>>;
}

const fingerprint = ({ correlationId: _call, userId: _user, role: _role, ...command }: Command): string =>
  JSON.stringify(Object.entries(command).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * A command that comes again with the id its caller gave it is not carried out again: it gets the same answer. One that was cut
 * off runs again, and its handler finds what is on record under the id. Throws `command.conflict` for another command with it.
 */
export const idempotent =
  (answers: Answers): Middleware =>
  async <A>(message: Command, _origin: unknown, next: () => Promise<A>): Promise<A> => {
    const { commandId, type } = message;
    if (commandId === undefined || isReadOnly(message)) return next();
    const asked = fingerprint(message);
    const before = await answers.find<A>(commandId);
    const same = (found: Answered<A>): A => {
      if (found.asked === asked) return found.answer;
      throw new PluginError('command.conflict', `the command id ${commandId} was used for another ${found.type}`);
    };
    return same(before ?? (await answers.keep(commandId, { type, asked, answer: await next() })));
  };
