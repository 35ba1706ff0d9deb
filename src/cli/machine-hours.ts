import type { Argv } from 'yargs';
import { type GetUsageAnswer, type UsageRow, usageKeys } from '../application/queries/get-usage.ts';
import { localTime } from '../domain/time-text.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { type CsvColumn, rowFormats } from './formats.ts';
import { originOptions, show, warn, withService } from './run.ts';
import { duration, eventPlace } from './usage.ts';

export const usageOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('output', rowFormats)
    .option('since', {
      type: 'string',
      describe: 'This long until now, e.g. 7d; default 30d',
      coerce: duration('--since'),
    })
    .option('from', { type: 'string', describe: 'From this time on, e.g. 2026-11-01', coerce: eventPlace })
    .conflicts('from', 'since')
    .option('by', { choices: usageKeys, default: 'template' as const, describe: 'What each row is for' })
    .option('csv', { type: 'boolean', default: false, describe: 'The same as -o csv' })
    .example('hf-aws usage --since 7d --by day', 'machine hours and cost, day by day')
    .example('hf-aws usage --by market -o csv > usage.csv', 'for the accountants');

const amount = (value: number | undefined, digits: number): string =>
  value === undefined ? '-' : value.toFixed(digits);

const percent = (part = 0, whole = 0): string => (whole === 0 ? '-' : `${Math.round((100 * part) / whole)} %`);
const share = ({ hours, spotHours }: UsageRow): string => percent(spotHours, hours);
const launchShare = ({ cost, launchPricedCost }: UsageRow): string => percent(launchPricedCost, cost);

const columnsBy = (by: string): readonly Column<UsageRow>[] => [
  [by.toUpperCase(), ({ key }) => key, 'whole'],
  ['MACHINES', ({ machines }) => String(machines)],
  ['HOURS', ({ hours }) => amount(hours, 1)],
  ['SPOT', share],
  ['INTERRUPTED', ({ interruptions }) => String(interruptions)],
  ['COST(USD)', ({ cost }) => amount(cost, 2)],
  ['SAVED(USD)', ({ savings }) => amount(savings, 2)],
  ['UNPRICED(H)', ({ unpricedHours }) => amount(unpricedHours, 1), 'wide'],
  ['AT LAUNCH PRICES', launchShare, 'wide'],
];

const latestPrices = (pricesOf: string | undefined): string =>
  pricesOf === undefined
    ? 'the prices that came with the program (hf-aws prices refresh asks AWS)'
    : `the latest prices known (AWS was last asked at ${localTime(Date.parse(pricesOf))})`;

/** What the cost goes by. A machine's price is that known at its launch, where it is. */
const priceBasis = ({ pricesOf, total: { cost = 0, launchPricedCost = 0 } }: GetUsageAnswer): string => {
  if (cost === 0) return latestPrices(pricesOf);
  if (launchPricedCost === cost) return 'the prices known at launch';
  if (launchPricedCost === 0) return `${latestPrices(pricesOf)}, not those of the launches`;
  return `the prices known at launch for ${percent(launchPricedCost, cost)} of it, for the rest by ${latestPrices(pricesOf)}`;
};

/** What lies under the table. */
export const basis = (answer: GetUsageAnswer): string => {
  const { from, total } = answer;
  const unpriced =
    total.unpricedHours === 0 ? [] : [`It leaves out ${amount(total.unpricedHours, 1)} hours without a known price.`];
  return [`From ${localTime(Date.parse(from))}; cost by ${priceBasis(answer)}.`, ...unpriced].join('\n');
};

const csvColumns = (by: string): readonly CsvColumn<UsageRow>[] => [
  [by, ({ key }) => key],
  ['machines', ({ machines }) => machines],
  ['hours', ({ hours }) => hours],
  ['spot_hours', ({ spotHours }) => spotHours],
  ['interruptions', ({ interruptions }) => interruptions],
  ['cost_usd', ({ cost }) => cost],
  ['savings_usd', ({ savings }) => savings],
  ['unpriced_hours', ({ unpricedHours }) => unpricedHours],
  ['launch_priced_cost_usd', ({ launchPricedCost }) => launchPricedCost],
];

interface UsageOptions extends CommonOptions {
  /** ms */
  readonly since?: number | undefined;
  readonly from?: string | undefined;
  readonly by: (typeof usageKeys)[number];
  readonly csv: boolean;
}

/** Machine hours, spot share, interruptions and cost of what is on record. */
export const runUsage = (context: CliContext, options: UsageOptions): Promise<number> =>
  withService(context, options, async (service) => {
    const { since, from: written, by, csv } = options;
    const ms = since === undefined ? written : Date.now() - since;
    const from = ms === undefined ? undefined : new Date(Number(ms)).toISOString();
    const answer = await service.getUsage({ by, from, ...originOptions(options) });
    warn(context, answer.warnings);
    const output = csv ? ('csv' as const) : options.output;
    const records = { rows: answer.items, columns: csvColumns(by), id: ({ key }: UsageRow) => key };
    await show(
      context,
      { ...options, output },
      answer,
      () => {
        const rows = answer.items.length > 1 ? [...answer.items, answer.total] : answer.items;
        return [columnTable(options, rows, columnsBy(by), 'No machine ran.'), basis(answer)].join('\n');
      },
      records,
    );
    return 0;
  });
