import type { CapacityRow } from '../projections/capacity.ts';

/** A time in which AWS went on refusing a template's capacity. */
export interface RefusalStreak {
  readonly templateId: string;
  /** First and last refusal, ms since the epoch. */
  readonly since: number;
  readonly last: number;
  readonly refusals: number;
  /** AWS's codes, the most frequent first. */
  readonly codes: readonly string[];
}

interface Point {
  readonly at: number;
  /** Absent for a request that was granted without any refusal. */
  readonly code?: string;
}

const pointsOf = ({ spans, refusals }: CapacityRow): readonly Point[] =>
  refusals.length > 0
    ? refusals.map(({ at, code }) => ({ at, code }))
    : spans.slice(0, 1).map(() => ({ at: Math.min(...spans.map(({ from }) => from)) }));

const byFrequency = (codes: readonly string[]): readonly string[] => {
  const counts = new Map<string, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([code]) => code);
};

/**
 * Templates that AWS has gone on refusing: those of which no request was granted in full since, and whose refusals are never
 * further apart than `quiet`, ms, the last one included.
 */
export const refusalStreaks = (rows: readonly CapacityRow[], now: number, quiet: number): readonly RefusalStreak[] => {
  const byTemplate = new Map<string, Point[]>();
  for (const row of rows) byTemplate.set(row.templateId, [...(byTemplate.get(row.templateId) ?? []), ...pointsOf(row)]);
  return [...byTemplate].flatMap(([templateId, points]) => {
    const streak: { readonly at: number; readonly code: string }[] = [];
    let next = now;
    for (const { at, code } of points.toSorted((a, b) => b.at - a.at)) {
      if (code === undefined || next - at > quiet) break;
      streak.push({ at, code });
      next = at;
    }
    const [last] = streak;
    if (last === undefined) return [];
    const codes = byFrequency(streak.map(({ code }) => code));
    return [{ templateId, since: next, last: last.at, refusals: streak.length, codes }];
  });
};
