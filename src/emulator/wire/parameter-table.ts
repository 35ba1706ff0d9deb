import { invalidValue, ServiceError } from './service-error.ts';

const accepts = {
  text: () => true,
  integer: (value) => /^-?\d{1,15}$/.test(value),
  flag: (value) => value === 'true' || value === 'false',
  time: (value) => !Number.isNaN(Date.parse(value)),
} satisfies Record<string, (value: string) => boolean>;

type Kind = keyof typeof accepts;

/** The parameters an action knows, members of lists written as in the API reference: `Filter.N.Value.N`. */
export type ParameterTable = ReadonlyMap<string, Kind>;

const kinds: readonly Kind[] = ['text', 'integer', 'flag', 'time'];

/** A table from names separated by white space, by kind; `DryRun` and what names the call itself are always in it. */
export const parameterTable = (names: Readonly<Partial<Record<Kind, string>>>): ParameterTable => {
  const table = new Map<string, Kind>([
    ['Action', 'text'],
    ['Version', 'text'],
    ['DryRun', 'flag'],
  ]);
  for (const kind of kinds) {
    for (const name of names[kind]?.split(/\s+/).filter(Boolean) ?? []) table.set(name, kind);
  }
  return table;
};

/** Fails with `UnknownParameter` or `InvalidParameterValue` on the first parameter that is not as the table says. */
export const checkParameters = (table: ParameterTable, form: ReadonlyMap<string, string>): void => {
  for (const [name, value] of form) {
    const kind = table.get(name.replace(/\.\d+(?=\.|$)/g, '.N'));
    if (kind === undefined) throw new ServiceError('UnknownParameter', `The parameter ${name} is not recognized`);
    if (!accepts[kind](value)) throw invalidValue(`Invalid value '${value}' for ${name}. Expecting: ${kind}`);
  }
};
