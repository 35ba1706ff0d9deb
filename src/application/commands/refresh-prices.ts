import type { Prices } from '../../domain/template/price.ts';
import { type RankBy, usesPrices } from '../../domain/template/price-use.ts';
import { type Template, weightedTypes } from '../../domain/template/template.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, number, texts } from '../bus/shapes.ts';
import type { PriceMemory } from '../ports/memory.ts';
import type { Logger } from '../ports/telemetry.ts';
import type { TemplateCatalog } from '../ports/templates.ts';

export const refreshPrices = defineOperation({
  name: 'RefreshPrices',
  bus: 'command',
  role: 'admin',
  title: 'Ask AWS for the prices of the templates’ instance types: spot price history and Price List',
  input: {
    olderThan: {
      ...number,
      description: 'Skip this if no template uses prices, or they are younger than this many ms',
    },
  },
  answer: closed({
    onDemand: { ...number, description: 'Instance types with an On-Demand price' },
    spot: { ...number, description: 'The same for spot' },
    warnings: { ...texts, description: 'What could not be looked up, and why' },
    isSkipped: { ...flag, description: 'AWS was not asked: there was no need' },
  }),
});

/** What AWS tells; what it does not tell is left out and said. */
export interface FoundPrices extends Prices {
  readonly warnings: readonly string[];
}

export interface RefreshPricesPorts {
  readonly templates: TemplateCatalog;
  readonly prices: PriceMemory;
  readonly rankBy: RankBy | undefined;
  readonly askPrices: (wanted: {
    readonly onDemand: readonly string[];
    readonly spot: readonly string[];
    readonly subnetIds: readonly string[];
  }) => Promise<FoundPrices>;
  readonly clock: () => number;
  readonly log: Logger;
}

const typesOf = (templates: readonly Template[]): readonly string[] =>
  [...new Set(templates.flatMap((template) => weightedTypes(template).map(([type]) => type)))].sort();

const isSpot = ({ priceType }: Template): boolean => priceType !== 'ondemand';
const buysOnDemand = ({ priceType, percentOnDemand = 0 }: Template): boolean =>
  priceType === 'ondemand' || percentOnDemand > 0;

export const refreshPricesHandler =
  ({ templates, prices, rankBy, askPrices, clock, log }: RefreshPricesPorts): HandlerOf<typeof refreshPrices> =>
  async ({ olderThan }) => {
    const { templates: served } = await templates.read();
    const before = await prices.read();
    const age = clock() - before.refreshedAt;
    const isDue = usesPrices(served, rankBy) && (age < 0 || age >= (olderThan ?? 0));
    if (olderThan !== undefined && !isDue) return { onDemand: 0, spot: 0, warnings: [], isSkipped: true };
    const spotTemplates = served.filter(isSpot);
    const found = await askPrices({
      onDemand: typesOf(served.filter(buysOnDemand)),
      spot: typesOf(spotTemplates),
      subnetIds: [...new Set(spotTemplates.flatMap(({ subnetIds }) => subnetIds))].sort(),
    });
    for (const warning of found.warnings) log.warn('prices.unknown', warning);
    const at = clock();
    await prices.note({ at, onDemand: found.onDemand, spot: found.spot });
    await prices.replace({
      refreshedAt: at,
      onDemand: { ...before.onDemand, ...found.onDemand },
      spot: { ...before.spot, ...found.spot },
      zones: { ...before.zones, ...found.zones },
    });
    const [onDemand, spot] = [Object.keys(found.onDemand).length, Object.keys(found.spot).length];
    log.info('prices.refreshed', `${onDemand} types on demand, ${spot} spot`);
    return { onDemand, spot, warnings: found.warnings, isSkipped: false };
  };
