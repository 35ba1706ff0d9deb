import type { Prices } from '../../domain/template/price.ts';
import { type MachinePrice, machinePrice, type PriceHistory } from '../../domain/template/price-history.ts';
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
  /** USD at the prices known at launch, else at the latest; absent where that of any type is not known. */
  readonly usd?: number;
  /** How much of it goes by prices known at launch. */
  readonly launchPricedUsd?: number;
  /** USD that spot saved against On-Demand, likewise; absent on demand and where a price is not known. */
  readonly savings?: number;
}

const hour = 3_600_000;

/** Machines of one template and market: their hours, and USD per hour, also on demand, as far as known. */
interface PricedSpan {
  readonly templateId: string;
  readonly priceType: CapacitySpan['priceType'];
  readonly hours: number;
  readonly price: MachinePrice | undefined;
  readonly onDemand: MachinePrice | undefined;
}

/** Undefined where a price is not known. */
const usdOf = (spans: readonly PricedSpan[], priceOf: (span: PricedSpan) => number | undefined): number | undefined => {
  let usd = 0;
  for (const span of spans) {
    const price = priceOf(span);
    if (price === undefined) return undefined;
    usd += price * span.hours;
  }
  return usd;
};

const costOf = (first: PricedSpan, spans: readonly PricedSpan[]): TemplateCost => {
  const { templateId, priceType } = first;
  const hours = spans.reduce((sum, span) => sum + span.hours, 0);
  const usd = usdOf(spans, ({ price }) => price?.usd);
  if (usd === undefined) return { templateId, priceType, hours };
  const ofLaunch = spans.filter(({ price }) => price?.isOfLaunch === true);
  const launchPricedUsd = usdOf(ofLaunch, ({ price }) => price?.usd) ?? 0;
  const atOnDemand = priceType === 'spot' ? usdOf(spans, ({ onDemand }) => onDemand?.usd) : undefined;
  return {
    templateId,
    priceType,
    hours,
    usd,
    launchPricedUsd,
    ...(atOnDemand === undefined ? {} : { savings: atOnDemand - usd }),
  };
};

/** What each template took in hours of machines, by market, and about what that cost; the most hours first. */
export const capacityCost = (
  rows: readonly CapacityRow[],
  window: Window,
  prices: { readonly history: PriceHistory; readonly latest: Prices },
): TemplateCost[] => {
  const groups = new Map<string, PricedSpan[]>();
  for (const { templateId, spans } of rows) {
    for (const span of spans) {
      const hours = (overlap(span, window) / hour) * span.machines;
      if (hours === 0) continue;
      const { priceType } = span;
      const key = `${priceType} ${templateId}`;
      const group = groups.get(key) ?? [];
      group.push({
        templateId,
        priceType,
        hours,
        price: machinePrice(span, span.from, prices),
        onDemand: machinePrice({ ...span, priceType: 'ondemand' }, span.from, prices),
      });
      groups.set(key, group);
    }
  }
  return [...groups.values()]
    .flatMap((group) => group.slice(0, 1).map((first) => costOf(first, group)))
    .sort((a, b) => b.hours - a.hours);
};
