import type { Observation } from '../machine.ts';
import { type RankBy, wantsPrice } from './price-use.ts';
import { type Attribute, providerApiOf, type Template, weightedTypes } from './template.ts';

/** USD per hour and instance. */
export interface Prices {
  /** By instance type. */
  readonly onDemand: Readonly<Record<string, number>>;
  /** By instance type and zone, as of the last look. */
  readonly spot: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Zones by subnet; of a subnet that is not in it nobody knows. */
  readonly zones: Readonly<Record<string, string>>;
}

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of the zones of its subnets, or of all that are known where theirs is not. */
const spotPriceOf = (type: string, { subnetIds }: Template, { spot, zones }: Prices): number | undefined => {
  const byZone = Object.entries(spot[type] ?? {});
  const own = new Set(subnetIds.map((subnet) => zones[subnet]));
  const near = byZone.filter(([zone]) => own.has(zone));
  return mean((near.length === 0 ? byZone : near).map(([, price]) => price));
};

/** USD per hour of a machine, of spot by its zone, else the mean of all; undefined where it is not known. */
export const hourlyPrice = (
  { instanceType, priceType, zone = '' }: Pick<Observation, 'instanceType' | 'priceType' | 'zone'>,
  { onDemand, spot }: Pick<Prices, 'onDemand' | 'spot'>,
): number | undefined =>
  priceType === 'ondemand'
    ? onDemand[instanceType]
    : (spot[instanceType]?.[zone] ?? mean(Object.values(spot[instanceType] ?? {})));

type Weighted = readonly (readonly [type: string, weight: number])[];

/** The types that decide the price: RunInstances tries another type only where one is refused. */
const pricedTypes = (template: Template): Weighted => {
  const types = weightedTypes(template);
  return providerApiOf(template) === 'RunInstances' ? types.slice(0, 1) : types;
};

/** EC2 buys the cheapest type on demand, unless priorities tell which. */
const onDemandUnitPrice = (template: Template, { onDemand }: Prices): number | undefined => {
  const known = pricedTypes(template).flatMap(([type, weight]) => {
    const price = onDemand[type];
    const priority = template.vmTypesPriority?.[type] ?? Number.POSITIVE_INFINITY;
    return price === undefined ? [] : [{ price: price / weight, priority }];
  });
  const isByPriority = template.allocationStrategyOnDemand === 'prioritized';
  const order = known.toSorted((a, b) =>
    isByPriority && a.priority !== b.priority ? a.priority - b.priority : a.price - b.price,
  );
  return order[0]?.price;
};

/** Which pools EC2 draws on nobody knows before: the mean of all. */
const spotUnitPrice = (template: Template, prices: Prices): number | undefined =>
  mean(
    pricedTypes(template).flatMap(([type, weight]) => {
      const price = spotPriceOf(type, template, prices);
      return price === undefined ? [] : [price / weight];
    }),
  );

/**
 * USD per hour for one unit of a template: a host, or its share where types have weights. Undefined where nothing is known of its
 * types, or it is not the template that decides what is bought.
 */
export const unitPrice = (template: Template, prices: Prices): number | undefined => {
  const { priceType, percentOnDemand = 0, autoScalingGroupName, marketType } = template;
  if (autoScalingGroupName !== undefined || marketType !== undefined) return undefined;
  const onDemand = onDemandUnitPrice(template, prices);
  if (priceType === 'ondemand') return onDemand;
  const spot = spotUnitPrice(template, prices);
  if (priceType !== 'spot' || percentOnDemand === 0) return spot;
  if (onDemand === undefined || spot === undefined) return undefined;
  return (onDemand * percentOnDemand + spot * (100 - percentOnDemand)) / 100;
};

const decimals = 6;

/** A price as Host Factory takes it, in IBM's form (hostfactory-contract 7): EC2 bills by the second. */
export const priceInfoOf = (price: number): string =>
  `price:${Number(price.toFixed(decimals))},billingTimeUnitType:prorated_hour,billingTimeUnitNumber:1,billingRoundoffType:unit`;

/** Ranks by price, the same for the same price; without a price a template comes last in either direction. */
const ranksOf = (prices: readonly (number | undefined)[], rankBy: RankBy): readonly (number | undefined)[] => {
  const distinct = [...new Set(prices.filter((price) => price !== undefined))].sort((a, b) => a - b);
  return prices.map((price) => {
    const place = price === undefined ? distinct.length : distinct.indexOf(price);
    // Left out, a rank is 0: the lowest there is.
    if (rankBy === 'price') return price === undefined ? undefined : distinct.length - place;
    return place + 1;
  });
};

/** The templates with price and rank where they are asked for; what an administrator has written stays as it is. */
export const withPrices = (
  templates: readonly Template[],
  prices: Prices,
  rankBy: RankBy | undefined,
): readonly Template[] => {
  const found = templates.map((template) => unitPrice(template, prices));
  const ranks = rankBy === undefined ? [] : ranksOf(found, rankBy);
  return templates.map((template, index) => {
    const [price, rank] = [found[index], ranks[index]];
    const { priceInfo, ...attributes }: Readonly<Record<string, Attribute>> = template.attributes;
    const shown: Attribute | undefined = wantsPrice(template)
      ? price === undefined
        ? undefined
        : ['String', priceInfoOf(price)]
      : priceInfo;
    return {
      ...template,
      attributes: {
        ...(rank === undefined ? {} : { rank: ['Numeric', String(rank)] as const }),
        ...attributes,
        ...(shown === undefined ? {} : { priceInfo: shown }),
      },
    };
  });
};
