import { type ParameterTable, parameterTable } from '../wire/parameter-table.ts';
import type { Parameters } from '../wire/parameters.ts';
import { invalidValue, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';

/** One API action: the parameters it knows and what it does for a caller, known by its access key. It either throws a ServiceError or answers. */
export interface Action {
  readonly parameters: ParameterTable;
  readonly answer: (world: World, params: Parameters, caller: string) => XmlFields;
}

/** An action by its parameters, written as `parameterTable` reads them. */
export const action = (parameters: string, answer: Action['answer']): Action => ({
  parameters: parameterTable(parameters),
  answer,
});

/** The account everything belongs to. */
export const ownerId = '123456789012';

export const isoTime = (ms: number): string => new Date(ms).toISOString();

export const required = <T>(value: T | undefined, name: string): T => {
  if (value === undefined) throw new ServiceError('MissingParameter', `The request must contain the parameter ${name}`);
  return value;
};

/** The ids of `name.N`; fails with `MissingParameter` if there are none. */
export const requiredList = (params: Parameters, name: string): readonly string[] => {
  const values = params.list(name);
  return required(values.length === 0 ? undefined : values, name);
};

/** A parameter that has only these values; undefined if it is not there. */
export const oneOf = <T extends string>(params: Parameters, name: string, choices: readonly T[]): T | undefined => {
  const value = params.text(name);
  if (value === undefined) return undefined;
  const choice = choices.find((known) => known === value);
  if (choice === undefined)
    throw invalidValue(`Invalid value '${value}' for ${name}. Valid values: ${choices.join(', ')}`);
  return choice;
};
