import type { Argv } from 'yargs';
import type { Paginated } from '../application/listing.ts';
import type { Expectation } from '../application/ports.ts';
import { type CommonOptions, type Door, originOptions, show, warn } from './door.ts';

/** The options of every list. */
export const withListing = <T>(yargs: Argv<T>) =>
  yargs
    .option('search', { type: 'string', describe: 'Text that a value must contain' })
    .option('sort-by', { type: 'string', describe: 'Field, e.g. created_at' })
    .option('sort-order', { choices: ['asc', 'desc'] as const })
    .option('limit', { type: 'number', describe: 'Most rows; wins over --page-size' })
    .option('offset', { type: 'number', describe: 'Rows to leave out; wins over --page' })
    .option('page', { type: 'number', describe: 'From 1' })
    .option('page-size', { type: 'number', describe: 'Default 20' });

/** The option to wait for a version that a command has answered with. */
export const withExpectation = <T>(yargs: Argv<T>) =>
  yargs
    .option('expect-version', {
      type: 'string',
      describe: 'Wait until REQUEST:VERSION is seen, as a command answered it',
    })
    .option('wait', { type: 'string', default: '5s', describe: 'How long to wait for it' });

interface ListingOptions extends CommonOptions {
  readonly search?: string | undefined;
  readonly sortBy?: string | undefined;
  readonly sortOrder?: 'asc' | 'desc' | undefined;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly page?: number | undefined;
  readonly pageSize?: number | undefined;
  readonly expectVersion?: string | undefined;
  readonly wait?: string | undefined;
}

/** `5s`, `5` or `200ms` in milliseconds; what is no time is refused where messages are checked. */
const millis = (text: string): number =>
  text.endsWith('ms') ? Number(text.slice(0, -2)) : Number(text.replace(/s$/, '')) * 1000;

/** `7` of the request shown, `req-...:7` of any. */
export const expectationOf = ({ expectVersion, wait = '5s' }: ListingOptions, shown = ''): Expectation | undefined => {
  if (expectVersion === undefined) return undefined;
  const [version = '', requestId = shown] = expectVersion.split(':').reverse();
  return { requestId, version: Number(version), wait: millis(wait) };
};

export const listingOf = (options: ListingOptions) => ({
  query: options.search,
  sortBy: options.sortBy,
  sortOrder: options.sortOrder,
  limit: options.limit,
  offset: options.offset,
  page: options.page,
  pageSize: options.pageSize,
  expected: expectationOf(options),
  ...originOptions(options),
});

/** A list as JSON, or as a table with the page's place below. */
export const showList = <T>(
  door: Door,
  options: CommonOptions,
  list: Paginated<T>,
  render: (items: readonly T[]) => string,
): void => {
  const { items, total, page, total_pages: pages, warnings, _warning } = list;
  warn(door, [...warnings, ...(_warning === undefined ? [] : [_warning])]);
  const place = pages > 1 ? `\npage ${page} of ${pages}, ${total} in all` : '';
  show(door, options, list, () => `${render(items)}${place}`);
};
