import type { Observation } from '../machine.ts';
import { hourlyPrice, type Prices } from './price.ts';

/** From when on, ms since the epoch, it is known to cost this, USD per hour. */
export type PricePoint = readonly [at: number, usd: number];

/** How prices went, as far as AWS was asked: where a price has changed there is a point, in the order of time. */
export interface PriceHistory {
  /** By instance type. */
  readonly onDemand: Readonly<Record<string, readonly PricePoint[]>>;
  /** By instance type and zone. */
  readonly spot: Readonly<Record<string, Readonly<Record<string, readonly PricePoint[]>>>>;
}

type HourlyPrices = Pick<Prices, 'onDemand' | 'spot'>;
type Machine = Pick<Observation, 'instanceType' | 'priceType' | 'zone'>;

/** A price, and whether it was known when the machine was launched: else it is the latest. */
export interface MachinePrice {
  readonly usd: number;
  readonly isOfLaunch: boolean;
}

const mapped = <V, W>(
  record: Readonly<Record<string, V>>,
  of: (value: V, key: string) => W,
): Readonly<Record<string, W>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value, key)]));

const valueAt = (points: readonly PricePoint[], at: number): number | undefined =>
  points.findLast(([since]) => since <= at)?.[1];

/** What was known of one type at a time. */
const pricesAt = ({ onDemand, spot }: PriceHistory, type: string, at: number): HourlyPrices => {
  const price = valueAt(onDemand[type] ?? [], at);
  const zones = Object.entries(spot[type] ?? {}).flatMap(([zone, points]) => {
    const inZone = valueAt(points, at);
    return inZone === undefined ? [] : [[zone, inZone] as const];
  });
  return { onDemand: price === undefined ? {} : { [type]: price }, spot: { [type]: Object.fromEntries(zones) } };
};

/** USD per hour of a machine by what was known at its launch, else by the latest prices; undefined where neither is known. */
export const machinePrice = (
  machine: Machine,
  launchedAt: number,
  { history, latest }: { readonly history: PriceHistory; readonly latest: HourlyPrices },
): MachinePrice | undefined => {
  const then = hourlyPrice(machine, pricesAt(history, machine.instanceType, launchedAt));
  if (then !== undefined) return { usd: then, isOfLaunch: true };
  const now = hourlyPrice(machine, latest);
  return now === undefined ? undefined : { usd: now, isOfLaunch: false };
};

/** Points from a clock that was ahead are taken back. */
const withPoint = (points: readonly PricePoint[], at: number, usd: number): readonly PricePoint[] => {
  const before = points.filter(([since]) => since < at);
  return before.at(-1)?.[1] === usd ? before : [...before, [at, usd]];
};

/** The history with what was heard at a time. */
export const withPrices = (
  { onDemand, spot }: PriceHistory,
  latest: HourlyPrices & { readonly at: number },
): PriceHistory => ({
  onDemand: {
    ...onDemand,
    ...mapped(latest.onDemand, (usd, type) => withPoint(onDemand[type] ?? [], latest.at, usd)),
  },
  spot: {
    ...spot,
    ...mapped(latest.spot, (zones, type) => ({
      ...spot[type],
      ...mapped(zones, (usd, zone) => withPoint(spot[type]?.[zone] ?? [], latest.at, usd)),
    })),
  },
});

/** The history without its oldest points, so that at most `most` are left. */
export const withoutOldest = (history: PriceHistory, most: number): PriceHistory => {
  const series = [...Object.values(history.onDemand), ...Object.values(history.spot).flatMap(Object.values)];
  const times = series.flatMap((points: readonly PricePoint[]) => points.map(([at]) => at)).sort((a, b) => b - a);
  const first = times[most];
  if (first === undefined) return history;
  const young = (points: readonly PricePoint[]) => points.filter(([at]) => at > first);
  return { onDemand: mapped(history.onDemand, young), spot: mapped(history.spot, (zones) => mapped(zones, young)) };
};
