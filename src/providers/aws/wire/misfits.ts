/** The names a value of a type may have: 0 for a plain value; of a list, under `[]`, what each item may have. */
export type Names = 0 | { readonly [name: string]: Names };

/** A part of an input that would be left out of a call, or be written as something else. */
export interface Misfit {
  /** Names and positions, from the outside in. */
  readonly path: readonly string[];
  /** The names that fit there; none: not the name is at fault but the value. */
  readonly names: readonly string[];
  /** What the value must be, where it is at fault. */
  readonly form?: 'an object' | 'a plain value';
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const misfitsOf = (names: Names, value: unknown, path: readonly string[]): readonly Misfit[] => {
  if (value === undefined || value === null) return [];
  if (names === 0) return isObject(value) ? [{ path, names: [], form: 'a plain value' }] : [];
  const item = names['[]'];
  if (item !== undefined) {
    const form = item === 0 ? 'a plain value' : 'an object';
    if (!Array.isArray(value)) return misfitsOf(item, value, path);
    return value.flatMap((each: unknown, index) => {
      const at = [...path, `${index}`];
      return each === null ? [{ path: at, names: [], form } as const] : misfitsOf(item, each, at);
    });
  }
  if (!isObject(value) || Array.isArray(value)) return [{ path, names: [], form: 'an object' }];
  return Object.entries(value).flatMap(([name, each]) => {
    const inner = Object.hasOwn(names, name) ? names[name] : undefined;
    const at = [...path, name];
    return inner === undefined ? [{ path: at, names: Object.keys(names) }] : misfitsOf(inner, each, at);
  });
};

/** What of a JSON value has no place among the names of its type. */
export const misfits = (names: Names, value: unknown): readonly Misfit[] => misfitsOf(names, value, []);
