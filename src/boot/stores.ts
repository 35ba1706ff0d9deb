import { join } from 'node:path';
import { createHandedOn, followed, type HandedOn, handedOnInEach } from '../application/life-cycle/handed-on.ts';
import { publishing, watchedStreams } from '../application/life-cycle/watching.ts';
import type { SweepMemory } from '../application/ports/memory.ts';
import type { HostMemory, KeptAnswers, Store } from '../application/ports/store.ts';
import type { RequestStreams } from '../application/ports/streams.ts';
import type { Logger, Observe, Progress } from '../application/ports/telemetry.ts';
import type { ReadModelPace, ReadModelPorts, RunningReadModel } from '../application/projections/read-model.ts';
import type { AwsCall, Rehearsal } from '../application/rehearsal.ts';
import { hasCode, messageOf, PluginError } from '../domain/errors.ts';
import { createCapacityLedger } from '../storage/capacity-ledger.ts';
import type { TableCall } from '../storage/dynamodb/table.ts';
import { createLaunchFailures } from '../storage/launch-failures.ts';
import { createLastDone } from '../storage/noted-times.ts';
import { createRequestStreams } from '../storage/request-streams.ts';
import { knownStoreId, readStoreId } from '../storage/store-id.ts';
import { guardedLedger, guardedNotices, guardedStreams, shortly } from '../storage/store-mark.ts';
import { withLedger } from '../storage/streams-with-ledger.ts';
import { takingTurns } from '../storage/turns.ts';
import { administration, crypto, once, pause, readSide, stateInTable } from './lazily.ts';
import type { Rights } from './rights.ts';

interface FileStoreOptions {
  readonly workDir: string;
  readonly clock: () => number;
  /** What dates files; the system's clock unless said. */
  readonly wall?: (() => number) | undefined;
  /** Whether to remove what killed calls have left. */
  readonly sweeps?: boolean;
  /** Whether this process lives on. */
  readonly remembers?: boolean;
  /** Why nothing may be written: the work folder is another user's. */
  readonly stranger?: string | undefined;
  /** Whether it is used though it may be marked: to copy from it, or to it. */
  readonly ignoresMark?: boolean;
}

const lazyAnswers = (make: () => Promise<KeptAnswers>): KeptAnswers => ({
  find: async (commandId) => (await make()).find(commandId),
  keep: async (commandId, answered) => (await make()).keep(commandId, answered),
  forgetBefore: async (time) => (await make()).forgetBefore(time),
});

const lazySweepMemory = (workDir: string): SweepMemory => {
  const memory = async () => (await import('../storage/sweep-memory.ts')).createSweepMemory(workDir);
  return {
    read: async () => (await memory()).read(),
    write: async (notes) => (await memory()).write(notes),
  };
};

/** The store in the work folder. What a call does not use is not loaded. */
export const fileStore = ({
  workDir,
  clock,
  wall = Date.now,
  sweeps = true,
  remembers = false,
  stranger,
  ignoresMark = false,
}: FileStoreOptions): Store => {
  const notices = async () => (await import('../storage/instance-events.ts')).createInstanceEvents(workDir, clock);
  const known = shortly(() => knownStoreId(workDir));
  const mayUse = async (): Promise<void> => {
    if (ignoresMark) return;
    await known().catch((error: unknown) => {
      if (hasCode(error, 'storage.moved')) throw error;
    });
  };
  const streams = createRequestStreams(workDir, { sweeps, remembers });
  const live = createCapacityLedger(workDir);
  return {
    streams: guardedStreams(withLedger(remembers ? takingTurns(streams) : streams, live), mayUse),
    live: guardedLedger(live, mayUse),
    ledger: (group) => {
      const folder = crypto().createHash('sha256').update(group).digest('hex');
      return guardedLedger(createCapacityLedger(join(workDir, 'groups', folder)), mayUse);
    },
    failures: createLaunchFailures(workDir, wall),
    answers: lazyAnswers(once(async () => (await readSide()).createAnswers(workDir))),
    sweepMemory: lazySweepMemory(workDir),
    notices: guardedNotices(notices, mayUse),
    turn: createLastDone(workDir, clock).turn,
    id: async (make) => (await known()) ?? (make ? readStoreId(workDir) : undefined),
    diagnose: async () => (await administration()).diagnoseWorkFolder(workDir, stranger),
  };
};

interface TableStoreOptions {
  readonly workDir: string;
  readonly clock: () => number;
  readonly table: string;
  readonly owner: string;
  readonly call: TableCall;
  /** Whether nothing may be written, here or there. */
  readonly looksOnly: () => boolean;
  readonly memory: Pick<HostMemory, 'facts' | 'turn'>;
}

/** The store in a DynamoDB table. What this host remembers of it is in the work folder. */
export const tableStore = async ({
  workDir,
  clock,
  table,
  looksOnly,
  memory,
  ...options
}: TableStoreOptions): Promise<Store> => {
  const { createTableStore } = await stateInTable();
  const { owner, call } = options;
  const feedCache = once(async () =>
    (await import('../storage/dynamodb/feed-cache.ts')).createFeedCache({ workDir, table, owner, looksOnly }),
  );
  return createTableStore({
    ...options,
    name: table,
    clock,
    facts: memory.facts('table', { looksOnly }),
    turn: memory.turn,
    feedCache: {
      load: async () => (await feedCache()).load(),
      save: async (reading) => (await feedCache()).save(reading),
    },
    mayMake: async () => {
      if ((await knownStoreId(workDir)) === undefined) return;
      const text = `the table ${table} holds no state, and the work folder ${workDir} does`;
      throw new PluginError('storage.moved', `${text}: copy it by hf-aws state copy --to table`);
    },
    diagnose: async () =>
      (await import('../storage/dynamodb/table-doctor.ts')).diagnoseTable({ name: table, owner, call }),
  });
};

/** What a call works on. */
export interface Stores {
  readonly store: Store;
  readonly memory: HostMemory;
  readonly rehearsal?: Rehearsal;
}

/** The same, read and never written; AWS calls are reported instead of sent. */
const rehearsed = async ({ store, memory }: Stores, record: (call: AwsCall) => void, log: Logger): Promise<Stores> => {
  const stage = await administration();
  const streams = stage.rehearsedStreams(store.streams);
  const live = stage.rehearsedLive(store.live);
  return {
    store: {
      ...store,
      streams,
      live,
      ledger: (group) => stage.rehearsedLive(store.ledger(group)),
      failures: stage.rehearsedFailures(store.failures),
    },
    memory: { ...memory, offerings: stage.rehearsedOfferings(memory.offerings) },
    rehearsal: { record, recall: stage.recallFrom({ streams, live, log }) },
  };
};

/** A process that serves many callers hands on only within a script's call; any other is one call. */
const handedOnBy = (isServer: boolean, scriptCall: () => object | undefined): HandedOn =>
  isServer ? handedOnInEach(scriptCall) : createHandedOn();

interface Watchers {
  readonly log: Logger;
  readonly handedOn: HandedOn;
  /** Where somebody wants traces. */
  readonly observe: Observe | undefined;
  /** Of a process that lives on: it must hear of what it writes itself. */
  readonly readModel: (() => Promise<RunningReadModel>) | undefined;
}

/** Streams with their observers: traces, the read model, and the query that follows in the same call. */
const watched = (streams: RequestStreams, { log, handedOn, observe, readModel }: Watchers): RequestStreams => {
  const seen = followed(streams, handedOn);
  const heard = readModel === undefined ? seen : publishing(seen, tellReadModel(readModel, log), log);
  return observe === undefined ? heard : watchedStreams(heard, observe);
};

const tellReadModel = (readModel: () => Promise<RunningReadModel>, log: Logger) => (requestId: string) => {
  readModel().then(
    (running) => running.touch(requestId),
    (error: unknown) => log.error('projection.untold', messageOf(error), { requestId }),
  );
};

interface ReadModelOptions extends Pick<ReadModelPorts, 'streams' | 'clock' | 'log' | 'progress'> {
  /** Where projections are kept between calls. */
  readonly projections: HostMemory['projections'];
  /** Whether they may be. */
  readonly isKept: () => boolean;
  readonly pace: ReadModelPace | undefined;
}

/** The projections in this process' memory, made when they are first asked for. */
const lazyReadModel = ({ projections, isKept, pace, ...ports }: ReadModelOptions) =>
  once(async (): Promise<RunningReadModel> => {
    const { createReadModel } = await readSide();
    const save: typeof projections.save = async (...kept) => (isKept() ? projections.save(...kept) : undefined);
    return createReadModel({ ...ports, store: { ...projections, save }, pause }, pace);
  });

interface StorePlaces extends Pick<TableStoreOptions, 'workDir' | 'owner' | 'call'> {
  /** That holds the state in place of the work folder. */
  readonly table: string | undefined;
}

interface StoreUse extends Rights {
  /** A process that lives on, and the pace of its lists; a server without any has none to keep. */
  readonly server: { readonly readModel?: ReadModelPace } | undefined;
  readonly scriptCall: () => object | undefined;
  readonly memory: HostMemory;
  readonly clock: () => number;
  readonly wall: (() => number) | undefined;
  readonly log: Logger;
  /** Where somebody wants traces. */
  readonly tracing: { readonly observe: Observe } | undefined;
  readonly rehearse: ((call: AwsCall) => void) | undefined;
  readonly progress: Progress | undefined;
}

interface OpenStores {
  readonly stores: Stores;
  readonly handedOn: HandedOn;
  /** The projections in this process' memory. */
  readonly readModel: () => Promise<RunningReadModel>;
  /** For who must not even keep the projections. */
  readonly unkeptReadModel: () => Promise<RunningReadModel>;
}

/** The store, what this host remembers, and what is folded from them. */
export const openStores = async (places: StorePlaces, use: StoreUse): Promise<OpenStores> => {
  const { workDir, table } = places;
  const { server, memory, clock, wall, log, tracing, rehearse, scriptCall, stranger, looksOnly, progress } = use;
  const store =
    table === undefined
      ? fileStore({ workDir, clock, wall, sweeps: stranger === undefined, remembers: server !== undefined, stranger })
      : await tableStore({ ...places, table, clock, looksOnly, memory });
  const pace = server?.readModel;
  const projected = { projections: memory.projections, streams: store.streams, clock, log, progress };
  const readModel = lazyReadModel({ ...projected, isKept: use.leavesTraces, pace });
  const kept = rehearse === undefined ? { store, memory } : await rehearsed({ store, memory }, rehearse, log);
  const handedOn = handedOnBy(server !== undefined, scriptCall);
  const streams = watched(kept.store.streams, {
    log,
    handedOn,
    observe: tracing?.observe,
    readModel: pace === undefined ? undefined : readModel,
  });
  return {
    stores: { ...kept, store: { ...kept.store, streams } },
    handedOn,
    readModel,
    unkeptReadModel: lazyReadModel({ ...projected, isKept: () => false, pace: undefined }),
  };
};
