/**
 * The faults this program can report. The first word says whose fault it is: `input` and `template` the caller's,
 * `configuration` the administrator's, `storage` the file system's or the table's, `provider` AWS's (kinds after the taxonomy of EC2's
 * error codes in providers/aws/fault.ts), `handler` ours.
 */
export type ErrorCode =
  | 'input.invalid'
  | 'input.unreadable'
  | 'template.not-found'
  | 'template.invalid'
  | 'template.limit'
  | 'template.protected'
  | 'request.not-found'
  | 'request.settled'
  | 'machine.not-found'
  | 'command.conflict'
  | 'handler.not-found'
  | 'configuration.invalid'
  | 'configuration.missing'
  | 'storage.conflict'
  | 'storage.foreign'
  | 'storage.moved'
  | 'storage.unavailable'
  | 'storage.unreadable'
  | 'storage.unwritable'
  | 'provider.capacity'
  | 'provider.quota'
  | 'provider.throttled'
  | 'provider.transient'
  | 'provider.unreachable'
  | 'provider.missing'
  | 'provider.denied'
  | 'provider.misconfigured';

const retryableCodes: ReadonlySet<ErrorCode> = new Set([
  'storage.conflict',
  'storage.unavailable',
  'provider.capacity',
  'provider.throttled',
  'provider.transient',
  'provider.unreachable',
]);

/** What AWS said, kept apart from our own code. */
export interface AwsFault {
  readonly code: string;
  readonly action: string;
  readonly awsRequestId?: string;
}

export interface PluginErrorOptions {
  readonly cause?: unknown;
  readonly aws?: AwsFault;
}

/** An error with a stable `code`. The message is for people and is safe to print: no secrets, no stack. */
export class PluginError extends Error {
  readonly code: ErrorCode;
  readonly aws: AwsFault | undefined;

  constructor(code: ErrorCode, message: string, { cause, aws }: PluginErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PluginError';
    this.code = code;
    this.aws = aws;
  }

  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}

/** The bundle is several files, each with its own copy of the class: hence a look at the shape, not `instanceof`. */
export const isPluginError = (error: unknown): error is PluginError =>
  error instanceof Error && error.name === 'PluginError' && 'code' in error;

export const hasCode = (error: unknown, ...codes: readonly ErrorCode[]): error is PluginError =>
  isPluginError(error) && codes.includes(error.code);

const longestQuote = 200;

/** What somebody else wrote, short enough for a message. */
export const excerpt = (text: string): string =>
  text.length <= longestQuote ? text : `${text.slice(0, longestQuote)}…`;

/** The text for people of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
