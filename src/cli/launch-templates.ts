import type { Argv } from 'yargs';
import type { CollectLaunchTemplatesAnswer } from '../application/commands/collect-launch-templates.ts';
import { operations } from '../application/operations.ts';
import { age, localTime } from '../domain/time-text.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { originOptions, show, withService } from './run.ts';
import { verbMissing } from './usage.ts';

const day = 24 * 3_600_000;

const templateColumns = (
  removed: readonly string[],
): readonly Column<CollectLaunchTemplatesAnswer['unused'][number]>[] => [
  ['LAUNCH TEMPLATE', ({ id }) => id, 'whole'],
  ['NAME', ({ name }) => name],
  ['AGE', ({ createdAt }) => age(Date.now() - Date.parse(createdAt))],
  ['MADE', ({ createdAt }) => localTime(Date.parse(createdAt)), 'wide'],
  ['STATE', ({ id }) => (removed.includes(id) ? 'removed' : 'unused')],
];

export const launchTemplateCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'gc',
        'Remove our launch templates that no request has used for a while; without --apply only list them',
        (each) =>
          each
            .option('output', rowFormats)
            .option('unused-for', { type: 'number', default: 30, describe: 'Days' })
            .option('apply', { type: 'boolean', default: false, describe: 'Remove them' })
            .check((given) => Number(given['unusedFor']) >= 0 || '--unused-for must be a number of days')
            .example('hf-aws launch-templates gc', 'what would go')
            .example('hf-aws launch-templates gc --unused-for 7 --apply', 'remove what a week did not need'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { unusedFor, apply } = options;
              const answer = await service.collectLaunchTemplates({
                unusedFor: unusedFor * day,
                apply,
                ...originOptions(options),
              });
              await show(
                context,
                options,
                answer,
                ({ unused, kept, removed }) =>
                  [
                    ...(unused.length === 0 ? [] : [columnTable(options, unused, templateColumns(removed), '')]),
                    `${unused.length} unused, ${removed.length} removed, ${kept} kept.`,
                    ...(apply || unused.length === 0 ? [] : ['Nothing was removed: add --apply.']),
                  ].join('\n'),
                recordsOf(
                  operations.CollectLaunchTemplates.answer.properties.unused.items,
                  answer.unused,
                  ({ id }) => id,
                ),
              );
              return apply && answer.removed.length < answer.unused.length ? 1 : 0;
            }),
          ),
      )
      .strict()
      .demandCommand(1, verbMissing('launch-templates', 'gc'));
