import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import type { Expectation } from '../application/ports/read-model.ts';
import type { Paginated } from '../application/read-model/listing.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { isForPeople, type Records } from './formats.ts';
import { requestIdOf } from './ids.ts';
import { originOptions, show, UsageError, warn } from './run.ts';
import { duration, sortField, whole } from './usage.ts';

/** The options of every list. `fields`: those it can be sorted by. */
export const withListing = <T>(yargs: Argv<T>, fields: readonly string[]) =>
  yargs
    .option('search', { type: 'string', describe: 'Text to search for in all values' })
    .option('sort-by', { type: 'string', describe: 'Field, e.g. created_at', coerce: sortField(fields) })
    .option('sort-order', { choices: ['asc', 'desc'] as const, describe: 'Default desc' })
    .option('limit', { ...whole('--limit', 1, 10_000), describe: 'Number of rows; overrides --page-size' })
    .option('offset', { ...whole('--offset', 0, 1_000_000), describe: 'Rows to skip; overrides --page' })
    .option('page', { ...whole('--page', 1, 10_000), describe: 'From 1' })
    .option('page-size', { ...whole('--page-size', 1, 10_000), describe: 'Default 20' });

/** The option to wait for a version that a command has answered with. */
export const withExpectation = <T>(yargs: Argv<T>) =>
  yargs
    .option('expect-version', {
      type: 'string',
      describe: 'Wait until REQUEST:VERSION, as a command printed it, is seen',
    })
    .option('wait', {
      type: 'string',
      default: '5s',
      describe: 'How long to wait for it',
      coerce: duration('--wait', 60_000),
    });

interface ListingOptions extends CommonOptions {
  readonly search?: string | undefined;
  readonly sortBy?: string | undefined;
  readonly sortOrder?: 'asc' | 'desc' | undefined;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly page?: number | undefined;
  readonly pageSize?: number | undefined;
  readonly expectVersion?: string | undefined;
  /** ms */
  readonly wait?: number | undefined;
}

/** `7` of the request shown, `req-...:7` of any. */
export const expectationOf = async (
  service: ApplicationService,
  options: ListingOptions,
  shown = '',
): Promise<Expectation | undefined> => {
  const { expectVersion, wait = 5000 } = options;
  if (expectVersion === undefined) return undefined;
  const [version = '', written = shown] = expectVersion.split(':').reverse();
  if (!/^\d{1,6}$/.test(version) || written === '')
    throw new UsageError(`--expect-version must be ${shown === '' ? '' : 'VERSION or '}REQUEST:VERSION`);
  return { requestId: await requestIdOf(service, options, written), version: Number(version), wait };
};

export const listingOf = async (service: ApplicationService, options: ListingOptions) => ({
  query: options.search,
  sortBy: options.sortBy,
  sortOrder: options.sortOrder,
  limit: options.limit,
  offset: options.offset,
  page: options.page,
  pageSize: options.pageSize,
  expected: await expectationOf(service, options),
  ...originOptions(options),
});

/** A list as JSON, or as a table with the page's place below. */
export const showList = async <T extends object>(
  context: CliContext,
  options: CommonOptions,
  list: Paginated<T>,
  render: (items: readonly T[]) => string,
  records: Records<T & object>,
): Promise<void> => {
  const { items, total, page, total_pages: pages, warnings, _warning } = list;
  warn(context, [...warnings, ...(_warning === undefined ? [] : [_warning])]);
  if (!isForPeople(options) && options.json !== true && options.output !== 'yaml' && pages > 1)
    warn(context, [`this is page ${page} of ${pages}, ${total} in all: --limit shows more`]);
  await show(
    context,
    options,
    list,
    () => {
      if (items.length === 0 && total > 0)
        return `Page ${page} is empty: there ${pages === 1 ? 'is 1 page' : `are ${pages} pages`}, ${total} in all.`;
      return `${render(items)}${pages > 1 ? `\npage ${page} of ${pages}, ${total} in all` : ''}`;
    },
    records,
  );
};
