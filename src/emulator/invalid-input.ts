/** Control input that cannot be used; over HTTP it becomes a 400 with this message. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
}

/** An object as JSON knows it: neither null nor a list. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export type Check = (value: unknown) => boolean;

export const isText: Check = (value) => typeof value === 'string' && value !== '';
export const isFlag: Check = (value) => typeof value === 'boolean';
export const isAmount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
export const isCount: Check = (value) => isAmount(value) && Number.isInteger(value);
export const isPositive: Check = (value) => isCount(value) && value !== 0;

export const isOneOf =
  (...choices: readonly unknown[]): Check =>
  (value) =>
    choices.includes(value);

export const optional = (check: Check): Check => either((value) => value === undefined, check);

export const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));

export const isRecordOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);

/** An object with these fields and no other. */
export const hasShape =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) &&
    Object.keys(value).every((name) => Object.hasOwn(fields, name)) &&
    Object.entries(fields).every(([name, check]) => check(value[name]));
