import type { InstanceEvent, InstanceEvents } from '../../src/application/ports/instance-events.ts';
import type { LaunchFailures, OfferingMemory, UnseenHosts } from '../../src/application/ports/memory.ts';
import type { IsDue } from '../../src/application/ports/policy.ts';
import type { ProjectionStore } from '../../src/application/ports/read-model.ts';
import type { KeptAnswers, Store } from '../../src/application/ports/store.ts';
import {
  type CapacityClaim,
  type CapacityLedger,
  loadingAll,
  type RecordedEvent,
  type RequestStreams,
} from '../../src/application/ports/streams.ts';
import { PluginError } from '../../src/domain/errors.ts';
import { createIdOf, isCreateId, isReturnId } from '../../src/domain/ids.ts';
import { type RefusedOffering, stillCounts } from '../../src/domain/offering.ts';
import { isBatchOf, lifted, toStored } from '../../src/storage/stored-events.ts';
import { withLedger } from '../../src/storage/streams-with-ledger.ts';

const hour = 3_600_000;

const isStreamId = (id: string): boolean => isCreateId(id) || isReturnId(id);

/** Streams as the files keep them, in memory: what is read went through JSON and the checks of what is stored. */
export const memoryStreams = (clock: () => number): RequestStreams & { readonly damage: (id: string) => void } => {
  const streams = new Map<string, readonly RecordedEvent[]>();
  const marks = new Map<string, number>();
  const aside = new Set<string>();
  const damaged = new Set<string>();
  let last = 0;
  const load: RequestStreams['load'] = async (id) => {
    if (damaged.has(id)) throw new PluginError('storage.unreadable', `${id} is damaged`);
    const events = streams.get(id) ?? [];
    return { version: events.length, events };
  };
  return {
    load,
    loadAll: loadingAll(load),
    append: async (id, version, events, origin) => {
      if (!isStreamId(id)) throw new PluginError('input.invalid', `"${id}" is not a request id`);
      if (events.length === 0) return version;
      const before = streams.get(id) ?? [];
      if (before.length !== version) throw new PluginError('storage.conflict', `${id} has gone on since ${version}`);
      const batch: unknown = JSON.parse(JSON.stringify({ stream: id, events: toStored(events, origin) }));
      if (!isBatchOf(id)(batch)) throw new Error(`${JSON.stringify(batch)} could not be read again`);
      streams.set(id, [...before, ...lifted(batch.events)]);
      aside.delete(id);
      last = Math.max(last + 1, clock());
      marks.set(id, last);
      return version + events.length;
    },
    changes: async ({ since } = {}) => {
      const position = `${last} ${aside.size}`;
      const changed = new Map([...marks].filter(([id]) => !aside.has(id)));
      return position === since
        ? { position, isIncrement: true, changed: new Map(), setAside: [] }
        : { position, isIncrement: false, changed, setAside: [] };
    },
    archived: async () => [...aside],
    archive: async (id) => void aside.add(id),
    packArchive: async () => undefined,
    damage: (id) => void damaged.add(id),
  };
};

/** A ledger in memory. */
export const memoryLedger = (clock: () => number): CapacityLedger => {
  const claims = new Map<string, CapacityClaim & { readonly since: number }>();
  const keyOf = ({ templateId, requestId }: CapacityClaim): string => `${templateId} ${requestId}`;
  const of = (templateId: string | undefined) =>
    [...claims.values()].filter((claim) => templateId === undefined || claim.templateId === templateId);
  const put = (claim: CapacityClaim): void => {
    claims.set(keyOf(claim), { ...claim, since: claims.get(keyOf(claim))?.since ?? clock() });
  };
  return {
    reserve: async (claim, limit) => {
      const others = of(claim.templateId).filter(({ requestId }) => requestId !== claim.requestId);
      const live = others.reduce((sum, { units }) => sum + units, 0);
      if (limit !== undefined && live + claim.units > limit) return { granted: false, live };
      put(claim);
      return { granted: true, live: live + claim.units };
    },
    update: async (claim) => {
      if (claim.units === 0) claims.delete(keyOf(claim));
      else put(claim);
    },
    list: async (templateId) => of(templateId),
  };
};

/** What sweeps remember, in memory. */
export const sweepNotes = (): Store['sweepMemory'] => {
  let kept: Awaited<ReturnType<Store['sweepMemory']['read']>> = { orphans: new Map() };
  return {
    read: async () => kept,
    write: async (notes) => {
      kept = notes;
    },
  };
};

/** No caller of Host Factory's names its command. */
export const noAnswers: KeptAnswers = {
  find: async () => undefined,
  keep: async (_id, answered) => answered,
  forgetBefore: async () => undefined,
};

/** Refused offerings in memory. */
export const refusedOfferings = (clock: () => number): OfferingMemory => {
  let kept: readonly RefusedOffering[] = [];
  const list = async () => kept.filter((each) => stillCounts(each, clock()));
  return {
    list,
    refused: list,
    remember: async (refused) => {
      kept = [...(await list()), ...refused];
    },
    forget: async (isMeant) => {
      const before = kept.length;
      kept = kept.filter((each) => !isMeant(each));
      return before - kept.length;
    },
  };
};

/** Lists are made anew by every call. */
export const noProjections: ProjectionStore = { load: async () => undefined, save: async () => undefined };

/** Host Factory holds no host that no record knows. */
export const nothingUnseen: UnseenHosts = { since: async () => new Map(), note: async () => undefined };

const failuresIn = (clock: () => number): LaunchFailures => {
  const noted = new Map<string, { readonly at: number; readonly machineIds: ReadonlySet<string> }>();
  return {
    of: async (templateId) => {
      const { machineIds = [], at = Number.NEGATIVE_INFINITY } = noted.get(templateId) ?? {};
      return { machineIds: [...machineIds], age: clock() - at };
    },
    note: async (templateId, machineIds) => {
      const before = noted.get(templateId)?.machineIds ?? [];
      noted.set(templateId, { at: clock(), machineIds: new Set([...before, ...machineIds]) });
    },
    clear: async (templateId) => void noted.delete(templateId),
    templateIds: async () => [...noted.keys()],
  };
};

const answersIn = (): KeptAnswers => {
  const kept = new Map<string, string>();
  const read = (commandId: string) => {
    const text = kept.get(commandId);
    return text === undefined ? undefined : JSON.parse(text);
  };
  return {
    find: async (commandId) => {
      if (!isCreateId(createIdOf(commandId))) throw new PluginError('input.invalid', `"${commandId}" is not a UUID`);
      return read(commandId);
    },
    keep: async (commandId, answered) => {
      if (!kept.has(commandId)) kept.set(commandId, JSON.stringify(answered));
      return read(commandId);
    },
    forgetBefore: async () => undefined,
  };
};

const noticesIn = (clock: () => number): InstanceEvents => {
  const kept = new Map<string, InstanceEvent>();
  return {
    note: async (events) => {
      for (const event of events) kept.set(Object.values(event).join(' '), event);
    },
    of: async (machineIds) =>
      [...kept.values()].filter(({ machineId, due }) => machineIds.includes(machineId) && clock() - due <= hour),
  };
};

const turnsIn = (clock: () => number): IsDue => {
  const times = new Map<string, number>();
  return async (name, interval) => {
    const last = times.get(name) ?? Number.NEGATIVE_INFINITY;
    if (interval <= 0 || (last <= clock() && clock() - last < interval)) return false;
    times.set(name, clock());
    return true;
  };
};

/** A whole store in memory. */
export const memoryStore = (clock: () => number): Store & { readonly damage: (id: string) => void } => {
  const { damage, ...streams } = memoryStreams(clock);
  const live = memoryLedger(clock);
  const ledgers = new Map<string, CapacityLedger>();
  let storeId: string | undefined;
  return {
    streams: withLedger(streams, live),
    live,
    ledger: (group) => {
      const ledger = ledgers.get(group) ?? memoryLedger(clock);
      ledgers.set(group, ledger);
      return ledger;
    },
    failures: failuresIn(clock),
    answers: answersIn(),
    sweepMemory: sweepNotes(),
    notices: noticesIn(clock),
    turn: turnsIn(clock),
    id: async (makes) => {
      if (makes) storeId ??= crypto.randomUUID();
      return storeId;
    },
    diagnose: async () => [],
    damage,
  };
};
