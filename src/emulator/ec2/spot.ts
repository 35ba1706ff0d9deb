import { announce } from '../queues.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { Tags, World } from '../world.ts';
import { isoTime } from './action.ts';
import { describe, type FilterTable } from './describe.ts';
import { allViews, type InstanceView, spotRequestIdOf, tagsOf } from './instance-view.ts';
import { moveInto } from './state-changes.ts';
import { tagSet } from './tags.ts';

interface SpotStatus {
  readonly state: 'active' | 'closed' | 'disabled';
  readonly code: string;
  readonly at: number;
}

const stateOfCode = (code: string): SpotStatus['state'] => {
  if (code.startsWith('instance-terminated-')) return 'closed';
  return code.startsWith('instance-stopped-') ? 'disabled' : 'active';
};

/** The status of the request behind a Spot instance: what was set out of band, else what the instance's life says. */
export const spotStatusOf = ({ instance, state }: InstanceView): SpotStatus => {
  const isGone = state === 'shutting-down' || state === 'terminated';
  const set = instance.spotStatus;
  // A notice (marked-for-...) ends with the instance; a reason for the end stays.
  if (set !== undefined && (!isGone || set.code.startsWith('instance-terminated-')))
    return { state: stateOfCode(set.code), ...set };
  return isGone
    ? { state: 'closed', code: 'instance-terminated-by-user', at: instance.phase.since }
    : { state: 'active', code: 'fulfilled', at: instance.launchedAt };
};

/** Sets the status as AWS would in an interruption; `instance-terminated-*` and `instance-stopped-*` happen to the instance too. */
export const setSpotStatus = (world: World, view: InstanceView, code: string): void => {
  const instance = { ...view.instance, spotStatus: { code, at: world.now() } };
  world.instances.set(instance.id, instance);
  if (code === 'marked-for-termination' || code === 'marked-for-stop')
    announce(world, 'EC2 Spot Instance Interruption Warning', {
      'instance-id': instance.id,
      'instance-action': code.endsWith('stop') ? 'stop' : 'terminate',
    });
  const reason = {
    code: 'Server.SpotInstanceTermination',
    message: 'Server.SpotInstanceTermination: Spot instance termination',
  };
  if (code.startsWith('instance-terminated-')) moveInto(world, { ...view, instance }, 'shutting-down', reason);
  if (code.startsWith('instance-stopped-')) {
    const stopped = {
      code: 'Server.SpotInstanceShutdown',
      message: 'Server.SpotInstanceShutdown: Spot instance stopped',
    };
    moveInto(world, { ...view, instance }, 'stopping', stopped);
  }
};

interface SpotRequest {
  readonly id: string;
  readonly view: InstanceView;
}

const allRequests = (world: World): readonly SpotRequest[] =>
  allViews(world).flatMap((view) => {
    const id = spotRequestIdOf(world, view);
    return id === undefined ? [] : { id, view };
  });

const requestsById = (world: World, ids: readonly string[]): readonly SpotRequest[] => {
  const requests = new Map(allRequests(world).map((request) => [request.id, request]));
  return ids.map((id) => {
    const request = requests.get(id);
    if (request !== undefined) return request;
    const code = /^sir-[0-9a-z]{8}$/.test(id) ? 'NotFound' : 'Malformed';
    throw new ServiceError(
      `InvalidSpotInstanceRequestID.${code}`,
      `The spot instance request ID '${id}' does not exist`,
    );
  });
};

const filters: FilterTable<SpotRequest> = {
  'availability-zone': ({ view }) => view.reservation.spec.zone,
  'instance-id': ({ view }) => view.instance.id,
  'launch.image-id': ({ view }) => view.reservation.spec.imageId,
  'launch.instance-type': ({ view }) => view.reservation.spec.instanceType,
  'launched-availability-zone': ({ view }) => view.reservation.spec.zone,
  'spot-instance-request-id': ({ id }) => id,
  state: ({ view }) => spotStatusOf(view).state,
  'status-code': ({ view }) => spotStatusOf(view).code,
  type: () => 'one-time',
};

const tags = ({ id, view }: SpotRequest, world: World): Tags =>
  tagsOf(world, id, view.reservation, 'spot-instances-request');

const requestXml = (world: World, request: SpotRequest): XmlFields => {
  const { instance, reservation } = request.view;
  const { spec } = reservation;
  const { state, code, at } = spotStatusOf(request.view);
  return {
    spotInstanceRequestId: request.id,
    spotPrice: spec.spotPrice,
    type: 'one-time',
    state,
    status: { code, updateTime: isoTime(at), message: `Your Spot request is ${code}.` },
    launchSpecification: { imageId: spec.imageId, instanceType: spec.instanceType, subnetId: spec.subnetId },
    instanceId: instance.id,
    createTime: isoTime(instance.launchedAt),
    productDescription: 'Linux/UNIX',
    launchedAvailabilityZone: spec.zone,
    instanceInterruptionBehavior: 'terminate',
    tagSet: tagSet(tags(request, world)),
  };
};

export const describeSpotInstanceRequests = describe<SpotRequest>({
  ids: 'SpotInstanceRequestId',
  items: (world, ids) => (ids.length > 0 ? requestsById(world, ids) : allRequests(world)),
  keyOf: ({ id }) => id,
  filters,
  tags,
  answer: (page, world) => ({ spotInstanceRequestSet: page.map((request) => requestXml(world, request)) }),
});

interface Price {
  readonly type: string;
  readonly zone: string;
  readonly price: number;
}

const pairOf = ({ type, zone }: Price): string => `${type} ${zone}`;

/** The prices that hold now; the emulator has no past. */
export const describeSpotPriceHistory = describe<Price>({
  ids: 'InstanceType',
  pagesIds: true,
  parameters: 'AvailabilityZone EndTime ProductDescription.N StartTime',
  items: ({ settings }, types, params) => {
    const wanted = params.text('AvailabilityZone');
    const prices = Object.entries(settings.spotPrices).map(([pool, price]): Price => {
      const [type = '', zone = ''] = pool.split(':');
      return { type, zone, price };
    });
    return prices
      .filter(({ type }) => types.length === 0 || types.includes(type))
      .filter(({ zone }) => wanted === undefined || wanted === zone)
      .sort((a, b) => (pairOf(a) < pairOf(b) ? -1 : 1));
  },
  keyOf: pairOf,
  filters: { 'availability-zone': ({ zone }) => zone, 'instance-type': ({ type }) => type },
  answer: (page, { now }) => ({
    spotPriceHistorySet: page.map(({ type, zone, price }) => ({
      instanceType: type,
      productDescription: 'Linux/UNIX',
      spotPrice: price.toFixed(6),
      timestamp: isoTime(now()),
      availabilityZone: zone,
    })),
    nextToken: '',
  }),
});
