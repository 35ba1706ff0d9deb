import type { SpotPrice } from '@aws-sdk/client-ec2';
import type { FoundPrices } from '../../../application/commands/refresh-prices.ts';
import { isPluginError, messageOf } from '../../../domain/errors.ts';
import { isInstanceType } from '../launch/launch-data.ts';
import { fieldOf } from '../wire/aws-answer.ts';
import { type JsonConnection, jsonCall } from '../wire/json-call.ts';
import type { Ec2 } from './ec2.ts';

export interface WantedPrices {
  readonly onDemand: readonly string[];
  readonly spot: readonly string[];
  readonly subnetIds: readonly string[];
}

export interface PriceOptions extends JsonConnection {
  readonly ec2: Pick<Ec2, 'read' | 'readAll'>;
}

/** EC2: results per page of DescribeSpotPriceHistory. */
const pageSize = 1000;

const timeOf = ({ Timestamp }: SpotPrice): number => Timestamp?.getTime() ?? 0;

/** The newest price of each type in each zone: a history from now on begins with the price that holds now. */
const spotPrices = async (
  ec2: PriceOptions['ec2'],
  types: readonly string[],
  now: Date,
): Promise<FoundPrices['spot']> => {
  const history = await ec2.readAll(
    'DescribeSpotPriceHistory',
    {
      InstanceTypes: types.filter(isInstanceType),
      ProductDescriptions: ['Linux/UNIX'],
      StartTime: now,
      MaxResults: pageSize,
    },
    (page) => page.SpotPriceHistory,
  );
  const spot: Record<string, Record<string, number>> = {};
  for (const { InstanceType = '', AvailabilityZone = '', SpotPrice: text } of history.toSorted(
    (a, b) => timeOf(a) - timeOf(b),
  )) {
    const price = Number(text);
    if (price > 0) spot[InstanceType] = { ...spot[InstanceType], [AvailabilityZone]: price };
  }
  return spot;
};

const zonesOf = async (ec2: PriceOptions['ec2'], subnetIds: readonly string[]): Promise<FoundPrices['zones']> => {
  const { Subnets = [] } = await ec2.read('DescribeSubnets', { SubnetIds: [...subnetIds] });
  return Object.fromEntries(Subnets.map(({ SubnetId = '', AvailabilityZone = '' }) => [SubnetId, AvailabilityZone]));
};

/** The Price List is a service of a few Regions, and of one in China; it has the prices of all Regions. */
const priceListRegion = (region: string): string => (region.startsWith('cn-') ? 'cn-northwest-1' : 'us-east-1');

/** Not tried again: it may well be out of reach, and the prices that came with the program then go on. */
const getProducts = {
  service: 'pricing',
  target: 'AWSPriceListService.GetProducts',
  version: '1.1',
  retry: { retries: 0, interval: 0 },
} as const;

/** Filters for the one product of a type that is On-Demand Linux. */
const filtersOf = (type: string, region: string): readonly object[] =>
  Object.entries({
    instanceType: type,
    regionCode: region,
    operatingSystem: 'Linux',
    tenancy: 'Shared',
    preInstalledSw: 'NA',
    capacitystatus: 'Used',
  }).map(([Field, Value]) => ({ Type: 'TERM_MATCH', Field, Value }));

const firstIn = (value: unknown): unknown => Object.values(Object(value))[0];

/** A product is a JSON text: terms, of which the first On-Demand one has one dimension, priced in the currency of the partition. */
const priceIn = (product: unknown): number | undefined => {
  const parsed: unknown = typeof product === 'string' ? JSON.parse(product) : product;
  const term = firstIn(fieldOf(fieldOf(parsed, 'terms'), 'OnDemand'));
  const price = Number(firstIn(fieldOf(firstIn(fieldOf(term, 'priceDimensions')), 'pricePerUnit')));
  return price > 0 ? price : undefined;
};

/** Throws `provider.*`. */
const onDemandPrice = async (connection: JsonConnection, type: string): Promise<number | undefined> => {
  const { region } = connection.client;
  const there = { ...connection, client: { ...connection.client, region: priceListRegion(region) } };
  const input = { ServiceCode: 'AmazonEC2', Filters: filtersOf(type, region), MaxResults: 1 };
  const list = await jsonCall(there, getProducts, input, (answer) => fieldOf(answer, 'PriceList'));
  return Array.isArray(list) ? priceIn(list[0]) : undefined;
};

const onDemandPrices = async (
  connection: JsonConnection,
  types: readonly string[],
): Promise<Readonly<Record<string, number>>> => {
  const found: Record<string, number> = {};
  for (const type of types) {
    const price = await onDemandPrice(connection, type);
    if (price !== undefined) found[type] = price;
  }
  return found;
};

/** Current prices. What cannot be read becomes a warning, not an error, since launches do not need it. */
export const findPrices = async ({ ec2, ...connection }: PriceOptions, wanted: WantedPrices): Promise<FoundPrices> => {
  const warnings: string[] = [];
  const found = async <V>(
    names: readonly string[],
    unknown: string,
    look: () => Promise<Readonly<Record<string, V>>>,
  ): Promise<Readonly<Record<string, V>>> => {
    if (names.length === 0) return {};
    return look().catch((error: unknown) => {
      if (!isPluginError(error)) throw error;
      warnings.push(`${unknown}: ${messageOf(error)}`);
      return {};
    });
  };
  const now = new Date(connection.client.clock.now());
  return {
    spot: await found(wanted.spot, 'spot prices are not known', () => spotPrices(ec2, wanted.spot, now)),
    zones: await found(
      wanted.subnetIds,
      'the zones of subnets are not known, so spot prices are those of all zones',
      () => zonesOf(ec2, wanted.subnetIds),
    ),
    onDemand: await found(wanted.onDemand, 'on-demand prices could not be asked for', () =>
      onDemandPrices(connection, wanted.onDemand),
    ),
    warnings,
  };
};
