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
import { capacityProjection } from './capacity.ts';
import { countersProjection } from './counters.ts';
import { machinesProjection } from './machines.ts';
import type { Projection } from './projection.ts';
import { applyNews, differ, type Marks, type News, type ProjectorPorts, setAside, unsettled } from './projector.ts';
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

const nothingNew: { readonly news: News; readonly gone: readonly string[] } = { news: new Map(), gone: [] };

const asWarning = ({ requestId, version, type, message }: ProjectionFailure): string =>
  version === undefined ? message : `event ${version} (${type}) of ${requestId} is skipped: ${message}`;

/** A sweep over the store, and when it began. */
interface StoreScan {
  readonly at: number;
  readonly marks: Promise<Marks>;
}

/** One projection, kept up to date whenever somebody asks. */
const createProjector = <S>(
  projection: Projection<S>,
  ports: ProjectorPorts,
  scan: () => StoreScan,
  pace: ReadModelPace,
) => {
  const { name, keepsArchived } = projection;
  const touched = new Set<string>();
  let held: StoredProjection | undefined;
  let lastMarks: Marks | undefined;
  let [unsaved, savedAt, refreshedAt] = [false, 0, 0];
  let last: Promise<unknown> = Promise.resolve();

  const changesSince = async (before: StoredProjection, now: Marks): Promise<typeof nothingNew> => {
    const news = new Map([...now].filter(([id, mark]) => before.streams.get(id)?.mark !== mark));
    const gone = [...before.streams.keys()].filter((id) => !now.has(id));
    if (!keepsArchived) return { news, gone };
    const archived = before === nothing ? await ports.streams.archived() : gone;
    for (const id of archived) if (before.streams.get(id)?.mark !== setAside && !now.has(id)) news.set(id, setAside);
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
    const pulse = await ports.streams.pulse();
    if (pulse !== undefined && pulse === before.pulse) {
      [held, refreshedAt] = [before, begun];
      return before;
    }
    const { at, marks } = scan();
    const now = await marks;
    const { news, gone } = now === lastMarks ? nothingNew : await changesSince(before, now);
    // Later than the look, if that is a little old.
    const all: News = new Map([...[...touched].map((id) => [id, unsettled] as const), ...news]);
    lastMarks = now;
    touched.clear();
    const after = await applyNews(projection, ports, before, all, gone);
    const isSettled = at >= begun && [...after.streams.values()].every(({ mark }) => mark !== unsettled);
    // Only now: who asks meanwhile waits for it, and is not answered by what was stored before.
    [held, refreshedAt] = [isSettled ? { ...after, pulse } : after, begun];
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
        const { news } = await changesSince(nothing, await ports.streams.marks(true));
        held = await applyNews(projection, ports, nothing, news, []);
        unsaved = true;
        await save();
        return held;
      }),
    /** As it stands, without applying anything. */
    status: async (marks: Marks): Promise<ProjectionStatus> => {
      const known = held ?? (await ports.store.load(name)) ?? nothing;
      const { news, gone } = await changesSince(known, marks);
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
  let known: StoreScan | undefined;
  const scan = (): StoreScan => {
    if (known === undefined || !isWithin(pace.scan, known.at, clock()))
      known = { at: clock(), marks: ports.streams.marks() };
    return known;
  };
  const projectors = {
    requests: createProjector(requestsProjection, ports, scan, pace),
    machines: createProjector(machinesProjection, ports, scan, pace),
    counters: createProjector(countersProjection, ports, scan, pace),
    capacity: createProjector(capacityProjection, ports, scan, pace),
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
      const marks = await scan().marks;
      return Promise.all(all.map((projector) => projector.status(marks)));
    },
    versionsOf: async (requestId) => ({
      requests: await projectors.requests.versionOf(requestId),
      machines: await projectors.machines.versionOf(requestId),
      counters: await projectors.counters.versionOf(requestId),
      capacity: await projectors.capacity.versionOf(requestId),
    }),
    rebuild: async (name) => {
      await projectors[name].rebuild();
      return projectors[name].status(await ports.streams.marks());
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
