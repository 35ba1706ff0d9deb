import type {
  CapacityClaim,
  CapacityLedger,
  RecordedEvent,
  RequestStreams,
} from '../../src/application/ports/streams.ts';
import { PluginError } from '../../src/domain/errors.ts';
import { isBatchOf, lifted, toStored } from '../../src/storage/stored-events.ts';

/** Streams as the files keep them, in memory: what is read went through JSON and the checks of what is stored. */
export const memoryStreams = (clock: () => number): RequestStreams => {
  const streams = new Map<string, readonly RecordedEvent[]>();
  const marks = new Map<string, number>();
  let last = 0;
  return {
    load: async (id) => {
      const events = streams.get(id) ?? [];
      return { version: events.length, events };
    },
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
