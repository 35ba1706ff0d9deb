import { appendFileSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Usage } from '../application/ports/memory.ts';
import type { MetricValues } from '../application/ports/telemetry.ts';
import { sumMetrics } from '../application/read-model/metric-values.ts';
import { attempt, createFile, discard, makeFolder, readIfPresent } from './atomic-file.ts';

const hourMs = 3_600_000;
/** A process takes no longer than this from asking for the hour to its write. */
const stragglersMs = 300_000;
/** Hours that are over and still told apart from all before. */
const recentHours = 1;
const hourFile = /^(\d+)\..+\.ndjson$/;
const totalFile = /^total-(\d+)\.json$/;

interface Total {
  readonly number: number;
  /** Hours before this one are in it. */
  readonly upTo: number;
  readonly figures: MetricValues;
}

const isTotal = (value: unknown): value is Pick<Total, 'upTo' | 'figures'> =>
  typeof value === 'object' && value !== null && 'upTo' in value && 'figures' in value;

const isMetrics = (value: unknown): value is MetricValues =>
  typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'number');

/** What a full disk has cut off counts for nothing. */
const parse = (text: string): unknown => attempt<unknown>(() => JSON.parse(text), undefined);

const parseLine = (line: string): readonly MetricValues[] => {
  const value = parse(line);
  return isMetrics(value) ? [value] : [];
};

/**
 * `usage/<hour since the epoch>.<host>.ndjson`, one line per process, and `usage/total-<n>.json` of all hours before. Nobody waits
 * for anybody: lines are appended in one write, and of two that fold the same hours one creates the next total.
 */
export const createUsage = (workDirectory: string, clock: () => number): Usage => {
  const folder = join(workDirectory, 'usage');
  const hourOf = (time: number): number => Math.floor(time / hourMs);

  const readTotal = async (names: readonly string[]): Promise<Total> => {
    const numbers = names.map((name) => Number(totalFile.exec(name)?.[1] ?? 0)).sort((a, b) => b - a);
    const [number = 0] = numbers;
    for (const each of numbers) {
      const value = parse((await readIfPresent(join(folder, `total-${each}.json`))) ?? '');
      // A time that lies ahead was noted by a clock that was wrong: whatever hours are still there are not in it.
      if (isTotal(value)) return { ...value, number, upTo: value.upTo > hourOf(clock()) ? 0 : value.upTo };
    }
    return { number, upTo: 0, figures: {} };
  };

  const readHours = async (
    names: readonly string[],
    isIn: (hour: number) => boolean,
  ): Promise<readonly MetricValues[]> => {
    const wanted = names.filter((name) => isIn(Number(hourFile.exec(name)?.[1] ?? -1)));
    const texts = await Promise.all(wanted.map((name) => readIfPresent(join(folder, name))));
    return texts.flatMap((text = '') =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .flatMap(parseLine),
    );
  };

  return {
    add: async (figures) => {
      if (Object.keys(figures).length === 0) return;
      const path = join(folder, `${hourOf(clock())}.${hostname()}.ndjson`);
      const append = (): void => appendFileSync(path, `${JSON.stringify(figures)}\n`, { mode: 0o600 });
      try {
        append();
      } catch {
        attempt(() => {
          makeFolder(folder);
          append();
        }, undefined);
      }
    },
    total: async () => {
      const names = attempt(() => readdirSync(folder), []);
      const { upTo, figures } = await readTotal(names);
      return sumMetrics([figures, ...(await readHours(names, (hour) => hour >= upTo))]);
    },
    recent: async () => {
      const names = attempt(() => readdirSync(folder), []);
      const first = hourOf(clock()) - recentHours;
      return { since: first * hourMs, metrics: sumMetrics(await readHours(names, (hour) => hour >= first)) };
    },
    compact: async () => {
      const names = attempt(() => readdirSync(folder), []);
      const { number, upTo, figures } = await readTotal(names);
      const until = hourOf(clock() - stragglersMs) - recentHours;
      const isOver = (hour: number): boolean => hour >= upTo && hour < until;
      const hours = await readHours(names, isOver);
      if (hours.length > 0) {
        const next = { upTo: until, figures: sumMetrics([figures, ...hours]) };
        if (!(await createFile(join(folder, `total-${number + 1}.json`), JSON.stringify(next)))) return;
      }
      const folded = hours.length > 0 ? until : upTo;
      const isOld = (name: string): boolean =>
        Number(hourFile.exec(name)?.[1] ?? folded) < folded || Number(totalFile.exec(name)?.[1] ?? number) < number;
      for (const name of names.filter(isOld)) discard(join(folder, name));
    },
  };
};
