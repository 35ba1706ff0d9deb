import type { CapacityLedger, RequestStreams } from '../application/ports/streams.ts';

/**
 * Streams that keep the ledger beside them. It is raised before the record and lowered after it: whoever is killed in between leaves it
 * too high, which the sweep mends, and never too low. Where two processes write at once the last word on the ledger may not be the
 * last record's; the next record, or the sweep, sets it right.
 */
export const withLedger = (streams: RequestStreams, live: Pick<CapacityLedger, 'update'>): RequestStreams => ({
  ...streams,
  append: async (id, version, events, origin, holds) => {
    const write = async (): Promise<void> => {
      if (holds !== undefined) await live.update(holds.now, holds.isUnsure ? undefined : holds.before);
    };
    const isRaised = holds !== undefined && holds.now.units > holds.before;
    if (isRaised) await write();
    const next = await streams.append(id, version, events, origin);
    if (!isRaised) await write();
    return next;
  },
});
