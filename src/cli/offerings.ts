import type { Argv } from 'yargs';
import { operations } from '../application/operations.ts';
import type { ListOfferingsAnswer } from '../application/queries/list-offerings.ts';
import { localTime } from '../domain/time-text.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { originOptions, show, withService } from './run.ts';
import { verbMissing } from './usage.ts';

const minutesLeft = (expiresAt: string): string =>
  `${Math.max(1, Math.ceil((Date.parse(expiresAt) - Date.now()) / 60_000))} min`;

const offeringColumns: readonly Column<ListOfferingsAnswer['refused'][number]>[] = [
  ['MARKET', ({ market }) => market],
  ['TYPE', ({ instanceType = 'all' }) => instanceType],
  ['SUBNET', ({ subnetId = 'all' }) => subnetId],
  ['CODE', ({ code }) => code],
  ['FOR', ({ expiresAt }) => minutesLeft(expiresAt)],
  ['UNTIL', ({ expiresAt }) => localTime(Date.parse(expiresAt)), 'wide'],
];

export const offeringCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List offerings that EC2 refused recently, and templates whose machines all failed; launches avoid both',
        (each) =>
          each.option('output', rowFormats).example('hf-aws offerings list', 'why another subnet or type is chosen'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const answer = await service.listOfferings(originOptions(options));
              await show(
                context,
                options,
                answer,
                ({ refused, templates }) =>
                  [
                    columnTable(options, refused, offeringColumns, 'EC2 has refused nothing recently.'),
                    ...templates.map(
                      (each) =>
                        `${each.templateId}: ${each.failures} machines in a row died or never became usable${each.isProtected ? '; it launches nothing' : ''}`,
                    ),
                  ].join('\n'),
                recordsOf(
                  operations.ListOfferings.answer.properties.refused.items,
                  answer.refused,
                  ({ instanceType = '' }) => instanceType,
                ),
              );
              return 0;
            }),
          ),
      )
      .command(
        'clear',
        'Forget them, so that the next request tries again',
        (each) =>
          each
            .option('type', { type: 'string', describe: 'Only offerings of this instance type' })
            .option('template', { type: 'string', describe: 'Only the failures of this template' })
            .conflicts('type', 'template')
            .example('hf-aws offerings clear', 'forget all')
            .example(
              'hf-aws offerings clear --template od-m5-large',
              'let a template launch again once its cause is fixed',
            ),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { type, template } = options;
              const answer = await service.clearOfferings({
                ...(type === undefined ? {} : { instanceType: type }),
                ...(template === undefined ? {} : { templateId: template }),
                ...originOptions(options),
              });
              await show(
                context,
                options,
                answer,
                ({ offerings, templates }) =>
                  `Forgotten: ${offerings} refused offering${offerings === 1 ? '' : 's'}, the failures of ${templates.length} template${templates.length === 1 ? '' : 's'}.`,
              );
              return 0;
            }),
          ),
      )
      .strict()
      .demandCommand(1, verbMissing('offerings', 'list', 'clear'));
