import { isoTime, ownerId } from '../ec2/action.ts';
import { describe } from '../ec2/describe.ts';
import { type InstanceView, viewOf } from '../ec2/instance-view.ts';
import { isAlive, isCounted, membersOf } from '../fleets/members.ts';
import type { FleetEvent, FleetRecord } from '../fleets/record.ts';
import { readParameters } from '../wire/parameters.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { groupZones } from './group-plan.ts';
import { groupOf, invalid, sizesOf, tagsOf } from './groups.ts';

const mostInstances = 50;

/** Of a member that the group counts: a dead one too, where the group may not notice. */
const inGroup = (state: InstanceView['state']): string => (state === 'pending' ? 'Pending' : 'InService');

const memberXml = (group: FleetRecord, { instance, reservation, state }: InstanceView): XmlFields => {
  const params = readParameters(group.order);
  const mixed = params.below('MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification');
  const weight = instance.member?.weight ?? 1;
  return {
    InstanceId: instance.id,
    AutoScalingGroupName: undefined,
    AvailabilityZone: reservation.spec.zone,
    LifecycleState: isCounted(group, instance) ? inGroup(state) : 'Terminating',
    HealthStatus: isAlive(instance) ? 'Healthy' : 'Unhealthy',
    ProtectedFromScaleIn: instance.member?.isProtected ?? false,
    InstanceType: reservation.spec.instanceType,
    ImageId: reservation.spec.imageId,
    WeightedCapacity: weight === 1 ? undefined : weight,
    LaunchTemplate:
      instance.member?.isAttached === true
        ? undefined
        : (params.has('LaunchTemplate') ? params.below('LaunchTemplate') : mixed).echo((name) => name),
  };
};

/** A terminated member is gone, unless the group may not notice. */
const shownMembers = (world: World, group: FleetRecord): readonly InstanceView[] =>
  membersOf(world, group)
    .map((instance) => viewOf(world, instance))
    .filter(
      ({ instance: { member }, state }) =>
        state !== 'terminated' || (group.suspended.includes('ReplaceUnhealthy') && member?.isLeaving !== true),
    );

const groupXml = (world: World, group: FleetRecord): XmlFields => {
  const params = readParameters(group.order);
  return {
    HealthCheckType: 'EC2',
    HealthCheckGracePeriod: 0,
    DefaultCooldown: 300,
    NewInstancesProtectedFromScaleIn: false,
    ...params.echo((name) => name),
    DesiredCapacity: sizesOf(group).desired,
    AvailabilityZones: groupZones(world, group),
    AutoScalingGroupARN: `arn:aws:autoscaling:${world.settings.region}:${ownerId}:autoScalingGroup:emulated:autoScalingGroupName/${group.id}`,
    CreatedTime: isoTime(group.createdAt),
    Instances: shownMembers(world, group).map((view) => memberXml(group, view)),
    SuspendedProcesses: group.suspended.map((ProcessName) => ({
      ProcessName,
      SuspensionReason: 'User suspended',
    })),
    Tag: undefined,
    Tags: params
      .each('Tag')
      .map((tag) => ({ ...tag.echo((name) => name), ResourceId: group.id, ResourceType: 'auto-scaling-group' })),
  };
};

const allGroups = (world: World): readonly FleetRecord[] =>
  [...world.fleets.values()].filter(({ api }) => api === 'group').sort((a, b) => (a.id < b.id ? -1 : 1));

export const describeAutoScalingGroups = describe<FleetRecord>({
  ids: 'AutoScalingGroupNames',
  pagesIds: true,
  parameters: 'IncludeInstances',
  items: (world, names) => allGroups(world).filter(({ id }) => names.length === 0 || names.includes(id)),
  keyOf: ({ id }) => id,
  filters: { 'tag-value': (group) => Object.values(tagsOf(group)) },
  tags: tagsOf,
  sizes: [1, 100],
  usual: 50,
  isOfRecords: true,
  answer: (page, world) => ({ AutoScalingGroups: page.map((group) => groupXml(world, group)) }),
});

interface GroupMember {
  readonly group: FleetRecord;
  readonly view: InstanceView;
}

export const describeAutoScalingInstances = describe<GroupMember>({
  ids: 'InstanceIds',
  pagesIds: true,
  items: (world, ids) => {
    if (ids.length > mostInstances) throw invalid(`The number of instance ids must not exceed ${mostInstances}`);
    return allGroups(world)
      .flatMap((group) => shownMembers(world, group).map((view) => ({ group, view })))
      .filter(({ view }) => ids.length === 0 || ids.includes(view.instance.id))
      .sort((a, b) => a.view.instance.number - b.view.instance.number);
  },
  keyOf: ({ view }) => view.instance.id,
  sizes: [1, mostInstances],
  usual: mostInstances,
  isOfRecords: true,
  answer: (page) => ({
    AutoScalingInstances: page.map(({ group, view }) => ({
      ...memberXml(group, view),
      HealthStatus: isAlive(view.instance) ? 'HEALTHY' : 'UNHEALTHY',
      AutoScalingGroupName: group.id,
    })),
  }),
});

const marketWords = { 'on-demand': 'On-Demand', spot: 'Spot' } as const;

/** An event of a group as scaling activities tell it, one for each instance. */
export const activitiesOf = (world: World, group: FleetRecord, event: FleetEvent): readonly XmlFields[] => {
  const { at, kind, text, message, place, instanceIds } = event;
  const common = {
    AutoScalingGroupName: group.id,
    StartTime: isoTime(at),
    Cause: `At ${isoTime(at)} an instance was ${kind === 'terminated' ? 'terminated' : 'started'} in response to ${kind === 'terminated' ? text : 'a difference between desired and actual capacity'}.`,
    Details: JSON.stringify({ 'Subnet ID': place?.subnetId, 'Availability Zone': place?.zone }),
  };
  if (kind === 'failed') {
    const market = marketWords[place?.market ?? 'on-demand'];
    return [
      {
        ...common,
        Description: 'Launching a new EC2 instance.  Status Reason: Could not launch instances.',
        EndTime: isoTime(at),
        StatusCode: 'Failed',
        StatusMessage: `Could not launch ${market} Instances. ${text} - ${message} Launching EC2 instance failed.`,
        Progress: 100,
      },
    ];
  }
  return instanceIds.map((id) => {
    const instance = world.instances.get(id);
    const isUnderWay = instance !== undefined && ['pending', 'shutting-down'].includes(viewOf(world, instance).state);
    return {
      ...common,
      Description: kind === 'launched' ? `Launching a new EC2 instance: ${id}` : `Terminating EC2 instance: ${id}`,
      StatusCode: isUnderWay ? 'InProgress' : 'Successful',
      Progress: isUnderWay ? 50 : 100,
      EndTime: isUnderWay ? undefined : isoTime(at),
    };
  });
};

interface Activity {
  readonly key: string;
  readonly xml: XmlFields;
}

const activitiesWithKeys = (world: World, group: FleetRecord): readonly Activity[] =>
  group.events.flatMap((event, index) =>
    event.kind === 'changed'
      ? []
      : activitiesOf(world, group, event).map((xml, part) => ({
          // Newest first.
          key: [9_999_999_999_999 - event.at, 999_999 - index, String(part).padStart(6, '0'), group.id].join('-'),
          xml,
        })),
  );

export const describeScalingActivities = describe<Activity>({
  ids: 'ActivityIds',
  pagesIds: true,
  parameters: 'AutoScalingGroupName IncludeDeletedGroups IncludeManagedResources',
  items: (world, ids, params) => {
    const name = params.text('AutoScalingGroupName');
    const groups = name === undefined ? allGroups(world) : [groupOf(world, name)];
    return groups
      .flatMap((group) => activitiesWithKeys(world, group))
      .filter(({ key }) => ids.length === 0 || ids.includes(key))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  },
  keyOf: ({ key }) => key,
  filters: {},
  sizes: [1, 100],
  usual: 100,
  isOfRecords: true,
  answer: (page) => ({ Activities: page.map(({ key, xml }) => ({ ActivityId: key, ...xml })) }),
});
