import { messageOf } from '../../domain/errors.ts';
import { loadingAll, type RequestStreams, type StreamEvent } from '../ports/streams.ts';
import type { Logger, Observe } from '../ports/telemetry.ts';

/** Hears of what was appended, once it is on disk. */
export type Subscriber = (requestId: string, events: readonly StreamEvent[]) => void;

/** Tells subscribers of every append. A subscriber's fault does not undo it. */
export const publishing = (streams: RequestStreams, subscriber: Subscriber, log: Logger): RequestStreams => ({
  ...streams,
  append: async (id, version, events, origin, holds) => {
    const next = await streams.append(id, version, events, origin, holds);
    try {
      subscriber(id, events);
    } catch (error) {
      log.error('subscriber.failed', messageOf(error), { requestId: id });
    }
    return next;
  },
});

/** Shows a store's work in traces. */
export const watchedStreams = (streams: RequestStreams, observe: Observe): RequestStreams => {
  const load: RequestStreams['load'] = (requestId) =>
    observe({ kind: 'store', name: 'load', attributes: { requestId } }, () => streams.load(requestId));
  return {
    ...streams,
    load,
    loadAll: loadingAll(load),
    append: (requestId, version, events, origin, holds) => {
      const attributes = { requestId, version, events: events.map(({ type }) => type) };
      return observe({ kind: 'store', name: 'append', attributes }, () =>
        streams.append(requestId, version, events, origin, holds),
      );
    },
  };
};
