import type { Argv } from 'yargs';
import { PluginError } from '../domain/errors.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { reporting, show } from './run.ts';
import { table } from './table.ts';
import { verbMissing } from './usage.ts';

const fields = ['name', 'enabled', 'plugin', 'isOurs', 'confPath', 'workPath', 'logPath'];
const providerFields = { properties: Object.fromEntries(fields.map((name) => [name, {}])) };

export const providerCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List the registered providers; those of this installation can be named with --provider',
        (each) =>
          each.option('output', rowFormats).example('hf-aws providers list', 'then hf-aws doctor --provider <name>'),
        (options) =>
          done(
            reporting(context, options, async () => {
              const registered = await context.providers();
              if (registered === undefined)
                throw new PluginError('configuration.missing', 'set HF_TOP, under which providers are registered');
              await show(
                context,
                options,
                registered,
                ({ file, providers }) =>
                  [
                    file,
                    table(
                      ['PROVIDER', 'ENABLED', 'PLUG-IN', 'OURS', 'CONFIGURATION', 'STATE'],
                      providers.map(({ name, enabled, plugin, isOurs, confPath, workPath }) => [
                        name,
                        enabled ? 'yes' : 'no',
                        plugin,
                        isOurs ? 'yes' : 'no',
                        confPath,
                        workPath,
                      ]),
                    ),
                  ].join('\n'),
                recordsOf(providerFields, registered.providers, ({ name }) => name),
              );
              return 0;
            }),
          ),
      )
      .strict()
      .demandCommand(1, verbMissing('providers', 'list'));
