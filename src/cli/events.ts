import type { Argv } from 'yargs';
import { operations } from '../application/operations.ts';
import type { ListEventsAnswer } from '../application/queries/list-events.ts';
import { eventTypes } from '../application/read-model/event-types.ts';
import { age, localTime } from '../domain/time-text.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { requestIdOf, shortIds } from './ids.ts';
import { originOptions, show, warn, withService } from './run.ts';
import { duration, eventPlace, oneOf, whole } from './usage.ts';

type Listed = ListEventsAnswer['items'][number];

const eventColumns = (now: number, short: (id: string) => string): readonly Column<Listed>[] => [
  ['AGE', ({ at }) => age(now - Date.parse(at))],
  ['REQUEST', ({ requestId }) => short(requestId), 'whole'],
  ['EVENT', ({ type }) => type, 'whole'],
  ['WHAT', ({ text }) => text],
  ['BY', ({ userId = '', role = '' }) => (userId === '' ? role : userId), 'wide'],
  ['TIME', ({ at }) => localTime(Date.parse(at)), 'wide'],
  ['VERSION', ({ version }) => String(version), 'wide'],
  ['CORRELATION', ({ correlationId = '' }) => correlationId, 'wide'],
  ['POSITION', ({ position }) => position, 'wide'],
];

const eventTable = (options: CommonOptions, { items, next }: ListEventsAnswer): string => {
  const short = options.wide === true ? String : shortIds(items.map(({ requestId }) => requestId));
  const rows = columnTable(options, items, eventColumns(Date.now(), short), 'No event found.');
  return next === undefined ? rows : `${rows}\nmore: --from ${next}`;
};

export const eventCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List events in order of time: of one request, or of all that are not archived',
        (each) =>
          each
            .option('output', rowFormats)
            .option('request', { type: 'string', describe: 'Only events of this request, even if archived' })
            .option('from', {
              type: 'string',
              describe: 'Only events after this position or time, e.g. 2026-11-28T09:30',
              coerce: eventPlace,
            })
            .option('since', {
              type: 'string',
              describe: 'Only events of this long until now, e.g. 1h',
              coerce: duration('--since'),
            })
            .conflicts('from', 'since')
            .option('limit', { ...whole('--limit', 1, 10_000), default: 100, describe: 'Most events' })
            .option('type', {
              type: 'string',
              describe: 'Only events of this type, e.g. CapacityRefused',
              coerce: oneOf('--type', eventTypes),
            })
            .example('hf-aws events list --type CapacityRefused --since 1h', 'every refusal, with AWS’s words'),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { request, since, limit, type: eventType } = options;
              const requestId = request === undefined ? undefined : await requestIdOf(service, options, request);
              const from = since === undefined ? options.from : String(Math.max(0, Date.now() - since));
              const answer = await service.listEvents({ requestId, from, limit, eventType, ...originOptions(options) });
              warn(context, answer.warnings);
              const { properties } = operations.ListEvents.answer;
              await show(
                context,
                options,
                answer,
                (list) => eventTable(options, list),
                recordsOf(properties.items.items, answer.items, ({ position }) => position),
              );
              return 0;
            }),
          ),
      )
      .strict()
      .demandCommand(1, 'Name a command for events: list');
