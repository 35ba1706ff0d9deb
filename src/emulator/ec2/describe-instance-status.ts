import { listing, parameterTable } from '../wire/parameter-table.ts';
import { invalidValue } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { Action } from './action.ts';
import { launchOrder } from './describe-instances.ts';
import type { FilterTable } from './filters.ts';
import { allViews, type InstanceView, viewsOf } from './instance-view.ts';
import { stateXml } from './instance-xml.ts';
import { stateCodes } from './life-cycle.ts';
import { pageOf } from './paging.ts';

const mostIds = 100;

const checks = ({ state }: InstanceView): string => (state === 'running' ? 'ok' : 'not-applicable');

const filters: FilterTable<InstanceView> = {
  'availability-zone': ({ reservation }) => reservation.spec.zone,
  'event.code': ({ instance }) => instance.scheduledEvent?.code,
  'instance-state-code': ({ state }) => stateCodes[state],
  'instance-state-name': ({ state }) => state,
  'instance-status.status': checks,
  'system-status.status': checks,
};

const summary = (view: InstanceView): XmlFields => ({
  status: checks(view),
  details: view.state === 'running' ? [{ name: 'reachability', status: 'passed' }] : [],
});

const eventXml = (id: string, { code, notBefore }: { code: string; notBefore: string }): XmlFields => ({
  instanceEventId: `instance-event-${id.slice(2)}`,
  code,
  description: `Scheduled: ${code}`,
  notBefore,
});

const statusXml = (view: InstanceView): XmlFields => ({
  instanceId: view.instance.id,
  availabilityZone: view.reservation.spec.zone,
  instanceState: stateXml(view.state),
  systemStatus: summary(view),
  instanceStatus: summary(view),
  eventsSet:
    view.instance.scheduledEvent === undefined ? [] : [eventXml(view.instance.id, view.instance.scheduledEvent)],
});

export const describeInstanceStatus: Action = {
  parameters: parameterTable(`InstanceId.N IncludeAllInstances IncludeManagedResources ${listing}`),
  answer: (world, params) => {
    const ids = params.list('InstanceId');
    if (ids.length > mostIds) throw invalidValue(`At most ${mostIds} instance IDs can be described, not ${ids.length}`);
    const views = ids.length > 0 ? viewsOf(world, ids) : allViews(world);
    const items = views.filter(({ state }) => state === 'running' || params.flag('IncludeAllInstances') === true);
    const { page, nextToken } = pageOf(world, params, {
      idsParameter: 'InstanceId',
      items,
      filters,
      keyOf: launchOrder,
    });
    return { instanceStatusSet: page.map(statusXml), nextToken };
  },
};
