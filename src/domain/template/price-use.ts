import type { Template } from './template.ts';

/** How templates get their rank from their prices; the direction that Host Factory goes by is not documented. */
export type RankBy = 'price' | 'priceReversed';

/** By the configuration's word; undefined for none. */
export const readRankBy = (text: string): RankBy | undefined =>
  text === 'price' || text === 'priceReversed' ? text : undefined;

/** Whether its administrator wants the price of a template filled in. */
export const wantsPrice = ({ attributes }: Template): boolean => attributes['priceInfo']?.[1] === 'auto';

/** Whether prices change anything that Host Factory sees. */
export const usesPrices = (templates: readonly Template[], rankBy: RankBy | undefined): boolean =>
  rankBy !== undefined || templates.some(wantsPrice);
