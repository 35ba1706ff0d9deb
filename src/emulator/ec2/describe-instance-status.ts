import { parameterTable } from '../wire/parameter-table.ts';
import { invalidValue } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { Action } from './action.ts';
import { launchOrder } from './describe-instances.ts';
import { type FilterTable, readFilters } from './filters.ts';
import { allViews, type InstanceView, viewsOf } from './instance-view.ts';
import { stateXml } from './instance-xml.ts';
import { stateCodes } from './life-cycle.ts';
import { pageOf } from './paging.ts';

const mostIds = 100;

const checks = ({ state }: InstanceView): string => (state === 'running' ? 'ok' : 'not-applicable');

const filters: FilterTable<InstanceView> = {
  'availability-zone': ({ reservation }) => reservation.spec.zone,
  'instance-state-code': ({ state }) => stateCodes[state],
  'instance-state-name': ({ state }) => state,
  'instance-status.status': checks,
  'system-status.status': checks,
};

const summary = (view: InstanceView): XmlFields => ({
  status: checks(view),
  details: view.state === 'running' ? [{ name: 'reachability', status: 'passed' }] : [],
});

const statusXml = (view: InstanceView): XmlFields => ({
  instanceId: view.instance.id,
  availabilityZone: view.reservation.spec.zone,
  instanceState: stateXml(view.state),
  systemStatus: summary(view),
  instanceStatus: summary(view),
  eventsSet: [],
});

export const describeInstanceStatus: Action = {
  parameters: parameterTable({
    text: 'InstanceId.N Filter.N.Name Filter.N.Value.N NextToken',
    integer: 'MaxResults',
    flag: 'IncludeAllInstances IncludeManagedResources',
  }),
  answer: (world, params) => {
    const ids = params.list('InstanceId');
    if (ids.length > mostIds) throw invalidValue(`At most ${mostIds} instance IDs can be described, not ${ids.length}`);
    const passes = readFilters(params, filters);
    const views = ids.length > 0 ? viewsOf(world, ids) : allViews(world);
    const items = views.filter(
      (view) => passes(view) && (view.state === 'running' || params.flag('IncludeAllInstances') === true),
    );
    const { pageSize } = world.settings;
    const { page, nextToken } = pageOf({ params, idsParameter: 'InstanceId', pageSize, items, keyOf: launchOrder });
    return { instanceStatusSet: page.map(statusXml), nextToken };
  },
};
