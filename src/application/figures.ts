import type { Figures } from './ports.ts';

/** A name and its labels as Prometheus writes them. */
export const figure = (name: string, labels: Readonly<Record<string, string>> = {}): string => {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
};

export const sumFigures = (all: readonly Figures[]): Figures => {
  const total = new Map<string, number>();
  for (const figures of all) {
    for (const [name, value] of Object.entries(figures)) total.set(name, (total.get(name) ?? 0) + value);
  }
  return Object.fromEntries(total);
};
