import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';

const smallestPage = 5;
const largestPage = 1000;

const checkPageSize = (size: number): void => {
  if (size >= smallestPage && size <= largestPage) return;
  const expected =
    size < smallestPage ? `greater than or equal to ${smallestPage}` : `less than or equal to ${largestPage}`;
  throw invalidValue(`Value ( ${size} ) for parameter maxResults is invalid. Expecting a value ${expected}.`);
};

const readToken = (token: string | undefined): string | undefined => {
  if (token === undefined) return undefined;
  const [, key] = /^after (.+)$/s.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (key === undefined) throw new ServiceError('InvalidNextToken', `The token '${token}' is invalid`);
  return key;
};

export interface Paging<T> {
  readonly params: Parameters;
  /** The parameter of explicit ids, with which EC2 takes no MaxResults. */
  readonly idsParameter: string;
  readonly pageSize: number;
  readonly items: readonly T[];
  /** A key by which `items` are in ascending order: a page goes on after the last key, whatever has vanished since. */
  readonly keyOf: (item: T) => string;
}

/** One page of `items`, and the token of the next if there is one. Calls with explicit ids are not paged. */
export const pageOf = <T>(paging: Paging<T>): { readonly page: readonly T[]; readonly nextToken?: string } => {
  const { params, items, keyOf, idsParameter } = paging;
  const maxResults = params.integer('MaxResults');
  if (maxResults !== undefined) checkPageSize(maxResults);
  if (params.has(idsParameter)) {
    if (maxResults === undefined) return { page: items };
    const message = `The parameter ${idsParameter} cannot be used with the parameter maxResults`;
    throw invalidCombination(message);
  }

  const after = readToken(params.text('NextToken'));
  const rest = after === undefined ? items : items.filter((item) => keyOf(item) > after);
  const page = rest.slice(0, Math.min(paging.pageSize, maxResults ?? Number.POSITIVE_INFINITY));
  const last = page.at(-1);
  if (last === undefined || page.length === rest.length) return { page };
  return { page, nextToken: Buffer.from(`after ${keyOf(last)}`).toString('base64url') };
};
