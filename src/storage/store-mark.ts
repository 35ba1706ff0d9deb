import type { InstanceEvents } from '../application/ports/instance-events.ts';
import type { StateHead } from '../application/ports/state-copy.ts';
import { type CapacityLedger, loadingAll, type RequestStreams } from '../application/ports/streams.ts';
import { PluginError } from '../domain/errors.ts';

/** Milliseconds for which a process believes what it has read of a store's mark. */
export const believedFor = 1000;

/** For so long, ms, a write that has begun may take: a copy waits for it. */
export const writeTakes = 1000;

/** What `look` answers, looked for once in that time. */
export const shortly = <T>(look: () => Promise<T>): (() => Promise<T>) => {
  let last: { readonly at: number; readonly found: Promise<T> } | undefined;
  return () => {
    const age = last === undefined ? believedFor : Date.now() - last.at;
    // Negative where the clock was set back.
    if (last === undefined || age < 0 || age >= believedFor) last = { at: Date.now(), found: look() };
    return last.found;
  };
};

/** The id of a store that may be used. Throws `storage.moved` for one that bears a mark. */
export const usableId = (name: string, { id, mark }: StateHead): string => {
  if (mark === undefined) return id;
  const text =
    mark.kind === 'left'
      ? `the state was moved from ${name} to ${mark.other}: correct stateTable in the configuration`
      : `the state is still being copied to ${name} from ${mark.other}: complete it by hf-aws state copy`;
  throw new PluginError('storage.moved', text);
};

type MayUse = (writes: boolean) => Promise<unknown>;

/** Streams of which nothing is read or written unless the store may be used. `mayUse` throws where it may not. */
export const guardedStreams = (streams: RequestStreams, mayUse: MayUse): RequestStreams => {
  const read =
    <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await mayUse(false);
      return work(...args);
    };
  const load = read(streams.load);
  return {
    load,
    loadAll: loadingAll(load),
    changes: read(streams.changes),
    archived: read(streams.archived),
    archive: read(streams.archive),
    packArchive: read(streams.packArchive),
    append: async (...batch) => {
      const begun = Date.now();
      await mayUse(true);
      const version = await streams.append(...batch);
      // A copy may have ended without it: then AWS is not asked for what nobody will find on record.
      if (Date.now() - begun >= writeTakes) await mayUse(true);
      return version;
    },
  };
};

/** A ledger in which nothing is written unless the store may be used. */
export const guardedLedger = (ledger: CapacityLedger, mayUse: MayUse): CapacityLedger => ({
  ...ledger,
  reserve: async (...claim) => {
    await mayUse(true);
    return ledger.reserve(...claim);
  },
  update: async (...claim) => {
    await mayUse(true);
    await ledger.update(...claim);
  },
});

/** Announcements that are noted only where the store may be used: who has them of a queue then leaves them there. */
export const guardedNotices = (notices: () => Promise<InstanceEvents>, mayUse: MayUse): InstanceEvents => ({
  note: async (events) => {
    await mayUse(true);
    await (await notices()).note(events);
  },
  of: async (machineIds) => (await notices()).of(machineIds),
});
