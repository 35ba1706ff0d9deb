import type { CapacityLedger, RequestStreams } from '../application/ports/streams.ts';

/**
 * Streams that keep the ledger beside them. It is raised before the record and lowered after it: whoever is killed in between leaves it
 * too high, which counting mends, and never too low.
 */
export const withLedger = (streams: RequestStreams, live: Pick<CapacityLedger, 'update'>): RequestStreams => ({
  ...streams,
  append: async (id, version, events, origin, holds) => {
    if (holds === undefined) return streams.append(id, version, events, origin);
    const { now, before, isUnsure } = holds;
    const write = (): Promise<void> => live.update(now, isUnsure ? undefined : before);
    const isRaised = now.units > before;
    if (isRaised) await write();
    const next = await streams.append(id, version, events, origin);
    if (!isRaised && (isUnsure || now.units !== before)) await write();
    return next;
  },
});
