import type { Instance } from '@aws-sdk/client-ec2';
import type { MachineState, Observation, OwnedObservation } from '../../../domain/machine.ts';
import { instanceTagsText, type Ownership, readOwnership } from './tags.ts';

/** EC2: only the low byte of the code tells the state. */
const stateByCode: ReadonlyMap<number, MachineState> = new Map([
  [0, 'pending'],
  [16, 'running'],
  [32, 'shutting-down'],
  [48, 'terminated'],
  [64, 'stopping'],
  [80, 'stopped'],
]);

const stateOf = ({ State }: Instance): MachineState => stateByCode.get((State?.Code ?? 0) & 0xff) ?? 'pending';

/**
 * With EFA an instance has several interfaces; the primary one is the first device of the first card. In a subnet that is IPv6-only
 * there is no other address than an IPv6 one.
 */
const primaryAddress = ({ PrivateIpAddress, Ipv6Address, NetworkInterfaces = [] }: Instance): string => {
  const primary = NetworkInterfaces.find(
    ({ Attachment }) => Attachment?.DeviceIndex === 0 && (Attachment.NetworkCardIndex ?? 0) === 0,
  );
  const ipv6 = primary?.Ipv6Addresses?.[0]?.Ipv6Address ?? Ipv6Address;
  return primary?.PrivateIpAddress ?? PrivateIpAddress ?? ipv6 ?? '';
};

const reasonOf = ({ StateReason, StateTransitionReason = '' }: Instance): string => {
  const { Code = '', Message = '' } = StateReason ?? {};
  if (Code === '') return StateTransitionReason;
  return Message === '' || Message.startsWith(Code) ? Message || Code : `${Code}: ${Message}`;
};

/** EC2's words for an instance as ours. */
export const toObservation = (instance: Instance): Observation => {
  const { LaunchTime, Placement } = instance;
  const reason = reasonOf(instance);
  return {
    machineId: instance.InstanceId ?? '',
    state: stateOf(instance),
    name: instance.PrivateDnsName ?? '',
    privateIpAddress: primaryAddress(instance),
    publicIpAddress: instance.PublicIpAddress ?? '',
    ...(LaunchTime === undefined ? {} : { launchTime: Math.floor(LaunchTime.getTime() / 1000) }),
    instanceType: instance.InstanceType ?? '',
    priceType: instance.InstanceLifecycle === 'spot' ? 'spot' : 'ondemand',
    ...(Placement?.AvailabilityZone === undefined ? {} : { zone: Placement.AvailabilityZone }),
    ...(reason === '' ? {} : { reason }),
  };
};

/** The same with what its tags say of its owner. */
export const toOwnedObservation = (instance: Instance, ownership: Ownership): OwnedObservation => {
  const { Tags = [] } = instance;
  return { ...toObservation(instance), instanceTags: instanceTagsText(Tags), ...readOwnership(Tags, ownership) };
};
