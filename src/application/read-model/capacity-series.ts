import { hourlyPrice, type Prices } from '../../domain/template/price.ts';
import type { CapacityRow, CapacitySpan } from '../projections/capacity.ts';

/** A stretch of time, ms since the epoch. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export const isCapacityRow = (value: unknown): value is CapacityRow =>
  typeof value === 'object' && value !== null && 'spans' in value && 'refusals' in value;

/** Milliseconds of the window in which the machines of a span were there, each. */
const overlap = ({ from, until = Infinity }: CapacitySpan, window: Window): number =>
  Math.max(0, Math.min(until, window.to) - Math.max(from, window.from));

export interface TemplateSeries {
  readonly templateId: string;
  /** How many machines there were at the end of each of the window's equal parts. */
  readonly machines: readonly number[];
}

/** How many machines each template had over time, those with the most machines first; none that had none. */
export const capacitySeries = (rows: readonly CapacityRow[], window: Window, parts: number): TemplateSeries[] => {
  const step = (window.to - window.from) / parts;
  /** The first part at whose end this moment is past. */
  const partOf = (at: number): number => Math.min(parts, Math.max(0, Math.ceil((at - window.from) / step) - 1));
  const changes = new Map<string, number[]>();
  for (const { templateId, spans } of rows) {
    for (const span of spans.filter((each) => overlap(each, window) > 0)) {
      const own = changes.get(templateId) ?? Array.from({ length: parts + 1 }, () => 0);
      const [start, end] = [partOf(span.from), span.until === undefined ? parts : partOf(span.until)];
      own[start] = (own[start] ?? 0) + span.machines;
      own[end] = (own[end] ?? 0) - span.machines;
      changes.set(templateId, own);
    }
  }
  const series = [...changes].map(([templateId, own]) => {
    let there = 0;
    const machines = own.slice(0, parts).map((change) => {
      there += change;
      return there;
    });
    return { templateId, machines };
  });
  const most = ({ machines }: TemplateSeries): number => Math.max(...machines);
  return series.sort((a, b) => most(b) - most(a) || (a.templateId < b.templateId ? -1 : 1));
};

export interface TemplateCost {
  readonly templateId: string;
  readonly priceType: CapacitySpan['priceType'];
  /** Hours of machines. */
  readonly hours: number;
  /** USD at the prices known now; absent where that of any type is not known. */
  readonly usd?: number;
  /** USD that spot saved against On-Demand, likewise; absent on demand and where a price is not known. */
  readonly savings?: number;
}

const hour = 3_600_000;

/** What each template took in hours of machines, by market, and about what that cost; the most hours first. */
export const capacityCost = (rows: readonly CapacityRow[], window: Window, prices: Prices): TemplateCost[] => {
  const sums = new Map<
    string,
    {
      readonly first: Omit<TemplateCost, 'hours'>;
      hours: number;
      usd: number | undefined;
      atOnDemand: number | undefined;
    }
  >();
  for (const { templateId, spans } of rows) {
    for (const span of spans) {
      const hours = (overlap(span, window) / hour) * span.machines;
      if (hours === 0) continue;
      const { priceType } = span;
      const key = `${priceType} ${templateId}`;
      const sum = sums.get(key) ?? { first: { templateId, priceType }, hours: 0, usd: 0, atOnDemand: 0 };
      const price = hourlyPrice(span, prices);
      sum.hours += hours;
      sum.usd = price === undefined || sum.usd === undefined ? undefined : sum.usd + price * hours;
      const onDemand = prices.onDemand[span.instanceType];
      sum.atOnDemand =
        onDemand === undefined || sum.atOnDemand === undefined ? undefined : sum.atOnDemand + onDemand * hours;
      sums.set(key, sum);
    }
  }
  return [...sums.values()]
    .map(({ first, hours, usd, atOnDemand }) => ({
      ...first,
      hours,
      ...(usd === undefined ? {} : { usd }),
      ...(usd === undefined || atOnDemand === undefined || first.priceType !== 'spot'
        ? {}
        : { savings: atOnDemand - usd }),
    }))
    .sort((a, b) => b.hours - a.hours);
};
