import type { Command } from '../application/bus/bus.ts';
import { validators } from './messages.validator.ts';
import { problemsOf } from './problems.ts';

/** What is wrong with a message's form. A type that nobody has declared is refused by the bus. */
export const messageProblems = (message: Command): readonly string[] => {
  const validate = validators[message.type];
  if (validate === undefined || validate(message)) return [];
  return problemsOf(validate.errors).map(({ field, rule }) => `${field} ${rule}`.trim());
};
