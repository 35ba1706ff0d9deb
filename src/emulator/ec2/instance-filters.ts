import type { World } from '../world.ts';
import { isoTime, ownerId } from './action.ts';
import type { FilterTable } from './filters.ts';
import { resourceId } from './ids.ts';
import { type InstanceView, spotRequestIdOf, volumeIds } from './instance-view.ts';
import { stateCodes } from './life-cycle.ts';

/** DescribeInstances' filters, `tag:` and `tag-key` apart. */
export const instanceFilters = (world: World): FilterTable<InstanceView> => {
  const groups = ({ reservation, state }: InstanceView): readonly string[] =>
    state === 'terminated' ? [] : reservation.spec.groups;
  const interfaces = ({ instance, reservation }: InstanceView): readonly string[] =>
    reservation.spec.interfaces.map((_, part) => resourceId(world, 'eni', instance.number, part));
  return {
    architecture: ({ reservation }) => reservation.spec.image.architecture,
    'availability-zone': ({ reservation }) => reservation.spec.zone,
    'block-device-mapping.volume-id': (view) => volumeIds(world, view),
    'client-token': ({ reservation }) => reservation.clientToken,
    'iam-instance-profile.arn': ({ reservation }) => reservation.spec.profileArn,
    'image-id': ({ reservation }) => reservation.spec.imageId,
    'instance-id': ({ instance }) => instance.id,
    'instance-lifecycle': ({ reservation }) => reservation.spec.lifecycle,
    'instance-state-code': ({ state }) => stateCodes[state],
    'instance-state-name': ({ state }) => state,
    'instance-type': ({ reservation }) => reservation.spec.instanceType,
    'instance.group-id': groups,
    'instance.group-name': (view) => groups(view).map((id) => `name of ${id}`),
    'key-name': ({ reservation }) => reservation.spec.keyName,
    'launch-index': ({ instance }) => instance.launchIndex,
    'launch-time': ({ instance }) => isoTime(instance.launchedAt),
    'metadata-options.http-tokens': ({ reservation }) => reservation.spec.httpTokens,
    'network-interface.network-interface-id': interfaces,
    'owner-id': () => ownerId,
    'placement-group-name': ({ reservation }) => reservation.spec.placementGroup,
    'private-dns-name': ({ address }) => address?.name,
    'private-ip-address': ({ address }) => address?.ip,
    'reservation-id': ({ reservation }) => reservation.id,
    'root-device-name': ({ reservation }) => reservation.spec.image.rootDeviceName,
    'root-device-type': ({ reservation }) => reservation.spec.image.rootDeviceType,
    'spot-instance-request-id': (view) => spotRequestIdOf(world, view),
    'state-reason-code': ({ instance }) => instance.phase.reason?.code,
    'subnet-id': ({ reservation, state }) => (state === 'terminated' ? undefined : reservation.spec.subnetId),
    tenancy: ({ reservation }) => reservation.spec.tenancy,
    'vpc-id': ({ reservation, state }) => (state === 'terminated' ? undefined : reservation.spec.vpcId),
  };
};
