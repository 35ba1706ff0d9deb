import { type ErrorCode, isPluginError, messageOf } from '../domain/errors.ts';

/** An error as RFC 9457 has it, `application/problem+json`, with our code. No stack in it. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
}

/** Faults of HTTP alone. */
export type HttpCode = 'rest.unauthenticated' | 'rest.forbidden' | 'rest.read-only' | 'rest.busy' | 'rest.not-found';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthenticated',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  413: 'Body too large',
  414: 'Address too long',
  415: 'Unsupported media type',
  429: 'Too many requests',
  431: 'Head too large',
  500: 'Internal error',
  503: 'Unavailable',
};

/** 400 for what the caller can put right, except these. */
const statusOf = (code: ErrorCode): number => {
  if (code === 'request.not-found' || code === 'template.not-found' || code === 'machine.not-found') return 404;
  if (code === 'request.settled' || code === 'storage.conflict' || code === 'command.conflict') return 409;
  return /^(provider|storage|configuration)\./.test(code) ? 503 : 400;
};

const problem = (status: number, code: string, detail: string): Problem => ({
  status,
  title: titles[status] ?? 'Error',
  detail,
  code,
});

export class HttpError extends Error {
  readonly status: number;
  readonly code: HttpCode;

  constructor(status: number, code: HttpCode, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What the HTTP server itself refuses: its parser, its validator, its limits. */
const serverStatus = (error: unknown): number | undefined =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500
    ? error.statusCode
    : undefined;

/** The one place where faults become HTTP. */
export const toProblem = (error: unknown): Problem => {
  if (error instanceof HttpError) return problem(error.status, error.code, error.message);
  if (isPluginError(error)) return problem(statusOf(error.code), error.code, error.message);
  const status = serverStatus(error);
  if (status === 429) return problem(429, 'rest.busy', messageOf(error));
  if (status !== undefined) return problem(status, 'input.invalid', messageOf(error));
  return problem(500, 'internal', 'something went wrong here; the log tells more');
};

const parserStatus: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/** What never became a request. */
export const parserProblem = (error: Error & { readonly code: string }): Problem =>
  problem(parserStatus[error.code] ?? 400, 'input.invalid', error.message);
