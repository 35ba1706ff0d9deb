import type { XmlFields } from './xml.ts';

// EC2's HTTP statuses where they are not 400. SDKs look at the code first, but count 5xx among the retryable ones.
const statusOfCode = new Map([
  ['AccessDenied', 403],
  ['AuthFailure', 401],
  ['UnauthorizedOperation', 403],
  ['DryRunOperation', 412],
  ['InsufficientInstanceCapacity', 500],
  ['InternalError', 500],
  ['InternalFailure', 500],
  ['InvalidClientTokenId', 403],
  ['RequestLimitExceeded', 503],
  ['ServiceUnavailable', 503],
  ['Unavailable', 503],
]);

/** An answer that is an error: AWS's code and text, and the HTTP status they travel under. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: string;
  readonly status: number;
  /** What a JSON service tells beside. */
  readonly fields: XmlFields;

  constructor(code: string, message: string, status = statusOfCode.get(code) ?? 400, fields: XmlFields = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

export const invalidValue = (message: string): ServiceError => new ServiceError('InvalidParameterValue', message);

export const invalidCombination = (message: string): ServiceError =>
  new ServiceError('InvalidParameterCombination', message);
