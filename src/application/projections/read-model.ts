import {
  type Expectation,
  type Projected,
  type ProjectionFailure,
  type ProjectionName,
  type ProjectionStatus,
  pollMs,
  type ReadModel,
  type StoredProjection,
  staleWarning,
  waitMs,
} from '../ports/read-model.ts';
import type { Changes } from '../ports/streams.ts';
import { capacityProjection } from './capacity.ts';
import { countersProjection } from './counters.ts';
import { machinesProjection } from './machines.ts';
import type { Projection } from './projection.ts';
import { applyNews, differ, type News, type ProjectorPorts, setAside, unsettled } from './projector.ts';
import { requestsProjection } from './requests.ts';

export interface ReadModelPorts extends ProjectorPorts {
  /** Waits, ms. */
  readonly pause: (ms: number) => Promise<void>;
}

export interface ReadModelPace {
  /** Milliseconds for which a look at the store is believed; 0 for a process that answers one question. */
  readonly scan: number;
  /** Milliseconds for which an answer is good enough for who expects nothing newer. */
  readonly answer: number;
  /** Milliseconds between two savings of a projection that changes all the time. */
  readonly save: number;
}

/** A time that lies ahead was noted before the clock was set back: it says nothing. */
const isWithin = (span: number, since: number, now: number): boolean => now >= since && now - since < span;

const nothing: StoredProjection = { streams: new Map(), rows: [], failures: [] };

interface Difference {
  readonly news: News;
  readonly gone: readonly string[];
}

const nothingNew: Difference = { news: new Map(), gone: [] };

const asWarning = ({ requestId, version, type, message }: ProjectionFailure): string =>
  version === undefined ? message : `event ${version} (${type}) of ${requestId} is skipped: ${message}`;

/** A look at what has changed in the store, and when it began. */
interface StoreScan {
  readonly at: number;
  readonly changes: Promise<Changes>;
}

/** Looks at the store that several projections share. */
const sharedScans = ({ streams, clock }: ProjectorPorts, pace: ReadModelPace) => {
  const scans = new Map<string | undefined, StoreScan>();
  const isFresh = ({ at }: StoreScan): boolean => isWithin(pace.scan, at, clock());
  return {
    isFresh,
    since: (position: string | undefined): StoreScan => {
      for (const [since, scan] of scans) if (!isFresh(scan)) scans.delete(since);
      const scan = scans.get(position) ?? { at: clock(), changes: streams.changes({ since: position }) };
      scans.set(position, scan);
      return scan;
    },
  };
};

/** One projection, kept up to date whenever somebody asks. */
const createProjector = <S>(
  projection: Projection<S>,
  ports: ProjectorPorts,
  scans: ReturnType<typeof sharedScans>,
  pace: ReadModelPace,
) => {
  const { name, keepsArchived } = projection;
  const touched = new Set<string>();
  let held: StoredProjection | undefined;
  let applied: StoreScan | undefined;
  let [unsaved, savedAt, refreshedAt] = [false, 0, 0];
  let last: Promise<unknown> = Promise.resolve();

  const newsIn = async (
    { changed, isIncrement, setAside: aside }: Changes,
    before: StoredProjection,
  ): Promise<Difference> => {
    const news = new Map([...changed].filter(([id, stamp]) => before.streams.get(id)?.stamp !== stamp));
    const gone = isIncrement ? aside : [...before.streams.keys()].filter((id) => !changed.has(id));
    if (!keepsArchived) return { news, gone };
    // What came and was set aside while no process of this host looked was never listed.
    const isFirst = before === nothing || (held === undefined && !isIncrement);
    const archived = isFirst ? await ports.streams.archived() : gone;
    for (const id of archived)
      if (before.streams.get(id)?.stamp !== setAside && !changed.has(id)) news.set(id, setAside);
    return { news, gone: [] };
  };

  const save = async (): Promise<void> => {
    if (!unsaved || held === undefined) return;
    await ports.store.save(name, held);
    [unsaved, savedAt] = [false, ports.clock()];
  };

  const refresh = async (): Promise<StoredProjection> => {
    const begun = ports.clock();
    const before = held ?? (await ports.store.load(name)) ?? nothing;
    const scan = applied !== undefined && scans.isFresh(applied) ? applied : scans.since(before.position);
    const now = await scan.changes;
    const { news, gone } = scan === applied ? nothingNew : await newsIn(now, before);
    if (news.size + gone.length + touched.size === 0 && before.position === now.position && before !== nothing) {
      [held, applied, refreshedAt] = [before, scan, begun];
      return before;
    }
    // Later than the look, if that is a little old.
    const own = [...touched];
    const all: News = new Map([...own.map((id) => [id, unsettled] as const), ...news]);
    touched.clear();
    const after = await applyNews(projection, ports, before, all, gone).catch((error: unknown) => {
      // All of it is still to be applied.
      for (const id of own) touched.add(id);
      throw error;
    });
    applied = scan;
    const isSettled = [...after.streams.values()].every(({ stamp }) => stamp !== unsettled);
    // Only now: whoever asks meanwhile waits, instead of getting the rows stored before.
    [held, refreshedAt] = [isSettled ? { ...after, position: now.position } : after, begun];
    unsaved ||= before === nothing || differ(before, held, all);
    if (!isWithin(pace.save, savedAt, ports.clock())) await save();
    return held;
  };

  /** One at a time: the next sees what the one before has found. */
  const inTurn = <A>(work: () => Promise<A>): Promise<A> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };

  return {
    refresh: () => inTurn(refresh),
    /** What is held, unless it is older than good enough, or lacks what this process has written. */
    recent: async () => {
      const isFresh = touched.size === 0 && isWithin(pace.answer, refreshedAt, ports.clock());
      return held !== undefined && isFresh ? held : inTurn(refresh);
    },
    touch: (requestId: string) => touched.add(requestId),
    save: () => inTurn(save),
    rebuild: () =>
      inTurn(async () => {
        const { news } = await newsIn(await ports.streams.changes({ anew: true }), nothing);
        held = await applyNews(projection, ports, nothing, news, []);
        unsaved = true;
        await save();
        return held;
      }),
    /** As it is, without applying anything. `all`: the streams there are. */
    status: async (all: Changes): Promise<ProjectionStatus> => {
      const known = held ?? (await ports.store.load(name)) ?? nothing;
      const { news, gone } = await newsIn(all, known);
      const events = [...known.streams.values()].reduce((sum, { version }) => sum + version, 0);
      return { name, streams: known.streams.size, events, behind: news.size + gone.length, failures: known.failures };
    },
    versionOf: async (requestId: string): Promise<number> =>
      (held ?? (await ports.store.load(name)) ?? nothing).streams.get(requestId)?.version ?? 0,
  };
};

export interface RunningReadModel extends ReadModel {
  /** Applies what is new to all projections. */
  refresh(): Promise<void>;
  /** A stream has changed in this very process: no need to look for it. */
  touch(requestId: string): void;
  /** Puts what was not saved yet on disk. */
  save(): Promise<void>;
}

/** All projections: applied when asked for, so that an answer is never older than the question. */
export const createReadModel = (
  ports: ReadModelPorts,
  pace: ReadModelPace = { scan: 0, answer: 0, save: 0 },
): RunningReadModel => {
  const { clock } = ports;
  const scans = sharedScans(ports, pace);
  const projectors = {
    requests: createProjector(requestsProjection, ports, scans, pace),
    machines: createProjector(machinesProjection, ports, scans, pace),
    counters: createProjector(countersProjection, ports, scans, pace),
    capacity: createProjector(capacityProjection, ports, scans, pace),
  } as const satisfies Record<ProjectionName, unknown>;
  const all = Object.values(projectors);

  const awaited = async (name: ProjectionName, expected: Expectation | undefined) => {
    const deadline = clock() + (expected?.wait ?? waitMs);
    for (;;) {
      const projection = await (expected === undefined ? projectors[name].recent() : projectors[name].refresh());
      const isThere = (id: string, version: number) => (projection.streams.get(id)?.version ?? 0) >= version;
      if (expected === undefined || isThere(expected.requestId, expected.version)) return { projection };
      if (clock() >= deadline) return { projection, stale: staleWarning };
      await ports.pause(pollMs);
    }
  };

  return {
    read: async (name, expected): Promise<Projected> => {
      const { projection, ...stale } = await awaited(name, expected);
      return { rows: projection.rows, warnings: projection.failures.map(asWarning), ...stale };
    },
    status: async () => {
      const streams = await scans.since(undefined).changes;
      return Promise.all(all.map((projector) => projector.status(streams)));
    },
    versionsOf: async (requestId) => ({
      requests: await projectors.requests.versionOf(requestId),
      machines: await projectors.machines.versionOf(requestId),
      counters: await projectors.counters.versionOf(requestId),
      capacity: await projectors.capacity.versionOf(requestId),
    }),
    rebuild: async (name) => {
      await projectors[name].rebuild();
      return projectors[name].status(await ports.streams.changes());
    },
    refresh: async () => {
      for (const projector of all) await projector.refresh();
    },
    touch: (requestId) => {
      for (const projector of all) projector.touch(requestId);
    },
    save: async () => {
      for (const projector of all) await projector.save();
    },
  };
};
