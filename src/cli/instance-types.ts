import type { Argv } from 'yargs';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { originOptions, show, withService } from './run.ts';

export const instanceTypeCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'refresh',
        'Ask EC2 what instance types the Region has: attributes that templates leave out are derived from them',
        (each) => each.example('hf-aws instance-types refresh', 'after AWS brought out new types'),
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
      .demandCommand(1, 'Say what to do with instance types: refresh');
