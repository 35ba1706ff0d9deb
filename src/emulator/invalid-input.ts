/** Control input that cannot be used; over HTTP it becomes a 400 with this message. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
}

/** An object as JSON knows it: neither null nor a list. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
