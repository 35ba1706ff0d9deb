import type { XmlFields } from '../wire/xml.ts';
import type { Reservation, World } from '../world.ts';
import { isoTime, ownerId } from './action.ts';
import { resourceId } from './ids.ts';
import { type InstanceView, instanceTags, publicAddress, spotRequestIdOf, volumeIds } from './instance-view.ts';
import { type InstanceState, stateCodes } from './life-cycle.ts';
import { tagSet } from './tags.ts';

export const stateXml = (state: InstanceState): XmlFields => ({ code: stateCodes[state], name: state });

const groupSet = (groups: readonly string[]): XmlFields[] =>
  groups.map((groupId) => ({ groupId, groupName: `name of ${groupId}` }));

const transitionText = ({ instance: { phase } }: InstanceView): string => {
  if (phase.reason?.code !== 'Client.UserInitiatedShutdown') return '';
  return `User initiated (${isoTime(phase.since).slice(0, 19).replace('T', ' ')} GMT)`;
};

const stateReason = ({ instance: { phase }, state }: InstanceView): XmlFields | undefined => {
  if (state === 'pending') return { code: 'pending', message: 'pending' };
  return phase.reason === undefined ? undefined : { code: phase.reason.code, message: phase.reason.message };
};

const primaryInterface = ({ reservation: { spec } }: InstanceView) =>
  spec.interfaces.find(({ deviceIndex, networkCardIndex }) => deviceIndex === 0 && networkCardIndex === 0);

const publicOf = (world: World, view: InstanceView) =>
  view.state === 'running' && view.address !== undefined && primaryInterface(view)?.isPublic === true
    ? publicAddress(world, view.instance)
    : undefined;

const addressXml = ({ address, reservation: { spec } }: InstanceView): XmlFields =>
  spec.isIpv6 === true
    ? { ipv6Address: address?.ip, ipv6AddressesSet: address && [{ ipv6Address: address.ip }] }
    : { privateIpAddress: address?.ip };

const interfaceSet = (world: World, view: InstanceView): XmlFields[] => {
  const { instance, reservation, address } = view;
  const { spec } = reservation;
  return spec.interfaces.map((one, part) => ({
    networkInterfaceId: resourceId(world, 'eni', instance.number, part),
    subnetId: spec.subnetId,
    vpcId: spec.vpcId,
    ownerId,
    status: 'in-use',
    sourceDestCheck: true,
    interfaceType: 'interface',
    // Only the first interface's address is modelled.
    ...(one === primaryInterface(view) ? addressXml(view) : {}),
    privateDnsName: one === primaryInterface(view) ? address?.name : undefined,
    groupSet: groupSet(one.groups),
    attachment: {
      attachmentId: resourceId(world, 'eni-attach', instance.number, part),
      deviceIndex: one.deviceIndex,
      networkCardIndex: one.networkCardIndex,
      status: view.state === 'pending' ? 'attaching' : 'attached',
      attachTime: isoTime(instance.launchedAt),
      deleteOnTermination: true,
    },
  }));
};

const deviceMapping = (world: World, view: InstanceView): XmlFields[] => {
  const ids = volumeIds(world, view);
  return view.reservation.spec.volumes.map(({ device, deleteOnTermination }, part) => ({
    deviceName: device,
    ebs: {
      volumeId: ids[part],
      status: view.state === 'pending' ? 'attaching' : 'attached',
      attachTime: isoTime(view.instance.launchedAt),
      deleteOnTermination,
    },
  }));
};

const placement = (view: InstanceView): XmlFields => ({
  availabilityZone: view.reservation.spec.zone,
  groupName: view.reservation.spec.placementGroup ?? '',
  tenancy: view.reservation.spec.tenancy,
});

/** EC2 takes network and volumes away from a terminated instance. */
const attachments = (world: World, view: InstanceView): XmlFields => {
  const { spec } = view.reservation;
  if (view.state === 'terminated') return { blockDeviceMapping: [], networkInterfaceSet: [], groupSet: [] };
  return {
    subnetId: spec.subnetId,
    vpcId: spec.vpcId,
    ...addressXml(view),
    ipAddress: publicOf(world, view)?.ip,
    blockDeviceMapping: deviceMapping(world, view),
    networkInterfaceSet: interfaceSet(world, view),
    groupSet: groupSet(spec.groups),
  };
};

/** One instance as DescribeInstances and RunInstances show it. */
const instanceXml = (world: World, view: InstanceView): XmlFields => {
  const { instance, reservation, state, address } = view;
  const { spec } = reservation;
  return {
    instanceId: instance.id,
    imageId: spec.imageId,
    instanceState: stateXml(state),
    privateDnsName: address?.name ?? '',
    dnsName: publicOf(world, view)?.name ?? '',
    reason: transitionText(view),
    keyName: spec.keyName,
    amiLaunchIndex: instance.launchIndex,
    productCodes: [],
    instanceType: spec.instanceType,
    launchTime: isoTime(instance.launchedAt),
    placement: placement(view),
    monitoring: { state: spec.monitoring ? 'enabled' : 'disabled' },
    ...attachments(world, view),
    sourceDestCheck: true,
    stateReason: stateReason(view),
    architecture: spec.image.architecture,
    rootDeviceType: spec.image.rootDeviceType,
    rootDeviceName: spec.image.rootDeviceName,
    virtualizationType: 'hvm',
    hypervisor: 'xen',
    instanceLifecycle: spec.lifecycle,
    spotInstanceRequestId: spotRequestIdOf(world, view),
    capacityReservationId: spec.capacityReservationId,
    clientToken: reservation.clientToken ?? '',
    tagSet: tagSet(instanceTags(world, view)),
    iamInstanceProfile: spec.profileArn === undefined ? undefined : { arn: spec.profileArn, id: 'AIPAEMULATED' },
    ebsOptimized: spec.ebsOptimized,
    enaSupport: true,
    cpuOptions: { coreCount: spec.coreCount, threadsPerCore: spec.threadsPerCore },
    metadataOptions: {
      state: state === 'pending' ? 'pending' : 'applied',
      httpTokens: spec.httpTokens,
      httpPutResponseHopLimit: spec.hopLimit,
      httpEndpoint: 'enabled',
    },
  };
};

/** A reservation with those of its instances that `views` holds. */
export const reservationXml = (world: World, views: readonly InstanceView[], reservation: Reservation): XmlFields => ({
  reservationId: reservation.id,
  ownerId,
  groupSet: [],
  instancesSet: views.map((view) => instanceXml(world, view)),
});
