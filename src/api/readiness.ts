import { messageOf } from '../domain/errors.ts';

/** What a server needs for its work. Each is tried; it rejects, telling why, where it is not to be had. */
export interface Needs {
  readonly store: () => Promise<unknown>;
  readonly templates: () => Promise<unknown>;
  readonly aws: () => Promise<unknown>;
}

export interface ReadinessOptions {
  /** Milliseconds; never set back. */
  readonly clock: () => number;
  /** Hears of each change to the worse, with the reason, which is for administrators. */
  readonly lost: (what: string, why: string) => void;
}

/** Milliseconds for which a trial counts. AWS throttles those who ask too often. */
const lifetimes: Readonly<Record<keyof Needs, number>> = { store: 2000, templates: 2000, aws: 30_000 };
/** After one that failed. */
const retryAfter = 2000;

/** For anybody: no paths, no names. */
const words: Readonly<Record<keyof Needs, string>> = {
  store: 'the store cannot be written',
  templates: 'the templates cannot be read',
  aws: 'AWS does not answer',
};

interface Trial {
  readonly at: number;
  readonly outcome: Promise<boolean>;
}

/** Tells what keeps a server from its work, undefined where nothing does. Those who ask meanwhile share a trial. */
export const createReadiness = (
  needs: Needs,
  { clock, lost }: ReadinessOptions,
): (() => Promise<string | undefined>) => {
  const trials = new Map<keyof Needs, Trial>();
  const known = new Map<keyof Needs, boolean>();
  const isMet = async (need: keyof Needs): Promise<boolean> => {
    const last = trials.get(need);
    const lifetime = known.get(need) === false ? retryAfter : lifetimes[need];
    if (last !== undefined && clock() - last.at < lifetime) return last.outcome;
    const outcome = needs[need]().then(
      () => true,
      (error: unknown) => {
        if (known.get(need) !== false) lost(words[need], messageOf(error));
        return false;
      },
    );
    trials.set(need, { at: clock(), outcome });
    const met = await outcome;
    known.set(need, met);
    return met;
  };
  return async () => {
    for (const need of ['store', 'templates', 'aws'] as const) if (!(await isMet(need))) return words[need];
    return undefined;
  };
};
