import type { Parameters } from '../wire/parameters.ts';
import { invalidValue } from '../wire/service-error.ts';

/** A parameter that has only these values; undefined if it is not there. */
export const oneOf = <T extends string>(params: Parameters, name: string, choices: readonly T[]): T | undefined => {
  const value = params.text(name);
  if (value === undefined) return undefined;
  const choice = choices.find((known) => known === value);
  if (choice === undefined)
    throw invalidValue(`Invalid value '${value}' for ${name}. Valid values: ${choices.join(', ')}`);
  return choice;
};
