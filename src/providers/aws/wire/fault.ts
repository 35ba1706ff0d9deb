import { PluginError } from '../../../domain/errors.ts';
import { type FaultKind, isListed, kindOfCode } from './error-codes.ts';

interface SdkError {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly fault: string;
  readonly httpStatus: number;
  readonly awsRequestId: string;
  readonly cause: unknown;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined;

const readError = (error: unknown): SdkError => {
  const metadata = field(error, '$metadata');
  const httpStatus = field(metadata, 'httpStatusCode');
  return {
    name: error instanceof Error ? error.name : '',
    code: text(field(error, 'Code')) || text(field(error, 'code')),
    message: error instanceof Error ? error.message : String(error),
    fault: text(field(error, '$fault')),
    httpStatus: typeof httpStatus === 'number' ? httpStatus : 0,
    awsRequestId: text(field(metadata, 'requestId')),
    cause: error instanceof Error ? error.cause : undefined,
  };
};

/** EC2's code for an SDK error; Node's for a connection's. */
export const awsCodeOf = (error: unknown): string => {
  const { name, code, cause } = readError(error);
  if (isListed(code) || name === 'Error' || name === 'AggregateError')
    return code || (cause === undefined ? name : awsCodeOf(cause));
  return name;
};

/** Decides by code, never by HTTP status alone: EC2 sends capacity errors as 500 and as 400. */
export const faultKind = (error: unknown): FaultKind => {
  const { fault, httpStatus, cause } = readError(error);
  const known = kindOfCode(awsCodeOf(error)) ?? (cause === undefined ? undefined : kindOfCode(awsCodeOf(cause)));
  if (known !== undefined) return known;
  if (httpStatus === 429) return 'provider.throttled';
  if (httpStatus >= 500 || (fault === 'server' && httpStatus === 0)) return 'provider.transient';
  // An answer that could not be read or a connection that broke: nobody knows what AWS did.
  return fault === 'client' || httpStatus >= 400 ? 'provider.misconfigured' : 'provider.transient';
};

/** Whether this program is at fault: neither AWS nor a connection throws this. */
export const isDefect = (error: unknown): boolean =>
  (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) &&
  error.cause === undefined &&
  kindOfCode(awsCodeOf(error)) === undefined;

const hints: Readonly<Record<string, string>> = {
  RequestExpired: 'temporary credentials have expired, or the clock of this host is wrong: hf-aws doctor tells which',
  ExpiredToken: 'temporary credentials have expired: renew them at their source',
  ExpiredTokenException: 'temporary credentials have expired: renew them at their source',
  SignatureDoesNotMatch: 'the secret key or the clock of this host is probably wrong',
  CredentialsProviderError: 'set AWS_CREDENTIAL_FILE or AWS_CREDENTIAL_SCRIPT, or run on an instance with a role',
  ECONNREFUSED: 'check AWS_ENDPOINT_URL, AWS_PROXY_HOST and the network',
  ENOTFOUND: 'check AWS_REGION, AWS_ENDPOINT_URL and DNS',
};

/** AWS appends a blob to denials that only it can read. */
const withoutBlob = (message: string): string => {
  const at = message.indexOf('Encoded authorization failure message:');
  return at < 0 ? message : message.slice(0, at).trimEnd();
};

/** An SDK error as ours: kind, AWS's code, action and request id, a message safe to print. */
export const toPluginError = (action: string, error: unknown): PluginError => {
  const { message, awsRequestId } = readError(error);
  const code = awsCodeOf(error);
  const hint = Object.hasOwn(hints, code) ? ` (${hints[code]})` : '';
  const aws = { code, action, ...(awsRequestId === '' ? {} : { awsRequestId }) };
  return new PluginError(faultKind(error), `${action} failed. Error Code: ${code}: ${withoutBlob(message)}${hint}`, {
    cause: error,
    aws,
  });
};
