import { listing, parameterTable } from '../wire/parameter-table.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { InstanceRecord, World } from '../world.ts';
import type { Action } from './action.ts';
import { instanceFilters } from './instance-filters.ts';
import { type InstanceView, instanceTags, viewOf, viewsOf } from './instance-view.ts';
import { reservationXml } from './instance-xml.ts';
import { pageOf } from './paging.ts';

/** The key instances are ordered by in every listing. */
export const launchOrder = ({ instance }: InstanceView): string => String(instance.number).padStart(9, '0');

const byReservation = (world: World, views: readonly InstanceView[]): XmlFields[] => {
  const groups = new Map<string, InstanceView[]>();
  for (const view of views) {
    const group = groups.get(view.reservation.id);
    if (group === undefined) groups.set(view.reservation.id, [view]);
    else group.push(view);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [reservationXml(world, group, first.reservation)];
  });
};

export const describeInstances: Action = {
  parameters: parameterTable(`InstanceId.N IncludeManagedResources ${listing}`),
  answer: (world, params) => {
    world.describeCalls += 1;
    const isVisible = ({ visibleFrom }: InstanceRecord): boolean => visibleFrom <= world.describeCalls;
    const items = params.has('InstanceId')
      ? viewsOf(world, params.list('InstanceId'), isVisible)
      : [...world.instances.values()].filter(isVisible).map((instance) => viewOf(world, instance));
    const { page, nextToken } = pageOf(world, params, {
      idsParameter: 'InstanceId',
      items,
      filters: instanceFilters(world),
      tags: (view) => instanceTags(world, view),
      keyOf: launchOrder,
    });
    return { reservationSet: byReservation(world, page), nextToken };
  },
};
