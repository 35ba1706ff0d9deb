import { priceInfoOf, unitPrice, withPrices } from '../../domain/template/price.ts';
import type { RankBy } from '../../domain/template/price-use.ts';
import { closed, type FromSchema, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { time, words } from '../bus/shapes.ts';
import type { PriceMemory } from '../ports/memory.ts';
import type { TemplateCatalog } from '../ports/templates.ts';
import { isoTime } from '../read-model/iso-times.ts';

const priceRow = closed(
  {
    templateId: words,
    priceType: words,
    price: { type: 'number', description: 'USD per hour and unit; absent if not known' },
    priceInfo: { ...words, description: 'The price in IBM’s form: what auto stands for' },
    told: closed({ priceInfo: words, rank: words }, ['priceInfo', 'rank']),
  },
  ['price', 'priceInfo'],
);

export const listPrices = defineOperation({
  name: 'ListPrices',
  bus: 'query',
  role: 'viewer',
  title: 'Show what the templates cost, without asking AWS, and what Host Factory is told about it',
  input: {},
  answer: closed(
    { refreshedAt: { ...time, description: 'Absent if AWS was never asked' }, templates: listOf(priceRow) },
    ['refreshedAt'],
  ),
});

export type PriceRow = FromSchema<typeof priceRow>;

export interface ListPricesPorts {
  readonly templates: TemplateCatalog;
  readonly prices: Pick<PriceMemory, 'read'>;
  readonly rankBy: RankBy | undefined;
}

export const listPricesHandler =
  ({ templates, prices, rankBy }: ListPricesPorts): HandlerOf<typeof listPrices> =>
  async () => {
    const known = await prices.read();
    const { templates: served } = await templates.read();
    const rows = withPrices(served, known, rankBy).map(({ templateId, priceType, attributes }, index): PriceRow => {
      const template = served[index];
      const price = template === undefined ? undefined : unitPrice(template, known);
      const [priceInfo, rank] = [attributes['priceInfo']?.[1], attributes['rank']?.[1]];
      return {
        templateId,
        priceType,
        ...(price === undefined ? {} : { price, priceInfo: priceInfoOf(price) }),
        told: { ...(priceInfo === undefined ? {} : { priceInfo }), ...(rank === undefined ? {} : { rank }) },
      };
    });
    return { ...(known.refreshedAt === 0 ? {} : { refreshedAt: isoTime(known.refreshedAt) }), templates: rows };
  };
