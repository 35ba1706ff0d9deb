import { hasCode, messageOf, PluginError } from '../../domain/errors.ts';
import { closed, listOf, named, open } from '../bus/json-schema.ts';
import { type AnswerOf, defineOperation, type HandlerOf } from '../bus/operation.ts';
import { number, positive, requestId, text, texts, time, words } from '../bus/shapes.ts';
import type { ReadModel } from '../ports/read-model.ts';
import type { RecordedEvent, StreamReader } from '../ports/streams.ts';
import { isoTime, withIsoTimes } from '../read-model/iso-times.ts';
import { withoutUserData } from '../user-data.ts';
import { eventText } from './explain.ts';

const event = named(
  'Event',
  open(
    {
      position: { ...words, description: 'Unique and in order of time; pass it on to get what follows' },
      requestId: words,
      version: { ...number, description: 'Place within its request, from 0' },
      type: { ...words, description: 'e.g. RequestCreated; other fields depend on it' },
      at: time,
      text: { ...words, description: 'What happened, for people' },
      correlationId: words,
      commandId: words,
      userId: words,
      role: words,
    },
    ['correlationId', 'commandId', 'userId', 'role'],
  ),
);

export const listEvents = defineOperation({
  name: 'ListEvents',
  bus: 'query',
  role: 'viewer',
  title: 'List what happened, in order of time',
  input: {
    requestId,
    eventType: text,
    from: { type: 'string', maxLength: 80, description: 'Only events after this position or time' },
    limit: positive,
  },
  answer: named(
    'EventPage',
    closed(
      {
        items: listOf(event),
        next: { ...words, description: 'The position to continue from; absent at the end' },
        warnings: texts,
      },
      ['next'],
    ),
  ),
});

export type ListEventsAnswer = AnswerOf<typeof listEvents>;

/** An event with its place among all events. */
type PlacedEvent = RecordedEvent & {
  readonly requestId: string;
  /** Place within its request, from 0. */
  readonly version: number;
};

export interface ListEventsPorts {
  readonly streams: StreamReader;
  readonly readModel: Pick<ReadModel, 'read'>;
}

type Place = Pick<PlacedEvent, 'at' | 'requestId' | 'version'>;

const positionForm = /^(\d{1,15})(?:-(re[qt]-[0-9a-f-]{36})-(\d{1,9}))?$/;

/** ISO 8601, with its zone. */
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

const placeOf = (position: string): Place => {
  const [, at, requestId = 'req-', version = '-1'] = positionForm.exec(position) ?? [];
  if (at === undefined && timeForm.test(position)) return { ...placeOf('0'), at: Date.parse(position) };
  if (at === undefined)
    throw new PluginError('input.invalid', `"${position}" is not a position that events list has shown`);
  return { at: Number(at), requestId, version: Number(version) };
};

const compare = (a: Place, b: Place): number => {
  if (a.at !== b.at) return a.at - b.at;
  return a.requestId === b.requestId ? a.version - b.version : a.requestId < b.requestId ? -1 : 1;
};

interface Span {
  readonly requestId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const isSpan = (value: unknown): value is Span =>
  typeof value === 'object' && value !== null && 'requestId' in value && 'createdAt' in value && 'updatedAt' in value;

const spans = async ({ readModel }: ListEventsPorts, requestId: string | undefined) => {
  if (requestId !== undefined) return { known: [{ requestId, createdAt: 0, updatedAt: Infinity }], warnings: [] };
  const { rows, warnings } = await readModel.read('requests');
  const known = rows.map((row): unknown => JSON.parse(row)).filter(isSpan);
  return { known: known.sort((a, b) => a.createdAt - b.createdAt), warnings };
};

/**
 * List what happened, in order of time: of one request, archived or not, or of all that are not archived. Reads only the streams
 * that can have events in the range asked for.
 */
export const listEventsHandler =
  (ports: ListEventsPorts): HandlerOf<typeof listEvents> =>
  async ({ requestId, eventType, from = '0', limit = 100 }) => {
    const after = placeOf(from);
    const { known, warnings: troubles } = await spans(ports, requestId);
    const warnings = [...troubles];
    let found: readonly PlacedEvent[] = [];
    for (const { requestId: id, createdAt } of known.filter(({ updatedAt }) => updatedAt >= after.at)) {
      // Streams come by their first event: once enough events are older than that, none that follow can be among them.
      if ((found[limit]?.at ?? Infinity) < createdAt) break;
      const events = await eventsOf(ports.streams, id, warnings);
      const fitting = events.filter((event) => compare(event, after) > 0 && (eventType ?? event.type) === event.type);
      found = [...found, ...fitting].sort(compare).slice(0, limit + 1);
    }
    const items = found.slice(0, limit).map(eventRow);
    const last = items.at(-1);
    return { items, ...(found.length > limit && last !== undefined ? { next: last.position } : {}), warnings };
  };

const shown = (event: PlacedEvent): PlacedEvent =>
  event.type === 'LaunchIntended'
    ? { ...event, launch: { ...event.launch, call: withoutUserData(event.launch.call) } }
    : event;

/** The position is `<ms since the epoch>-<request>-<version>`: unique, and in the order of time. */
const eventRow = (event: PlacedEvent): ListEventsAnswer['items'][number] => {
  const { at, requestId, version, type } = event;
  const position = `${at}-${requestId}-${version}`;
  return { position, requestId, version, ...withIsoTimes(shown(event)), type, at: isoTime(at), text: eventText(event) };
};

const eventsOf = async (
  streams: StreamReader,
  requestId: string,
  warnings: string[],
): Promise<readonly PlacedEvent[]> => {
  try {
    const { events } = await streams.load(requestId);
    return events.map((event, version) => ({ requestId, version, ...event }));
  } catch (error) {
    if (!hasCode(error, 'storage.unreadable')) throw error;
    warnings.push(messageOf(error));
    return [];
  }
};
