import type { Argv } from 'yargs';
import { type CommonOptions, type Door, originOptions, show, table, warn, withService } from './door.ts';

type Done = (code: Promise<number>) => Promise<void>;

export const eventCommands =
  (door: Door, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List events in the order of time: of one request, or of all that are not archived',
        (each) =>
          each
            .option('request', { type: 'string', describe: 'Only of this request, also when it is archived' })
            .option('from', { type: 'string', describe: 'Only what comes after this position, or time in ms' })
            .option('limit', { type: 'number', default: 100 })
            .option('type', { type: 'string', describe: 'Only of this type, e.g. CapacityRefused' })
            .example('hf-aws events list --type CapacityRefused --json', 'every refusal, with AWS’s words'),
        (options) =>
          done(
            withService(door, options, async (service) => {
              const { request: requestId, from, limit, type: eventType } = options;
              const answer = await service.listEvents({ requestId, from, limit, eventType, ...originOptions(options) });
              warn(door, answer.warnings);
              show(door, options, answer, ({ items, next }) => {
                const rows = items.map(
                  ({ at, requestId: id, version, type, userId = '', role = '', correlationId = '' }) => [
                    new Date(at).toISOString(),
                    id,
                    String(version),
                    type,
                    userId === '' ? role : userId,
                    correlationId,
                  ],
                );
                const more = next === undefined ? '' : `\nmore: --from ${next}`;
                return `${table(['TIME', 'REQUEST', 'VERSION', 'EVENT', 'BY', 'CORRELATION'], rows)}${more}`;
              });
              return 0;
            }),
          ),
      )
      .strict()
      .demandCommand(1, 'Say what to do with events: list');
