import { PluginError } from '../domain/errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const refuse = (path: string, rule: string): PluginError => new PluginError('input.invalid', `${path} ${rule}`);

const kindOf = (value: unknown): string => {
  if (value === undefined) return 'it is missing';
  if (value === null) return 'it is null';
  if (Array.isArray(value)) return 'it is an array';
  return typeof value === 'object' ? 'it is an object' : `it is ${JSON.stringify(value)?.slice(0, 80)}`;
};

/** Reading Host Factory's input: each function takes the value and its path, and throws `input.invalid` naming the path. */
export const asObject = (value: unknown, path: string): JsonObject => {
  if (isObject(value)) return value;
  throw refuse(path, `must be a JSON object: ${kindOf(value)}`);
};

export const asText = (value: unknown, path: string): string => {
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  throw refuse(path, `must be a non-empty string: ${kindOf(value)}`);
};

export const asOptionalText = (value: unknown, path: string): string => {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value.trim();
  throw refuse(path, `must be a string: ${kindOf(value)}`);
};

export const asCount = (value: unknown, path: string): number => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw refuse(path, `must be a whole number of at least 1: ${kindOf(value)}`);
};

/** IBM's page shows an object where real Host Factory sends an array: one thing is a list of one. */
export const asList = (value: unknown, path: string): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && value !== null) return [value];
  throw refuse(path, `must be an array: ${kindOf(value)}`);
};
