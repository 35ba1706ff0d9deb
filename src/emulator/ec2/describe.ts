import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { Tags, World } from '../world.ts';
import { type Action, action } from './action.ts';

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
const readFilters = <T>(
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

/** Auto Scaling asks for records and says in its own words that they are too many. */
const checkPageSize = (
  name: 'MaxRecords' | 'MaxResults',
  size: number,
  [least, most]: readonly [number, number],
): void => {
  if (size >= least && size <= most) return;
  const bound = size < least ? `greater than or equal to ${least}` : `less than or equal to ${most}`;
  if (name === 'MaxResults')
    throw invalidValue(`Value ( ${size} ) for parameter maxResults is invalid. Expecting a value ${bound}.`);
  const message = `1 validation error detected: Value '${size}' at 'maxRecords' failed to satisfy constraint: Member must have value ${bound}`;
  throw new ServiceError('ValidationError', message);
};

const readToken = (token: string | undefined): string | undefined => {
  if (token === undefined) return undefined;
  const [, key] = /^after (.+)$/s.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (key === undefined) throw new ServiceError('InvalidNextToken', `The token '${token}' is invalid`);
  return key;
};

/** What a describe tells of, and how it is found. */
interface Description<T> {
  /** What the call knows beside ids, filters and pages. */
  readonly parameters?: string;
  /** The parameter of explicit ids. */
  readonly ids?: string;
  /** Whether it takes a page size with ids too. */
  readonly pagesIds?: boolean;
  /** What there is, or what of it the ids name; fails as the service does for one that names nothing. */
  readonly items: (world: World, ids: readonly string[], params: Parameters) => readonly T[];
  /** A key by which items are in ascending order: a page goes on after the last key, whatever has vanished since. */
  readonly keyOf: (item: T) => string;
  /** Left out: the call knows no filters. */
  readonly filters?: FilterTable<T>;
  readonly tags?: (item: T, world: World) => Tags;
  /** The smallest and largest page that may be asked for; 5 and 1000 if left out. */
  readonly sizes?: readonly [least: number, most: number];
  /** The page size of a call that asks for none. */
  readonly usual?: number;
  /** Whether it speaks as Auto Scaling does, of records. */
  readonly isOfRecords?: boolean;
  readonly answer: (page: readonly T[], world: World, params: Parameters) => XmlFields;
}

/** As many of `items` as the call takes or may have, and the key after which the next page begins. */
const pageOf = <T>(
  world: World,
  params: Parameters,
  items: readonly T[],
  { ids = '', pagesIds, keyOf, sizes = [5, 1000], usual, isOfRecords }: Description<T>,
): { readonly page: readonly T[]; readonly last?: string } => {
  const name = isOfRecords === true ? 'MaxRecords' : 'MaxResults';
  const asked = params.number(name);
  if (asked !== undefined) checkPageSize(name, asked, sizes);
  if (pagesIds !== true && params.has(ids)) {
    if (asked === undefined) return { page: items };
    throw invalidCombination(`The parameter ${ids} cannot be used with the parameter maxResults`);
  }
  const after = readToken(params.text('NextToken'));
  const rest = after === undefined ? items : items.filter((item) => keyOf(item) > after);
  const page = rest.slice(0, Math.min(world.settings.pageSize, asked ?? usual ?? Infinity));
  const last = page.at(-1);
  return last === undefined || page.length === rest.length ? { page } : { page, last: keyOf(last) };
};

/** A describe: those of its items that pass the call's filters, page by page. */
export const describe = <T>(one: Description<T>): Action => {
  const { ids = '', parameters = '', filters, isOfRecords = false } = one;
  const [size, token] = isOfRecords ? ['MaxRecords', 'NextToken'] : ['MaxResults', 'nextToken'];
  const filter = filters === undefined ? '' : 'Filter.N{Name Value.N}';
  return action(`${ids && `${ids}.N`} ${parameters} ${filter} ${size} NextToken`, (world, params) => {
    const found = one.items(world, params.list(ids), params);
    const passing = params.has('Filter') ? found.filter(readFilters(world, params, filters ?? {}, one.tags)) : found;
    const { page, last } = pageOf(world, params, passing, one);
    const next = last === undefined ? {} : { [token]: Buffer.from(`after ${last}`).toString('base64url') };
    return { ...one.answer(page, world, params), ...next };
  });
};
