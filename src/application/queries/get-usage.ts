import { hasCode, isPluginError, PluginError } from '../../domain/errors.ts';
import { isCreateId } from '../../domain/ids.ts';
import type { Prices } from '../../domain/template/price.ts';
import { type MachinePrice, machinePrice, type PriceHistory } from '../../domain/template/price-history.ts';
import { closed, listOf } from '../bus/json-schema.ts';
import { type AnswerOf, defineOperation, type HandlerOf } from '../bus/operation.ts';
import { number, text, texts, time, words } from '../bus/shapes.ts';
import { eachStream, isRequestEvent, listedIds } from '../life-cycle/streams.ts';
import type { PriceMemory } from '../ports/memory.ts';
import type { Clock } from '../ports/policy.ts';
import type { StreamReader } from '../ports/streams.ts';
import { isoTime } from '../read-model/iso-times.ts';
import { type MachineUse, usesOf } from '../read-model/machine-use.ts';

export const usageKeys = ['template', 'market', 'type', 'day'] as const;

const money = { type: 'number', description: 'USD; absent if no price is known' } as const;

const usageRow = closed(
  {
    key: { ...words, description: 'Template, market, instance type, or day in UTC' },
    machines: number,
    hours: { type: 'number', description: 'Machine hours from launch to end' },
    spotHours: { type: 'number', description: 'Spot machine hours' },
    interruptions: { ...number, description: 'Spot machines that AWS interrupted' },
    cost: { ...money, description: 'USD at prices known at launch, else at the latest; absent if none is known' },
    savings: {
      ...money,
      description: 'USD saved by spot against On-Demand, as far as both prices are known',
    },
    unpricedHours: { type: 'number', description: 'Hours without a known price, left out of the cost' },
    launchPricedCost: { ...money, description: 'How much of the cost goes by prices known at launch' },
  },
  ['cost', 'savings', 'launchPricedCost'],
);

export const getUsage = defineOperation({
  name: 'GetUsage',
  bus: 'query',
  role: 'viewer',
  title: 'Show machine hours and their cost at known prices',
  input: {
    from: { ...text, description: 'ISO 8601 time; default 30 days ago' },
    by: { enum: usageKeys, description: 'Default template' },
  },
  answer: closed(
    {
      from: time,
      until: time,
      pricesOf: { ...time, description: 'When AWS was last asked for prices; absent if never' },
      items: listOf(usageRow),
      total: usageRow,
      warnings: texts,
    },
    ['pricesOf'],
  ),
});

export type GetUsageAnswer = AnswerOf<typeof getUsage>;
export type UsageRow = GetUsageAnswer['items'][number];

export interface GetUsagePorts {
  readonly streams: StreamReader;
  readonly prices: Pick<PriceMemory, 'read' | 'history'>;
  readonly clock: Clock;
}

const [hour, day] = [3_600_000, 86_400_000];

/** A machine for part of its life: all of it in the range asked for, or what lies in one day. */
interface Stint extends MachineUse {
  readonly key: string;
  readonly hours: number;
  readonly endsHere: boolean;
}

/** With USD per hour, and what a spot machine would have been on demand, as far as known. */
interface PricedStint extends Stint {
  readonly price: MachinePrice | undefined;
  readonly onDemand: MachinePrice | undefined;
}

const clipped = (use: MachineUse, key: string, from: number, until: number): readonly Stint[] => {
  const end = use.until ?? Number.POSITIVE_INFINITY;
  const ms = Math.min(end, until) - Math.max(use.from, from);
  return ms <= 0 ? [] : [{ ...use, key, hours: ms / hour, endsHere: end <= until }];
};

const stintsOf = (use: MachineUse, by: (typeof usageKeys)[number], from: number, until: number): readonly Stint[] => {
  if (by !== 'day') {
    const keys = { template: use.templateId, market: use.priceType, type: use.instanceType || 'not known' };
    return clipped(use, keys[by], from, until);
  }
  const [first, last] = [Math.max(use.from, from), Math.min(use.until ?? until, until)];
  const days = Array.from({ length: Math.max(0, Math.ceil(last / day) - Math.floor(first / day)) }, (_, index) => {
    const start = (Math.floor(first / day) + index) * day;
    return clipped(use, isoTime(start).slice(0, 10), Math.max(start, from), Math.min(start + day, until));
  });
  return days.flat();
};

const rounded = (value: number): number => Number(value.toFixed(4));

const priced =
  (prices: { readonly history: PriceHistory; readonly latest: Prices }) =>
  (stint: Stint): PricedStint => ({
    ...stint,
    price: machinePrice(stint, stint.from, prices),
    onDemand: machinePrice({ ...stint, priceType: 'ondemand' }, stint.from, prices),
  });

const rowOf = (key: string, stints: readonly PricedStint[]): UsageRow => {
  const sum = (of: (stint: PricedStint) => number): number =>
    rounded(stints.reduce((total, stint) => total + of(stint), 0));
  const costOf = ({ price, hours }: PricedStint): number => (price?.usd ?? 0) * hours;
  const isCompared = ({ priceType, price, onDemand }: PricedStint): boolean =>
    priceType === 'spot' && price !== undefined && onDemand !== undefined;
  return {
    key,
    machines: new Set(stints.map(({ machineId }) => machineId)).size,
    hours: sum(({ hours }) => hours),
    spotHours: sum(({ hours, priceType }) => (priceType === 'spot' ? hours : 0)),
    interruptions: stints.filter(({ isInterrupted, endsHere }) => isInterrupted && endsHere).length,
    ...(stints.every(({ price }) => price === undefined)
      ? {}
      : {
          cost: sum(costOf),
          launchPricedCost: sum((stint) => (stint.price?.isOfLaunch === true ? costOf(stint) : 0)),
        }),
    ...(stints.some(isCompared)
      ? {
          savings: sum((stint) => (isCompared(stint) ? (stint.onDemand?.usd ?? 0) * stint.hours - costOf(stint) : 0)),
        }
      : {}),
    unpricedHours: sum(({ price, hours }) => (price === undefined ? hours : 0)),
  };
};

/** Throws `input.invalid`. */
const startOf = (from: string | undefined, now: number): number => {
  if (from === undefined) return now - 30 * day;
  const at = Date.parse(from);
  if (Number.isFinite(at)) return at;
  throw new PluginError('input.invalid', `from is not an ISO 8601 time: "${from}"`);
};

/** Reads every request on record, set aside or not: a machine may have run for months without anything to record. */
export const getUsageHandler =
  ({ streams, prices, clock }: GetUsagePorts): HandlerOf<typeof getUsage> =>
  async ({ from, by = 'template' }) => {
    const now = clock();
    const start = startOf(from, now);
    const warnings: string[] = [];
    const stints: Stint[] = [];
    const ids = [...(await listedIds(streams)), ...(await streams.archived())].filter(isCreateId);
    for await (const [, stream] of eachStream(streams, ids)) {
      if (hasCode(stream, 'storage.unreadable')) warnings.push(stream.message);
      else if (isPluginError(stream)) throw stream;
      else
        for (const use of usesOf(stream.events.filter(isRequestEvent))) stints.push(...stintsOf(use, by, start, now));
    }
    const latest = await prices.read();
    const withPrice = stints.map(priced({ latest, history: await prices.history() }));
    const keys = [...new Set(stints.map(({ key }) => key))].sort();
    return {
      from: isoTime(start),
      until: isoTime(now),
      ...(latest.refreshedAt === 0 ? {} : { pricesOf: isoTime(latest.refreshedAt) }),
      items: keys.map((key) =>
        rowOf(
          key,
          withPrice.filter((stint) => stint.key === key),
        ),
      ),
      total: rowOf('total', withPrice),
      warnings,
    };
  };
