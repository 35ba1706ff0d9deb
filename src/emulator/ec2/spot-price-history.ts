import { listing, parameterTable } from '../wire/parameter-table.ts';
import { type Action, isoTime } from './action.ts';
import type { FilterTable } from './filters.ts';
import { pageOf } from './paging.ts';

interface Price {
  readonly type: string;
  readonly zone: string;
  readonly price: number;
}

const filters: FilterTable<Price> = {
  'availability-zone': ({ zone }) => zone,
  'instance-type': ({ type }) => type,
};

/** The prices that hold now; the emulator has no past. */
export const describeSpotPriceHistory: Action = {
  parameters: parameterTable(`AvailabilityZone EndTime InstanceType.N ProductDescription.N StartTime ${listing}`),
  answer: (world, params) => {
    const [types, zone] = [params.list('InstanceType'), params.text('AvailabilityZone')];
    const items = Object.entries(world.settings.spotPrices)
      .map(([pool, price]): Price => {
        const [type = '', place = ''] = pool.split(':');
        return { type, zone: place, price };
      })
      .filter((each) => (types.length === 0 || types.includes(each.type)) && (zone === undefined || zone === each.zone))
      .sort((a, b) => (`${a.type} ${a.zone}` < `${b.type} ${b.zone}` ? -1 : 1));
    const { page, nextToken } = pageOf(world, params, {
      items,
      filters,
      keyOf: (each) => `${each.type} ${each.zone}`,
    });
    return {
      spotPriceHistorySet: page.map((each) => ({
        instanceType: each.type,
        productDescription: 'Linux/UNIX',
        spotPrice: each.price.toFixed(6),
        timestamp: isoTime(world.now()),
        availabilityZone: each.zone,
      })),
      nextToken: nextToken ?? '',
    };
  },
};
