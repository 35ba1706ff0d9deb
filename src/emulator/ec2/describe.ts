import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { Tags, World } from '../world.ts';
import { type Action, action } from './action.ts';
import { type FilterTable, readFilters } from './filters.ts';

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
