import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import type { Expectation } from '../application/ports/read-model.ts';
import type { Paginated } from '../application/read-model/listing.ts';
import type { CommonOptions } from './context.ts';
import { requestIdOf } from './ids.ts';
import { UsageError } from './run.ts';
import { duration } from './usage.ts';

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

interface ExpectationOptions extends CommonOptions {
  readonly expectVersion?: string | undefined;
  /** ms */
  readonly wait?: number | undefined;
}

/** `7` of the request shown, `req-...:7` of any. */
export const expectationOf = async (
  service: ApplicationService,
  options: ExpectationOptions,
  shown = '',
): Promise<Expectation | undefined> => {
  const { expectVersion, wait = 5000 } = options;
  if (expectVersion === undefined) return undefined;
  const [version = '', written = shown] = expectVersion.split(':').reverse();
  if (!/^\d{1,6}$/.test(version) || written === '')
    throw new UsageError(`--expect-version must be ${shown === '' ? '' : 'VERSION or '}REQUEST:VERSION`);
  return { requestId: await requestIdOf(service, options, written), version: Number(version), wait };
};

export const isPage = (answer: unknown): answer is Paginated<unknown> =>
  typeof answer === 'object' && answer !== null && 'total_pages' in answer;

/** An answer in words, of a page of a list with its place below. */
export const pageText = (answer: unknown, text: string): string => {
  if (!isPage(answer)) return text;
  const { items, total, page, total_pages: pages } = answer;
  if (items.length === 0 && total > 0)
    return `Page ${page} is empty: there ${pages === 1 ? 'is 1 page' : `are ${pages} pages`}, ${total} in all.`;
  return `${text}${pages > 1 ? `\npage ${page} of ${pages}, ${total} in all` : ''}`;
};
