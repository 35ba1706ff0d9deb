import type { ApplicationService } from '../application/bus/application-service.ts';
import { operations } from '../application/operations.ts';
import type { ListEventsAnswer } from '../application/queries/list-events.ts';
import { eventTypes } from '../application/read-model/event-types.ts';
import { ageOf, type Column, columnTable, timeOf } from './columns.ts';
import { command, noun } from './command.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { requestIdOf, shortIds } from './ids.ts';
import { originOptions, show, UsageError, warn, withService } from './run.ts';
import { fold } from './table.ts';
import { beginning, eventPlace, followOptions, oneOf, whole } from './usage.ts';

type Listed = ListEventsAnswer['items'][number];

const eventColumns = (short: (id: string) => string): readonly Column<Listed>[] => [
  ['AGE', ({ at }) => ageOf(at)],
  ['REQUEST', ({ requestId }) => short(requestId), 'whole'],
  ['EVENT', ({ type }) => type, 'whole'],
  ['WHAT', ({ text }) => text],
  ['BY', ({ userId = '', role = '' }) => (userId === '' ? role : userId), 'wide'],
  ['TIME', ({ at }) => timeOf(at), 'wide'],
  ['VERSION', ({ version }) => String(version), 'wide'],
  ['CORRELATION', ({ correlationId = '' }) => correlationId, 'wide'],
  ['POSITION', ({ position }) => position, 'wide'],
];

const eventTable = (options: CommonOptions, { items, next }: ListEventsAnswer): string => {
  const short = shortIds(
    items.map(({ requestId }) => requestId),
    options,
  );
  const rows = columnTable(options, items, eventColumns(short), 'No event found.');
  return next === undefined ? rows : `${rows}\nmore: --from ${next}`;
};

type Asked = NonNullable<Parameters<ApplicationService['listEvents']>[0]>;

const most = 10_000;

/** One page; of a code of AWS as many pages as it takes. */
const pageOf = async (
  service: ApplicationService,
  asked: Asked,
  code: string | undefined,
): Promise<ListEventsAnswer> => {
  if (code === undefined) return service.listEvents(asked);
  const { limit = most } = asked;
  const found: Listed[] = [];
  for (let { from } = asked; ; ) {
    const page = await service.listEvents({ ...asked, from, limit: most });
    found.push(...page.items.filter((event) => 'code' in event && event.code === code));
    const next = found.length > limit ? found[limit - 1]?.position : page.next;
    if (next === undefined || found.length >= limit) return { ...page, items: found.slice(0, limit) };
    from = next;
  }
};

/** By so much the clocks of hosts differ at most, ms. */
const overlap = 10_000;

/** Columns before the text of an event that is followed. */
const indent = 40;

const lineText = (options: CommonOptions, event: Listed): string => {
  const { at, requestId, type, text } = event;
  if (options.output === 'json') return JSON.stringify(event);
  if (options.output === 'name') return event.position;
  const time = timeOf(at);
  if (options.wide === true) return `${time}  ${requestId}  ${type}  ${text}`;
  const id = requestId.slice('req-'.length, 'req-'.length + 8);
  return fold(`${time.slice('2026-11-28 '.length, 19)}  ${id}  ${type.padEnd(18)}  ${text}`, indent);
};

/** Tells each event and each warning once. */
const teller = (context: CliContext, options: CommonOptions) => {
  const told = new Map<string, number>();
  const warned = new Set<string>();
  return {
    tell: ({ items, warnings }: ListEventsAnswer): void => {
      warn(
        context,
        warnings.filter((warning) => !warned.has(warning)),
      );
      for (const warning of warnings) warned.add(warning);
      for (const event of items) {
        if (!told.has(event.position)) context.print(lineText(options, event));
        told.set(event.position, Date.parse(event.at));
      }
    },
    /** Where to look again, not before `least`: an event may come after a later one was told. */
    again: (least: number): number => {
      const since = Math.max(least, Math.max(0, ...told.values()) - overlap);
      for (const [position, at] of told) if (at < since) told.delete(position);
      return since;
    },
  };
};

/** Goes on until somebody ends the process. */
const follow = async (
  context: CliContext,
  options: CommonOptions & { readonly interval: number; readonly code?: string | undefined },
  service: ApplicationService,
  asked: Asked,
): Promise<never> => {
  const { tell, again } = teller(context, options);
  const start = asked.from ?? String(Date.now());
  for (let from = start; ; ) {
    const page = await pageOf(service, { ...asked, from, limit: most }, options.code);
    tell(page);
    if (page.next === undefined) {
      from = String(again(Number.parseInt(start, 10) + 1));
      await context.pause(options.interval * 1000);
    } else from = page.next;
  }
};

export const events = noun('events', 'Events, as they happened', [
  command(
    'list',
    'List events in order of time: of one request, or of all that are not archived',
    (yargs) =>
      followOptions(yargs)
        .option('output', rowFormats)
        .option('request', { type: 'string', describe: 'Only events of this request, even if archived' })
        .option('from', {
          type: 'string',
          describe: 'Only events after this position or time, e.g. 2026-11-28T09:30',
          coerce: eventPlace,
        })
        .option('since', {
          type: 'string',
          describe: 'Only events since then, e.g. 2h or 2026-11-28T10:00Z',
          coerce: beginning('--since'),
        })
        .conflicts('from', 'since')
        .option('limit', { ...whole('--limit', 1, 10_000), default: 100, describe: 'Most events, unless followed' })
        .option('type', {
          type: 'string',
          describe: 'Only events of this type, e.g. CapacityRefused',
          coerce: oneOf('--type', eventTypes),
        })
        .option('code', { type: 'string', describe: 'Only refusals with this AWS error code' })
        .example('hf-aws events list --type CapacityRefused --since 1h', 'every refusal, with AWS’s words')
        .example('hf-aws events list --follow -o json', 'a JSON object for each event, as they come'),
    async (context, options) => {
      if (options.follow && (options.output === 'yaml' || options.output === 'csv'))
        throw new UsageError(`--follow has no form ${options.output}: -o json gives a JSON object for each event`);
      return withService(context, options, async (service) => {
        const { request, since, limit, type: eventType, code } = options;
        const requestId = request === undefined ? undefined : await requestIdOf(service, options, request);
        const from = since === undefined ? options.from : String(since);
        const asked = { requestId, from, limit, eventType, ...originOptions(options) };
        if (options.follow) return follow(context, options, service, asked);
        const answer = await pageOf(service, asked, code);
        warn(context, answer.warnings);
        await show(
          context,
          options,
          answer,
          (list) => eventTable(options, list),
          recordsOf(operations.ListEvents.answer.properties.items.items, answer.items, ({ position }) => position),
        );
        return 0;
      });
    },
  ),
]);
