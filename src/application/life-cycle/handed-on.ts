import { loadingAll, type RequestStreams, type Stream } from '../ports/streams.ts';

/** Streams as a command has just read and written them, for the query that follows it in the same call. Each is handed on once. */
export interface HandedOn {
  readonly keep: (id: string, stream: Stream) => void;
  readonly take: (id: string) => Stream | undefined;
}

export const createHandedOn = (): HandedOn => {
  const kept = new Map<string, Stream>();
  return {
    keep: (id, stream) => void kept.set(id, stream),
    take: (id) => {
      const stream = kept.get(id);
      kept.delete(id);
      return stream;
    },
  };
};

/** For each call its own; nothing is handed on where there is none. */
export const handedOnInEach = <K extends object>(current: () => K | undefined): HandedOn => {
  const made = new WeakMap<K, HandedOn>();
  return {
    keep: (id, stream) => {
      const call = current();
      if (call === undefined) return;
      const own = made.get(call) ?? createHandedOn();
      made.set(call, own);
      own.keep(id, stream);
    },
    take: (id) => {
      const call = current();
      return call === undefined ? undefined : made.get(call)?.take(id);
    },
  };
};

/** Streams that add each append to what was handed on. */
export const followed = (streams: RequestStreams, { keep, take }: HandedOn): RequestStreams => ({
  ...streams,
  append: async (id, version, events, origin, holds) => {
    const kept = take(id);
    const next = await streams.append(id, version, events, origin, holds);
    const recorded = events.map((event) => ({ ...event, ...origin }));
    if (kept?.version === version) keep(id, { version: next, events: [...kept.events, ...recorded] });
    return next;
  },
});

/** Streams that hand on everything read. */
export const keeping = (streams: RequestStreams, { keep }: HandedOn): RequestStreams => {
  const load: RequestStreams['load'] = async (id) => {
    const stream = await streams.load(id);
    keep(id, stream);
    return stream;
  };
  return { ...streams, load, loadAll: loadingAll(load) };
};
