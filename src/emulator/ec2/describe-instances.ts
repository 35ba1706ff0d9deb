import { invalidValue } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { InstanceRecord, Reservation, World } from '../world.ts';
import { isoTime, ownerId } from './action.ts';
import { describe, type FilterTable } from './describe.ts';
import { resourceId } from './ids.ts';
import {
  allViews,
  type InstanceView,
  instanceTags,
  spotRequestIdOf,
  viewOf,
  viewsOf,
  volumeIds,
} from './instance-view.ts';
import { reservationXml, stateXml } from './instance-xml.ts';
import { stateCodes } from './life-cycle.ts';

const groupsOf = ({ reservation, state }: InstanceView): readonly string[] =>
  state === 'terminated' ? [] : reservation.spec.groups;

/** DescribeInstances' filters, `tag:` and `tag-key` apart. */
const filters: FilterTable<InstanceView> = {
  architecture: ({ reservation }) => reservation.spec.image.architecture,
  'availability-zone': ({ reservation }) => reservation.spec.zone,
  'block-device-mapping.volume-id': (view, world) => volumeIds(world, view),
  'client-token': ({ reservation }) => reservation.clientToken,
  'iam-instance-profile.arn': ({ reservation }) => reservation.spec.profileArn,
  'image-id': ({ reservation }) => reservation.spec.imageId,
  'instance-id': ({ instance }) => instance.id,
  'instance-lifecycle': ({ reservation }) => reservation.spec.lifecycle,
  'instance-state-code': ({ state }) => stateCodes[state],
  'instance-state-name': ({ state }) => state,
  'instance-type': ({ reservation }) => reservation.spec.instanceType,
  'instance.group-id': groupsOf,
  'instance.group-name': (view) => groupsOf(view).map((id) => `name of ${id}`),
  'key-name': ({ reservation }) => reservation.spec.keyName,
  'launch-index': ({ instance }) => instance.launchIndex,
  'launch-time': ({ instance }) => isoTime(instance.launchedAt),
  'metadata-options.http-tokens': ({ reservation }) => reservation.spec.httpTokens,
  'network-interface.network-interface-id': ({ instance, reservation }, world) =>
    reservation.spec.interfaces.map((_, part) => resourceId(world, 'eni', instance.number, part)),
  'owner-id': () => ownerId,
  'placement-group-name': ({ reservation }) => reservation.spec.placementGroup,
  'private-dns-name': ({ address }) => address?.name,
  'private-ip-address': ({ address }) => address?.ip,
  'reservation-id': ({ reservation }) => reservation.id,
  'root-device-name': ({ reservation }) => reservation.spec.image.rootDeviceName,
  'root-device-type': ({ reservation }) => reservation.spec.image.rootDeviceType,
  'spot-instance-request-id': (view, world) => spotRequestIdOf(world, view),
  'state-reason-code': ({ instance }) => instance.phase.reason?.code,
  'subnet-id': ({ reservation, state }) => (state === 'terminated' ? undefined : reservation.spec.subnetId),
  tenancy: ({ reservation }) => reservation.spec.tenancy,
  'vpc-id': ({ reservation, state }) => (state === 'terminated' ? undefined : reservation.spec.vpcId),
};

/** The key instances are ordered by in every listing. */
const launchOrder = ({ instance }: InstanceView): string => String(instance.number).padStart(9, '0');

const byReservation = (world: World, views: readonly InstanceView[]): XmlFields[] => {
  const groups = new Map<Reservation, InstanceView[]>();
  for (const view of views) {
    const group = groups.get(view.reservation);
    if (group === undefined) groups.set(view.reservation, [view]);
    else group.push(view);
  }
  return [...groups].map(([reservation, group]) => reservationXml(world, group, reservation));
};

export const describeInstances = describe<InstanceView>({
  ids: 'InstanceId',
  parameters: 'IncludeManagedResources',
  items: (world, ids) => {
    world.describeCalls += 1;
    const isVisible = ({ visibleFrom }: InstanceRecord): boolean => visibleFrom <= world.describeCalls;
    if (ids.length > 0) return viewsOf(world, ids, isVisible);
    return [...world.instances.values()].filter(isVisible).map((instance) => viewOf(world, instance));
  },
  keyOf: launchOrder,
  filters,
  tags: (view, world) => instanceTags(world, view),
  answer: (page, world) => ({ reservationSet: byReservation(world, page) }),
});

const mostIds = 100;

const checks = ({ state }: InstanceView): string => (state === 'running' ? 'ok' : 'not-applicable');

const statusFilters: FilterTable<InstanceView> = {
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

export const describeInstanceStatus = describe<InstanceView>({
  ids: 'InstanceId',
  parameters: 'IncludeAllInstances IncludeManagedResources',
  items: (world, ids, params) => {
    if (ids.length > mostIds) throw invalidValue(`At most ${mostIds} instance IDs can be described, not ${ids.length}`);
    const views = ids.length > 0 ? viewsOf(world, ids) : allViews(world);
    return views.filter(({ state }) => state === 'running' || params.flag('IncludeAllInstances') === true);
  },
  keyOf: launchOrder,
  filters: statusFilters,
  answer: (page) => ({ instanceStatusSet: page.map(statusXml) }),
});
