import { hasCode, type PluginError } from '../../domain/errors.ts';
import type { RequestCommand } from '../../domain/request/commands.ts';
import { decideRequest } from '../../domain/request/decide.ts';
import { absentRequest, evolveRequest, type Request } from '../../domain/request/state.ts';
import { decideReturn, type ReturnCommand } from '../../domain/return/decide.ts';
import { absentReturn, evolveReturn, type ReturnRequest } from '../../domain/return/state.ts';
import type { Origin } from '../bus/origin.ts';
import type { Holding, RequestStreams, Stream, StreamEvent, StreamReader } from '../ports/streams.ts';
import { holdingOf } from './holding.ts';

/**
 * Stored events are trusted to belong to the kind of stream their id names: the store checks the id's form, and only the
 * functions below write.
 */
const requestEvents = ({ events }: Stream) => events.filter(isRequestEvent);
const returnEvents = ({ events }: Stream) => events.filter(isReturnEvent);

const returnTypes = { ReturnRequested: true, ReturnProgressed: true, ReturnCompleted: true } as const;
type ReturnEvent = Extract<StreamEvent, { type: keyof typeof returnTypes }>;
export const isReturnEvent = (event: StreamEvent): event is ReturnEvent => Object.hasOwn(returnTypes, event.type);
export const isRequestEvent = (event: StreamEvent): event is Exclude<StreamEvent, ReturnEvent> => !isReturnEvent(event);

export const foldRequest = (stream: Stream): Request => requestEvents(stream).reduce(evolveRequest, absentRequest);
export const foldReturn = (stream: Stream): ReturnRequest =>
  returnEvents(stream).reduce<ReturnRequest>(evolveReturn, absentReturn);

interface Decider<C, E extends StreamEvent, S> {
  readonly fold: (stream: Stream) => S;
  readonly decide: (command: C, state: S) => readonly E[];
  readonly evolve: (state: S, event: E) => S;
  readonly holds: (id: string, before: S, after: S, isUnsure: boolean) => Holding | undefined;
}

const requestDecider = { fold: foldRequest, decide: decideRequest, evolve: evolveRequest, holds: holdingOf };
const returnDecider = { fold: foldReturn, decide: decideReturn, evolve: evolveReturn, holds: () => undefined };

const attempts = 100;

/** What a decision led to. */
export interface Decided<S> {
  readonly state: S;
  readonly version: number;
}

export interface DecideContext {
  readonly streams: RequestStreams;
  readonly origin: Origin;
}

const readOf = async <S>(fold: (stream: Stream) => S, streams: RequestStreams, id: string): Promise<Decided<S>> => {
  const stream = await streams.load(id);
  return { state: fold(stream), version: stream.version };
};

/**
 * Carries out the commands one after the other, on the `known` state or else on the stream as read now, and appends what
 * follows in one write, with what the request then holds. When another process was faster the decision is taken anew on what it wrote.
 */
const decideOn =
  <C, E extends StreamEvent, S>({ fold, decide, evolve, holds }: Decider<C, E, S>) =>
  async (
    { streams, origin }: DecideContext,
    id: string,
    commands: readonly C[],
    known?: Decided<S>,
  ): Promise<Decided<S>> => {
    let start = known;
    for (let attempt = 1; ; attempt++) {
      start ??= await readOf(fold, streams, id);
      const news: E[] = [];
      const state = commands.reduce((before, command) => {
        const events = decide(command, before);
        news.push(...events);
        return events.reduce(evolve, before);
      }, start.state);
      // A lost race may have raised the ledger for what is not on record.
      const isUnsure = attempt > 1;
      const holding = holds(id, start.state, state, isUnsure);
      if (news.length === 0 && (holding === undefined || !isUnsure)) return { state, version: start.version };
      try {
        return { state, version: await streams.append(id, start.version, news, origin, holding) };
      } catch (error) {
        if (!hasCode(error, 'storage.conflict') || attempt === attempts) throw error;
        start = undefined;
      }
    }
  };

export const decideOnRequest: (
  context: DecideContext,
  id: string,
  commands: readonly RequestCommand[],
  known?: Decided<Request>,
) => Promise<Decided<Request>> = decideOn(requestDecider);

/** Whether a record cannot be read, or nobody knows what it holds: others can, and it may be read later. */
export const isUnread = (error: unknown): error is PluginError =>
  hasCode(error, 'storage.unreadable', 'storage.unavailable', 'storage.moved');

export const decideOnReturn: (
  context: DecideContext,
  id: string,
  commands: readonly ReturnCommand[],
  known?: Decided<ReturnRequest>,
) => Promise<Decided<ReturnRequest>> = decideOn(returnDecider);

/** Records held in memory at a time while going through all of them. */
const batchSize = 100;

/** Goes through streams in the order asked: each, or why it cannot be read. */
export const eachStream = async function* (
  streams: Pick<StreamReader, 'loadAll'>,
  ids: Iterable<string>,
): AsyncGenerator<readonly [string, Stream | PluginError]> {
  const all = [...new Set(ids)];
  for (let from = 0; from < all.length; from += batchSize)
    yield* await streams.loadAll(all.slice(from, from + batchSize));
};

/** Ids of all streams that are not set aside, in no particular order. */
export const listedIds = async (streams: Pick<StreamReader, 'changes'>): Promise<readonly string[]> => [
  ...(await streams.changes()).changed.keys(),
];
