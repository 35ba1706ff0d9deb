import { ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { Tags, World } from '../world.ts';
import { isoTime } from './action.ts';
import { describe } from './describe.ts';
import type { FilterTable } from './filters.ts';
import { allViews, type InstanceView, spotRequestIdOf, tagsOf } from './instance-view.ts';
import { spotStatusOf } from './spot.ts';
import { tagSet } from './tags.ts';

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
