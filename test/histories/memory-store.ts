import type { OfferingMemory, UnseenHosts } from '../../src/application/ports/memory.ts';
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
import { type RefusedOffering, stillCounts } from '../../src/domain/offering.ts';
import { isBatchOf, lifted, toStored } from '../../src/storage/stored-events.ts';

/** Streams as the files keep them, in memory: what is read went through JSON and the checks of what is stored. */
export const memoryStreams = (clock: () => number): RequestStreams => {
  const streams = new Map<string, readonly RecordedEvent[]>();
  const marks = new Map<string, number>();
  let last = 0;
  const load: RequestStreams['load'] = async (id) => {
    const events = streams.get(id) ?? [];
    return { version: events.length, events };
  };
  return {
    load,
    loadAll: loadingAll(load),
    append: async (id, version, events, origin) => {
      const before = streams.get(id) ?? [];
      if (before.length !== version) throw new PluginError('storage.conflict', `${id} has gone on since ${version}`);
      const batch: unknown = JSON.parse(JSON.stringify({ stream: id, events: toStored(events, origin) }));
      if (!isBatchOf(id)(batch)) throw new Error(`${JSON.stringify(batch)} could not be read again`);
      streams.set(id, [...before, ...lifted(batch.events)]);
      last = Math.max(last + 1, clock());
      marks.set(id, last);
      return version + events.length;
    },
    ids: async () => [...streams.keys()],
    pulse: async () => String(last),
    marks: async () => new Map(marks),
    archived: async () => [],
    archive: async () => undefined,
    packArchive: async () => undefined,
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
      const live = of(claim.templateId).reduce((sum, { units }) => sum + units, 0);
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
