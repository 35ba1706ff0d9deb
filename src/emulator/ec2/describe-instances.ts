import { parameterTable } from '../wire/parameter-table.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { InstanceRecord, World } from '../world.ts';
import type { Action } from './action.ts';
import { readFilters } from './filters.ts';
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
  parameters: parameterTable({
    text: 'InstanceId.N Filter.N.Name Filter.N.Value.N NextToken',
    integer: 'MaxResults',
    flag: 'IncludeManagedResources',
  }),
  answer: (world, params) => {
    world.describeCalls += 1;
    const isVisible = ({ visibleFrom }: InstanceRecord): boolean => visibleFrom <= world.describeCalls;
    const passes = readFilters(params, instanceFilters(world), (view) => instanceTags(world, view));
    const views = params.has('InstanceId')
      ? viewsOf(world, params.list('InstanceId'), isVisible)
      : [...world.instances.values()].filter(isVisible).map((instance) => viewOf(world, instance));

    const { pageSize } = world.settings;
    const items = views.filter(passes);
    const { page, nextToken } = pageOf({ params, idsParameter: 'InstanceId', pageSize, items, keyOf: launchOrder });
    return { reservationSet: byReservation(world, page), nextToken };
  },
};
