import type { Command } from '../application/bus/bus.ts';
import * as validators from './messages.validator.ts';
import { problemsOf } from './problems.ts';

const byType = new Map<string, (typeof validators)[keyof typeof validators]>(Object.entries(validators));

/** What is wrong with a message's form. Types without a schema are sent by this program alone. */
export const messageProblems = (message: Command): readonly string[] => {
  const validate = byType.get(message.type);
  if (validate === undefined || validate(message)) return [];
  return problemsOf(validate.errors).map(({ field, rule }) => `${field} ${rule}`.trim());
};
