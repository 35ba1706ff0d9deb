import { hasCode, isPluginError, messageOf, type PluginError } from '../../domain/errors.ts';
import { eachStream } from '../life-cycle/streams.ts';
import type { Clock } from '../ports/policy.ts';
import type { ProjectedStream, ProjectionFailure, ProjectionStore, StoredProjection } from '../ports/read-model.ts';
import { grainOf, type RecordedEvent, type Stream, type StreamReader } from '../ports/streams.ts';
import type { Logger, Progress } from '../ports/telemetry.ts';
import type { Projection } from './projection.ts';

export interface ProjectorPorts {
  readonly streams: StreamReader;
  readonly store: ProjectionStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly progress?: Progress | undefined;
}

/** What a look at the store found new; `stamp` is the stream's at that time. */
export type News = ReadonlyMap<string, number>;

/** Stamps no stream has: to be read again; set aside and final. */
export const [unsettled, setAside] = [0, -1];
/** An event that cannot be applied is skipped for good after so many tries. */
const mostTries = 3;

interface Reading {
  readonly requestId: string;
  readonly stream: ProjectedStream;
  readonly failures: readonly ProjectionFailure[];
}

/** Applies a stream's events one by one; what cannot be applied, or shown once all are, is noted and left out. */
const fold = <S>(projection: Projection<S>, requestId: string, events: readonly RecordedEvent[]) => {
  const failures: Omit<ProjectionFailure, 'tries'>[] = [];
  const attempt = <A>(version: number, otherwise: A, work: () => A): A => {
    try {
      return work();
    } catch (error) {
      const type = events[version]?.type ?? '';
      failures.push({ requestId, version, type, message: messageOf(error) });
      return otherwise;
    }
  };
  const state = events.reduce(
    (before, event, version) =>
      projection.handles(event.type) ? attempt(version, before, () => projection.apply(before, event)) : before,
    projection.clear(requestId),
  );
  const applied = {
    requestId,
    state,
    version: events.length,
    first: events[0],
    latestAt: Math.max(0, ...events.map(({ at }) => at)),
  };
  const rows = events.length === 0 ? [] : attempt(events.length - 1, [], () => projection.rows(applied));
  return { rows: rows.map((row) => JSON.stringify(row)), failures };
};

const nextTry = ({ failures }: StoredProjection, requestId: string): number => {
  const earlier = failures.filter((failure) => failure.requestId === requestId).map(({ tries }) => tries);
  return Math.min(mostTries, 1 + Math.max(0, ...earlier));
};

const readOne = <S>(projection: Projection<S>, { clock, log }: ProjectorPorts, before: StoredProjection) => {
  // Before anything is read: what is appended from now on shows in its stamp, unless that is as young.
  const begun = clock();
  return (requestId: string, stamp: number, read: Stream | PluginError): Reading => {
    const tries = nextTry(before, requestId);
    if (hasCode(read, 'storage.unreadable')) {
      const known = before.streams.get(requestId) ?? { version: 0, since: 0, rows: [] };
      const failure = { requestId, message: read.message, tries };
      return { requestId, stream: { ...known, stamp: unsettled }, failures: [failure] };
    }
    if (isPluginError(read)) throw read;
    const { version, events } = read;
    const { rows, failures } = fold(projection, requestId, events);
    const again = failures.length > 0 && tries < mostTries;
    if (again) complain(log, projection.name, failures);
    const settled = !again && begun - stamp > grainOf(stamp);
    const stream = { stamp: settled ? stamp : unsettled, version, since: events[0]?.at ?? 0, rows };
    return { requestId, stream, failures: failures.map((failure) => ({ ...failure, tries })) };
  };
};

const complain = (log: Logger, name: string, failures: readonly Omit<ProjectionFailure, 'tries'>[]): void => {
  for (const { message, type, requestId } of failures) {
    log.error('projection.failed', `${name}: ${type}: ${message}`, { requestId });
  }
};

/** Takes the news in, newest request first. */
export const applyNews = async <S>(
  projection: Projection<S>,
  ports: ProjectorPorts,
  before: StoredProjection,
  news: News,
  gone: readonly string[],
): Promise<StoredProjection> => {
  const readings: Reading[] = [];
  const take = readOne(projection, ports, before);
  for await (const [requestId, stream] of eachStream(ports.streams, news.keys())) {
    readings.push(take(requestId, news.get(requestId) ?? unsettled, stream));
    ports.progress?.(`${projection.name}: requests`, readings.length, news.size);
  }
  const known = readings.filter(({ requestId }) => before.streams.has(requestId));
  const fresh = readings.filter(({ requestId }) => !before.streams.has(requestId)).sort(newestFirst);
  const streams = new Map([...fresh.map(({ requestId, stream }) => [requestId, stream] as const), ...before.streams]);
  for (const { requestId, stream } of known) streams.set(requestId, stream);
  for (const requestId of gone) streams.delete(requestId);
  const kept = before.failures.filter(({ requestId }) => !news.has(requestId) && streams.has(requestId));
  // Nearly always the new ones are the newest: then nothing has to be sorted.
  const [newestKnown] = before.streams.values();
  const isInOrder = newestKnown === undefined || (fresh.at(-1)?.stream.since ?? Infinity) > newestKnown.since;
  // One that could not be read before had no place.
  const hasMoved = known.some(({ requestId, stream }) => before.streams.get(requestId)?.since !== stream.since);
  const ordered = isInOrder && !hasMoved ? streams : inOrder(streams);
  return {
    streams: ordered,
    rows: [...ordered.values()].flatMap(({ rows }) => rows),
    failures: [...kept, ...readings.flatMap(({ failures }) => failures)],
  };
};

type Placed = Pick<Reading, 'requestId' | 'stream'>;

const newestFirst = (a: Placed, b: Placed): number =>
  b.stream.since - a.stream.since || (a.requestId < b.requestId ? -1 : 1);

const inOrder = (streams: StoredProjection['streams']): StoredProjection['streams'] =>
  new Map(
    [...streams]
      .map(([requestId, stream]) => ({ requestId, stream }))
      .sort(newestFirst)
      .map(({ requestId, stream }) => [requestId, stream]),
  );

/** Whether keeping it would make any difference to the next call. */
export const differ = (a: StoredProjection, b: StoredProjection, news: News): boolean =>
  a.position !== b.position ||
  a.streams.size !== b.streams.size ||
  JSON.stringify(a.failures) !== JSON.stringify(b.failures) ||
  [...news.keys()].some((id) => JSON.stringify(a.streams.get(id)) !== JSON.stringify(b.streams.get(id)));
