import type { Argv } from 'yargs';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { originOptions, show, withService } from './run.ts';
import { verbMissing } from './usage.ts';

export const instanceTypeCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'refresh',
        'Ask EC2 for the Region’s instance types, from which missing attributes of templates are derived',
        (each) => each.example('hf-aws instance-types refresh', 'after AWS has released new types'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const answer = await service.refreshInstanceTypes(originOptions(options));
              await show(context, options, answer, ({ known, added }) =>
                [`${known} instance types are known, ${added.length} of them new.`, ...added].join('\n'),
              );
              return 0;
            }),
          ),
      )
      .strict()
      .demandCommand(1, verbMissing('instance-types', 'refresh'));
