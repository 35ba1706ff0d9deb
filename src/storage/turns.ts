import type { RestorableStreams } from '../application/ports/streams.ts';

/** Milliseconds for which a reader of many streams may hold up all others. */
const longestTurn = 50;

/** Streams for a process that serves many calls: whoever reads one after the other lets the others have their turn in between. */
export const takingTurns = (streams: RestorableStreams): RestorableStreams => {
  let began = Number.NEGATIVE_INFINITY;
  let next: Promise<void> | undefined;
  const nextTurn = (): Promise<void> => {
    next ??= new Promise((resolve) => {
      setImmediate(() => {
        next = undefined;
        began = performance.now();
        resolve();
      });
    });
    return next;
  };
  return {
    ...streams,
    load: async (id) => {
      // Of those that have waited for the same turn the later ones may find it used up.
      while (performance.now() - began > longestTurn) await nextTurn();
      return streams.load(id);
    },
  };
};
