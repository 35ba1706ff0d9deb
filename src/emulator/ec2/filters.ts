import type { Parameters } from '../wire/parameters.ts';
import { invalidValue, ServiceError } from '../wire/service-error.ts';
import type { Tags, World } from '../world.ts';

// EC2 user guide, "Using filtering".
const mostFilters = 50;
const mostValues = 200;
const longestValue = 255;

type Readings = string | number | undefined | readonly string[];

/** Filter names of a describe action, each with what of an item it is compared to. */
export type FilterTable<T> = Readonly<Record<string, (item: T, world: World) => Readings>>;

type TagsOf<T> = (item: T, world: World) => Tags;

const wildcardPattern = (value: string): RegExp => {
  const source = value.replace(/\\([*?\\])|([*?])|[\\^$.|+()[\]{}]/g, (found, literal, wildcard) => {
    if (literal !== undefined) return `\\${literal}`;
    if (wildcard !== undefined) return wildcard === '*' ? '.*' : '.';
    return `\\${found}`;
  });
  return new RegExp(`^${source}$`, 's');
};

const matcherOf = (values: readonly string[]): ((reading: string) => boolean) => {
  const exact = new Set(values.filter((value) => !/[*?\\]/.test(value)));
  const patterns = values.filter((value) => !exact.has(value)).map(wildcardPattern);
  return (reading) => exact.has(reading) || patterns.some((pattern) => pattern.test(reading));
};

const readingOf = <T>(name: string, table: FilterTable<T>, tags: TagsOf<T>): FilterTable<T>[string] => {
  if (name.startsWith('tag:')) {
    const key = name.slice('tag:'.length);
    return (item, world) => {
      const all = tags(item, world);
      return Object.hasOwn(all, key) ? all[key] : undefined;
    };
  }
  if (name === 'tag-key') return (item, world) => Object.keys(tags(item, world));
  const reading = Object.hasOwn(table, name) ? table[name] : undefined;
  if (reading === undefined) throw invalidValue(`The filter '${name}' is invalid`);
  return reading;
};

const checkValues = (name: string, values: readonly string[]): void => {
  if (values.length === 0) throw invalidValue(`The filter '${name}' has no value`);
  if (values.length > mostValues) {
    const message = `The maximum number of filter values specified on a single call is ${mostValues}`;
    throw new ServiceError('FilterLimitExceeded', message);
  }
  if (values.some((value) => value.length > longestValue))
    throw invalidValue(`A value of the filter '${name}' is longer than ${longestValue} characters`);
};

/** The call's `Filter.N` as one test: every filter must hold, by any of its values. Fails as EC2 does on wrong filters. */
export const readFilters = <T>(
  world: World,
  params: Parameters,
  table: FilterTable<T>,
  tags: TagsOf<T> = () => ({}),
): ((item: T) => boolean) => {
  const filters = params.each('Filter');
  if (filters.length > mostFilters) {
    throw new ServiceError('FilterLimitExceeded', `The maximum number of filters on a single call is ${mostFilters}`);
  }
  const tests = filters.map((filter) => {
    const name = filter.text('Name') ?? 'null';
    const values = filter.list('Value');
    const reading = readingOf(name, table, tags);
    checkValues(name, values);
    return { reading, matches: matcherOf(values) };
  });
  return (item) =>
    tests.every(({ reading, matches }) => {
      const found = reading(item, world);
      if (found === undefined) return false;
      return typeof found === 'object' ? found.some(matches) : matches(String(found));
    });
};
