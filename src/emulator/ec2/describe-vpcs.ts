import { listing, parameterTable } from '../wire/parameter-table.ts';
import { type Action, ownerId } from './action.ts';
import { pageOf } from './paging.ts';
import { madeUpVpc } from './subnets.ts';

/** Those of the configured subnets, and the one of all others. */
export const describeVpcs: Action = {
  parameters: parameterTable(`VpcId.N ${listing}`),
  answer: (world, params) => {
    const { subnets, region } = world.settings;
    const usual = madeUpVpc(region);
    const named = params.list('VpcId');
    const known = [...new Set([usual, ...Object.values(subnets).map(({ vpc }) => vpc)])].sort();
    const { page, nextToken } = pageOf(world, params, {
      idsParameter: 'VpcId',
      items: named.length > 0 ? named : known,
      filters: { 'vpc-id': (id) => id, 'is-default': (id) => String(id === usual) },
      keyOf: (id) => id,
    });
    const vpcSet = page.map((vpcId) => ({
      vpcId,
      ownerId,
      state: 'available',
      cidrBlock: '10.0.0.0/16',
      isDefault: vpcId === usual,
      tagSet: [],
    }));
    return { vpcSet, nextToken };
  },
};
