import { PluginError } from '../../domain/errors.ts';
import type { StateEnd } from '../ports/state-copy.ts';
import type { Progress } from '../ports/telemetry.ts';
import { commonEvents, forEach, noTraces, noteTraces, readStream, type Traces } from './records.ts';

/** A stamp younger than this, ms, may stay the same over another append. */
const grain = 5000;
const mostListed = 5;

interface StreamCopierOptions {
  readonly from: StateEnd;
  readonly to: StateEnd;
  readonly progress?: Progress | undefined;
}

export interface StreamCopier {
  /** Of all streams copied so far. */
  readonly traces: Traces;
  /** How many streams there are. */
  known(): number;
  /** Answers with the number of events that were missing. Throws `storage.unreadable` where not everything could be copied. */
  pass(): Promise<number>;
}

/** Copies streams; what was copied before and has not changed since is not read again. */
export const createStreamCopier = ({ from, to, progress }: StreamCopierOptions): StreamCopier => {
  const traces: Traces = noTraces();
  /** The stamps under which streams were copied; those set aside have none. */
  const copied = new Map<string, number | undefined>();

  const copyOne = async (id: string, problems: string[]): Promise<number> => {
    const [source, target] = [await readStream(from, id), await readStream(to, id)];
    if (typeof source === 'string' || typeof target === 'string') {
      problems.push(...[source, target].filter((each) => typeof each === 'string'));
      return 0;
    }
    noteTraces(traces, source.events);
    const missing = source.events.slice(target.version);
    if (commonEvents(target, source) < target.version) {
      problems.push(`${id} went on in ${to.name} as it did not in ${from.name}`);
      return 0;
    }
    if (missing.length > 0) await to.restore(id, target.version, missing);
    return missing.length;
  };

  return {
    traces,
    known: () => copied.size,
    pass: async () => {
      const begun = Date.now();
      const { changed: stamps } = await from.store.streams.changes();
      const archived = (await from.store.streams.archived()).filter((id) => !stamps.has(id));
      const asideThere = new Set(archived.length === 0 ? [] : await to.store.streams.archived());
      const all: readonly (readonly [string, number | undefined])[] = [
        ...archived.map((id) => [id, undefined] as const),
        ...stamps,
      ];
      const due = all.filter(
        ([id, stamp]) => !copied.has(id) || copied.get(id) !== stamp || (stamp !== undefined && begun - stamp < grain),
      );
      const problems: string[] = [];
      let [events, done] = [0, 0];
      await forEach(due, async ([id, stamp]) => {
        const missing = await copyOne(id, problems);
        // Until then it is missing here, and done again after whatever kill.
        if (stamp === undefined && (missing > 0 || !asideThere.has(id))) await to.store.streams.archive(id);
        copied.set(id, stamp);
        events += missing;
        done += 1;
        progress?.('requests copied', done, due.length);
      });
      if (problems.length === 0) return events;
      const rest = problems.length > mostListed ? [`and ${problems.length - mostListed} more`] : [];
      const listed = [...problems.slice(0, mostListed), ...rest].join('; ');
      throw new PluginError('storage.unreadable', `not everything can be copied: ${listed}`);
    },
  };
};
