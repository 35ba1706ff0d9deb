import { publishing, watchedStreams } from '../application/life-cycle/watching.ts';
import type { LaunchFailures, OfferingMemory } from '../application/ports/memory.ts';
import type { LiveRequests, RequestStreams } from '../application/ports/streams.ts';
import type { Logger, Observe } from '../application/ports/telemetry.ts';
import type { ReadModelPace, ReadModelPorts, RunningReadModel } from '../application/projections/read-model.ts';
import type { AwsCall, Rehearsal } from '../application/rehearsal.ts';
import { messageOf } from '../domain/errors.ts';
import { createLaunchFailures } from '../storage/launch-failures.ts';
import { createLiveRequests } from '../storage/live-requests.ts';
import { createOfferingMemory } from '../storage/offering-memory.ts';
import { createRequestStreams } from '../storage/request-streams.ts';
import { administration, once, pause, readSide } from './lazily.ts';

/** What is on record in the work folder. */
export interface Stores {
  readonly streams: RequestStreams;
  readonly live: LiveRequests;
  readonly failures: LaunchFailures;
  readonly offerings: OfferingMemory;
  /** A ledger as this call may use it. */
  readonly books: (book: LiveRequests) => LiveRequests;
  readonly rehearsal?: Rehearsal;
}

/** As the disk has it. `sweeps`: whether to remove what killed calls have left. */
export const storesIn = (workDir: string, clock: () => number, sweeps = true): Stores => ({
  streams: createRequestStreams(workDir, { sweeps }),
  live: createLiveRequests(workDir),
  failures: createLaunchFailures(workDir, Date.now),
  offerings: createOfferingMemory(workDir, clock),
  books: (book) => book,
});

/** The same, read and never written; AWS's calls are told instead of sent. */
export const rehearsed = async (stores: Stores, record: (call: AwsCall) => void, log: Logger): Promise<Stores> => {
  const stage = await administration();
  const streams = stage.rehearsedStreams(stores.streams);
  const live = stage.rehearsedLive(stores.live);
  return {
    streams,
    live,
    failures: stage.rehearsedFailures(stores.failures),
    offerings: stage.rehearsedOfferings(stores.offerings),
    books: stage.rehearsedLive,
    rehearsal: { record, recall: stage.recallFrom({ streams, live, log }) },
  };
};

interface Watchers {
  readonly log: Logger;
  /** Where somebody wants traces. */
  readonly observe: Observe | undefined;
  /** Of a process that lives on: it must hear of what it writes itself. */
  readonly readModel: (() => Promise<RunningReadModel>) | undefined;
}

/** Streams that tell of what is done with them. */
export const watched = (streams: RequestStreams, { log, observe, readModel }: Watchers): RequestStreams => {
  const heard = readModel === undefined ? streams : publishing(streams, tellReadModel(readModel, log), log);
  return observe === undefined ? heard : watchedStreams(heard, observe);
};

const tellReadModel = (readModel: () => Promise<RunningReadModel>, log: Logger) => (requestId: string) => {
  readModel().then(
    (running) => running.touch(requestId),
    (error: unknown) => log.error('projection.untold', messageOf(error), { requestId }),
  );
};

interface ReadModelOptions extends Pick<ReadModelPorts, 'streams' | 'clock' | 'log' | 'progress'> {
  readonly workDir: string;
  /** Whether projections may be kept on disk. */
  readonly isKept: () => boolean;
  readonly pace: ReadModelPace | undefined;
}

/** The projections in this process' memory, made when they are first asked for. */
export const lazyReadModel = ({ workDir, isKept, pace, ...ports }: ReadModelOptions) =>
  once(async (): Promise<RunningReadModel> => {
    const { createReadModel, createProjectionStore } = await readSide();
    const kept = createProjectionStore(workDir);
    const save: typeof kept.save = async (...projection) => (isKept() ? kept.save(...projection) : undefined);
    return createReadModel({ ...ports, store: { ...kept, save }, pause }, pace);
  });
