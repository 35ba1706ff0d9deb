import type { Argv } from 'yargs';
import { operations } from '../application/operations.ts';
import type { PriceRow } from '../application/queries/list-prices.ts';
import { localTime } from '../domain/time-text.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { originOptions, show, withService } from './run.ts';
import { verbMissing } from './usage.ts';

const priceColumns: readonly Column<PriceRow>[] = [
  ['TEMPLATE', ({ templateId }) => templateId],
  ['PRICE TYPE', ({ priceType }) => priceType],
  ['USD PER HOUR AND UNIT', ({ price }) => (price === undefined ? 'not known' : String(Number(price.toFixed(4))))],
  ['RANK', ({ told }) => told.rank ?? '-'],
  ['PRICEINFO', ({ told }) => told.priceInfo ?? '-'],
];

const asOf = (refreshedAt: string | undefined): string =>
  refreshedAt === undefined
    ? 'AWS was never asked for prices: hf-aws prices refresh'
    : `AWS was asked at ${localTime(Date.parse(refreshedAt))}.`;

export const priceCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List what a unit of each template costs, and what Host Factory is told of it',
        (each) => each.option('output', rowFormats).example('hf-aws prices list', 'which template is the cheapest'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const answer = await service.listPrices(originOptions(options));
              await show(
                context,
                options,
                answer,
                ({ templates, refreshedAt }) =>
                  [columnTable(options, templates, priceColumns, 'No template is served.'), asOf(refreshedAt)].join(
                    '\n',
                  ),
                recordsOf(
                  operations.ListPrices.answer.properties.templates.items,
                  answer.templates,
                  ({ templateId }) => templateId,
                ),
              );
              return 0;
            }),
          ),
      )
      .command(
        'refresh',
        'Ask AWS for the prices of the types in the templates: spot price history and Price List',
        (each) => each.example('hf-aws prices refresh', 'a server does it once an hour where templates use prices'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const answer = await service.refreshPrices(originOptions(options));
              await show(context, options, answer, ({ onDemand, spot, warnings }) =>
                [
                  `Prices of ${onDemand} instance types on demand and of ${spot} for spot were found.`,
                  ...warnings.map((warning) => `warning: ${warning}`),
                ].join('\n'),
              );
              return 0;
            }),
          ),
      )
      .strict()
      .demandCommand(1, verbMissing('prices', 'list', 'refresh'));
