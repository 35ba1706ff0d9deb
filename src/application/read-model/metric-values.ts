import type { MetricValues } from '../ports/telemetry.ts';

/** A name and its labels as Prometheus writes them. */
export const metricName = (name: string, labels: Readonly<Record<string, string>> = {}): string => {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
};

/** Upper ends of the histogram's buckets, ms. */
export const bucketEnds: readonly number[] = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000];

/** Whether a metric is the time when something last happened: of several the latest counts. */
export const isLastTime = (name: string): boolean => name.startsWith('last_');

/** Sums metrics of the same name. */
export const sumMetrics = (all: readonly MetricValues[]): MetricValues => {
  const total = new Map<string, number>();
  for (const metrics of all) {
    for (const [name, value] of Object.entries(metrics)) {
      const before = total.get(name) ?? 0;
      total.set(name, isLastTime(name) ? Math.max(before, value) : before + value);
    }
  }
  return Object.fromEntries(total);
};
