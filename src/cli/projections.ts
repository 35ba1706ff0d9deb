import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import { operations } from '../application/operations.ts';
import { projectionNames } from '../application/ports/read-model.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { requestIdOf } from './ids.ts';
import { progressBar } from './progress.ts';
import { originOptions, show, withService } from './run.ts';
import { table } from './table.ts';
import { verbMissing } from './usage.ts';

export const projectionCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'status',
        'Show how far each projection is, and the events it could not apply',
        (each) =>
          each
            .option('output', rowFormats)
            .option('request', { type: 'string', describe: 'Also show the version of this request in each' })
            .example('hf-aws projections status', 'BEHIND is what the next list will apply first'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { request } = options;
              const requestId = request === undefined ? undefined : await requestIdOf(service, options, request);
              const answer = await service.getProjections({ requestId, ...originOptions(options) });
              await show(
                context,
                options,
                answer,
                ({ items }) => {
                  const rows = items.map(({ name, streams, events, behind, failures, version }) => [
                    name,
                    ...[streams, events, behind, failures.length].map(String),
                    ...(version === undefined ? [] : [String(version)]),
                  ]);
                  const header = ['PROJECTION', 'REQUESTS', 'EVENTS', 'BEHIND', 'FAILED'];
                  const failed = items.flatMap(({ name, failures }) =>
                    failures.map(
                      ({ requestId: id, message, tries }) => `${name}: ${id}: ${message} (tried ${tries} times)`,
                    ),
                  );
                  return [table(requestId === undefined ? header : [...header, 'VERSION'], rows), ...failed].join('\n');
                },
                recordsOf(operations.GetProjections.answer.properties.items.items, answer.items, ({ name }) => name),
              );
              return 0;
            }),
          ),
      )
      .command(
        'rebuild [name]',
        'Rebuild one projection, or all of them, from the events',
        (each) =>
          each
            .positional('name', { choices: projectionNames, describe: 'The projection; default: all' })
            .example('hf-aws projections rebuild requests', 'after editing or restoring records by hand'),
        (options) => {
          const { tell, during } = progressBar(context, options, 'looks for requests');
          const act = async (service: ApplicationService): Promise<number> => {
            const answer = await during(service.rebuildProjection({ name: options.name, ...originOptions(options) }));
            await show(context, options, answer, ({ items }) =>
              items.map(({ name, streams, events }) => `${name}: ${events} events of ${streams} requests`).join('\n'),
            );
            return 0;
          };
          return done(withService(context, options, act, { progress: tell }));
        },
      )
      .strict()
      .demandCommand(1, verbMissing('projections', 'status', 'rebuild'));
