import { listing, parameterTable } from '../wire/parameter-table.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { Tags, World } from '../world.ts';
import { type Action, isoTime } from './action.ts';
import type { FilterTable } from './filters.ts';
import { allViews, type InstanceView, spotRequestIdOf, tagsOf } from './instance-view.ts';
import { pageOf } from './paging.ts';
import { spotStatusOf } from './spot-status.ts';
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

const tags = (world: World, { id, view }: SpotRequest): Tags =>
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
    tagSet: tagSet(tags(world, request)),
  };
};

export const describeSpotInstanceRequests: Action = {
  parameters: parameterTable(`SpotInstanceRequestId.N ${listing}`),
  answer: (world, params) => {
    const idsParameter = 'SpotInstanceRequestId';
    const ids = params.list(idsParameter);
    const { page, nextToken } = pageOf(world, params, {
      idsParameter,
      items: ids.length > 0 ? requestsById(world, ids) : allRequests(world),
      filters,
      tags: (request) => tags(world, request),
      keyOf: ({ id }) => id,
    });
    return { spotInstanceRequestSet: page.map((request) => requestXml(world, request)), nextToken };
  },
};
