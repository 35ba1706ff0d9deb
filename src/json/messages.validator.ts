import { operations } from '../application/operations.ts';
import { ajv } from './ajv.ts';

/** Of each type of message. */
export const validators = Object.fromEntries(
  Object.values(operations).map(({ name, schema }) => [name, ajv.compile(schema)] as const),
);
