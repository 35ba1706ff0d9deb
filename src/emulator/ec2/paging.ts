import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { Tags, World } from '../world.ts';
import { type FilterTable, readFilters } from './filters.ts';

/** Auto Scaling asks for records and says in its own words that they are too many. */
const checkPageSize = (
  name: 'MaxRecords' | 'MaxResults',
  size: number,
  [least, most]: readonly [number, number],
): void => {
  if (size >= least && size <= most) return;
  if (name === 'MaxRecords') {
    const bound = size < least ? `greater than or equal to ${least}` : `less than or equal to ${most}`;
    const message = `1 validation error detected: Value '${size}' at 'maxRecords' failed to satisfy constraint: Member must have value ${bound}`;
    throw new ServiceError('ValidationError', message);
  }
  const expected = size < least ? `greater than or equal to ${least}` : `less than or equal to ${most}`;
  throw invalidValue(`Value ( ${size} ) for parameter maxResults is invalid. Expecting a value ${expected}.`);
};

const readToken = (token: string | undefined): string | undefined => {
  if (token === undefined) return undefined;
  const [, key] = /^after (.+)$/s.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (key === undefined) throw new ServiceError('InvalidNextToken', `The token '${token}' is invalid`);
  return key;
};

export interface Listing<T> {
  readonly items: readonly T[];
  /** A key by which `items` are in ascending order: a page goes on after the last key, whatever has vanished since. */
  readonly keyOf: (item: T) => string;
  readonly filters?: FilterTable<T>;
  readonly tags?: (item: T) => Tags;
  /** The parameter of explicit ids, with which EC2 takes no page size. */
  readonly idsParameter?: string;
  /** The smallest and largest page that may be asked for; 5 and 1000 if left out. */
  readonly sizes?: readonly [least: number, most: number];
  /** The page size of a call that asks for none. */
  readonly usual?: number;
}

/** One page of those items that pass the call's filters, and the token of the next page if there is one. */
export const pageOf = <T>(
  world: World,
  params: Parameters,
  { items, keyOf, filters = {}, tags, idsParameter, sizes = [5, 1000], usual }: Listing<T>,
): { readonly page: readonly T[]; readonly nextToken?: string } => {
  const passing = items.filter(readFilters(params, filters, tags));
  const asked = params.number('MaxResults') ?? params.number('MaxRecords');
  if (asked !== undefined) checkPageSize(params.has('MaxRecords') ? 'MaxRecords' : 'MaxResults', asked, sizes);
  if (idsParameter !== undefined && params.has(idsParameter)) {
    if (asked === undefined) return { page: passing };
    throw invalidCombination(`The parameter ${idsParameter} cannot be used with the parameter maxResults`);
  }

  const after = readToken(params.text('NextToken'));
  const rest = after === undefined ? passing : passing.filter((item) => keyOf(item) > after);
  const page = rest.slice(0, Math.min(world.settings.pageSize, asked ?? usual ?? Infinity));
  const last = page.at(-1);
  if (last === undefined || page.length === rest.length) return { page };
  return { page, nextToken: Buffer.from(`after ${keyOf(last)}`).toString('base64url') };
};
