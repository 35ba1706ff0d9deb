import type { Argv } from 'yargs';
import { operations } from '../application/operations.ts';
import type { ConfigurationReport } from '../application/queries/get-configuration.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { originOptions, show, withService } from './run.ts';
import { verbMissing } from './usage.ts';

const textOf = (value: unknown): string => {
  if (value === null) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

type Setting = ConfigurationReport['values'][number];

const settingColumns: readonly Column<Setting>[] = [
  ['SETTING', ({ name }) => name, 'whole'],
  ['VALUE', ({ value }) => textOf(value)],
  ['ORIGIN', ({ origin }) => origin],
];

export const configCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'show',
        'Show every setting with its value and its source',
        (each) => each.option('output', rowFormats).example('hf-aws config show', 'what applies, and why'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const answer = await service.getConfiguration(originOptions(options));
              await show(
                context,
                options,
                answer,
                ({ values }) => columnTable(options, values, settingColumns, 'There are no settings.'),
                recordsOf(
                  operations.GetConfiguration.answer.properties.values.items,
                  answer.values,
                  ({ name }) => name,
                ),
              );
              return 0;
            }),
          ),
      )
      .command(
        'validate',
        'Check the provider configuration; exit 1 if it cannot be used',
        (each) => each.example('hf-aws config validate', 'before Host Factory reads it'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { file, warnings, errors } = await service.getConfiguration(originOptions(options));
              const answer = { file: file ?? null, isValid: errors.length === 0, warnings, errors };
              const verdict = errors.length === 0 ? 'can be used' : 'cannot be used as it is';
              await show(context, options, answer, () =>
                [
                  ...warnings.map((warning) => `warning: ${warning}`),
                  ...errors.map((error) => `error: ${error}`),
                  file === undefined ? 'There is no file; the defaults apply.' : `${file} ${verdict}`,
                ].join('\n'),
              );
              return errors.length === 0 ? 0 : 1;
            }),
          ),
      )
      .strict()
      .demandCommand(1, verbMissing('config', 'show', 'validate'));
