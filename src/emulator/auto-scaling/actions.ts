import { type Action, action, required } from '../ec2/action.ts';
import { viewOf, viewsOf } from '../ec2/instance-view.ts';
import { namedTemplate } from '../ec2/launch-templates.ts';
import { readTags } from '../ec2/tags.ts';
import { isAlive, type Member, membersOf, recordFleet } from '../fleets/members.ts';
import type { FleetRecord, NewEvent } from '../fleets/record.ts';
import { dismiss } from '../fleets/settle.ts';
import { templateReference } from '../wire/parameter-table.ts';
import { type Parameters, readParameters } from '../wire/parameters.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import {
  activitiesOf,
  describeAutoScalingGroups,
  describeAutoScalingInstances,
  describeScalingActivities,
} from './describe-groups.ts';
import { groupPlan } from './group-plan.ts';
import {
  checkShrinking,
  groupOf,
  invalid,
  makeGroup,
  managed,
  namedGroup,
  reorder,
  shrink,
  sizesOf,
  withDesired,
} from './groups.ts';
import { launchInstances } from './launch-instances.ts';

// API references of the actions: ids per call.
const mostToTerminate = 100;
const mostToProtect = 50;
const mostToMove = 20;

const processes = [
  'AZRebalance',
  'AddToLoadBalancer',
  'AlarmNotification',
  'HealthCheck',
  'InstanceRefresh',
  'Launch',
  'ReplaceUnhealthy',
  'ScheduledActions',
  'Terminate',
];

const groupParameters = `
  AutoScalingGroupName AvailabilityZones.N CapacityRebalance CapacityReservationSpecification{*} Context DefaultCooldown
  DefaultInstanceWarmup DeletionProtection DesiredCapacity DesiredCapacityType HealthCheckGracePeriod HealthCheckType
  InstanceMaintenancePolicy{*} LaunchTemplate${templateReference} MaxInstanceLifetime MaxSize MinSize
  MixedInstancesPolicy{*} NewInstancesProtectedFromScaleIn PlacementGroup ServiceLinkedRoleARN TerminationPolicies.N
  VPCZoneIdentifier`;

/** The parameters as the group keeps them, checked as far as a group is. */
const checkedOrder = (world: World, form: Iterable<readonly [string, string]>): FleetRecord['order'] => {
  const order = [...form].filter(([name]) => !['Action', 'Version'].includes(name));
  const { min, max, desired } = sizesOf({ order });
  if (min > max) throw invalid('Max bound must be greater than or equal to min bound');
  if (desired < min || desired > max)
    throw invalid(`Desired capacity:${desired} must be between the specified min size:${min} and max size:${max}`);
  const params = readParameters(order);
  if ((params.text('VPCZoneIdentifier') ?? '') === '' && params.list('AvailabilityZones').length === 0)
    throw invalid('At least one Availability Zone or VPC Subnet is required.');
  const mixed = params.below('MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification');
  const reference = params.has('MixedInstancesPolicy') ? mixed : params.below('LaunchTemplate');
  try {
    namedTemplate(world, reference);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw invalid(`You must use a valid fully-formed launch template. ${error.message}`);
  }
  return order;
};

const createGroup = action(
  `${groupParameters} Tag.N{Key Value PropagateAtLaunch ResourceId ResourceType} LifecycleHookSpecificationList.N{*} TrafficSources.N{*}`,
  (world, params) => {
    const id = required(params.text('AutoScalingGroupName'), 'AutoScalingGroupName');
    required(params.number('MaxSize'), 'MaxSize');
    required(params.number('MinSize'), 'MinSize');
    if (world.fleets.has(id))
      throw new ServiceError(
        'AlreadyExists',
        `AutoScalingGroup by this name already exists - A group with the name ${id} already exists`,
      );
    readTags(params);
    makeGroup(world, id, checkedOrder(world, params.form()));
    return {};
  },
);

/** An action on the group it names; most answer with nothing. */
const onGroup = (
  names: string,
  act: (world: World, group: FleetRecord, params: Parameters) => XmlFields | undefined,
): Action =>
  action(`AutoScalingGroupName ${names}`, (world, params) => act(world, namedGroup(world, params), params) ?? {});

const updateGroup = onGroup(groupParameters, (world, group, params) => {
  const dropped = ['LaunchTemplate', 'MixedInstancesPolicy'].some((name) => params.has(name))
    ? /^(LaunchTemplate|MixedInstancesPolicy)\./
    : /^$/;
  const merged = [...new Map([...group.order.filter(([name]) => !dropped.test(name)), ...params.form()])];
  const { min, max, desired } = sizesOf({ order: merged });
  const fitting = params.has('DesiredCapacity') ? desired : Math.max(min, Math.min(max, desired));
  reorder(world, group, checkedOrder(world, withDesired(merged, fitting)));
  return undefined;
});

const deleteGroup = onGroup('ForceDelete', (world, group, params) => {
  const alive = membersOf(world, group).filter(isAlive);
  if (alive.length > 0 && params.flag('ForceDelete') !== true)
    throw new ServiceError(
      'ResourceInUse',
      'You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.',
    );
  dismiss(world, alive, 'a deletion of the group');
  world.fleets.delete(group.id);
  return undefined;
});

const setDesiredCapacity = onGroup('DesiredCapacity HonorCooldown', (world, group, params) => {
  const desired = required(params.number('DesiredCapacity'), 'DesiredCapacity');
  const { min, max } = sizesOf(group);
  if (desired > max)
    throw invalid(`New SetDesiredCapacity value ${desired} is above max value ${max} for the AutoScalingGroup.`);
  if (desired < min)
    throw invalid(`New SetDesiredCapacity value ${desired} is below min value ${min} for the AutoScalingGroup.`);
  reorder(world, group, withDesired(group.order, desired));
  return undefined;
});

const changeProcesses = (change: (now: readonly string[], named: readonly string[]) => readonly string[]): Action =>
  onGroup('ScalingProcesses.N', (world, group, params) => {
    const named = params.list('ScalingProcesses');
    const unknown = named.find((name) => !processes.includes(name));
    if (unknown !== undefined) throw invalid(`Process type ${unknown} is not valid`);
    const suspended = [...new Set(change(group.suspended, named.length === 0 ? processes : named))];
    recordFleet(world, group, { suspended, touchedAt: world.now() });
    return undefined;
  });

const setMember = (world: World, { id }: Member, member: Member['member'] | undefined): void => {
  const instance = world.instances.get(id);
  if (instance !== undefined) world.instances.set(id, { ...instance, member });
};

const setInstanceProtection = onGroup('InstanceIds.N ProtectedFromScaleIn', (world, group, params) => {
  const isProtected = required(params.flag('ProtectedFromScaleIn'), 'ProtectedFromScaleIn');
  const members = managed(world, group, params.list('InstanceIds'), mostToProtect);
  for (const { instance, state } of members.map((member) => viewOf(world, member)))
    if (state !== 'running')
      throw invalid(`The instance ${instance.id} is not in InService or EnteringStandby or Standby.`);
  for (const one of members) setMember(world, one, { ...one.member, isProtected });
  return undefined;
});

const activities = (world: World, group: FleetRecord, events: readonly NewEvent[]): readonly XmlFields[] =>
  events.flatMap((event) =>
    activitiesOf(world, group, { ...event, at: world.now() }).map((xml) => ({
      ActivityId: `${world.now()}-${event.instanceIds[0]}`,
      ...xml,
    })),
  );

const terminateInstance = action(
  'AutoScalingGroupName InstanceId InstanceIds.N ShouldDecrementDesiredCapacity',
  (world, params) => {
    const isDecrementing = required(params.flag('ShouldDecrementDesiredCapacity'), 'ShouldDecrementDesiredCapacity');
    const single = params.text('InstanceId');
    const ids = single === undefined ? params.list('InstanceIds') : [single];
    if (single !== undefined && params.has('InstanceIds')) throw invalid('Either InstanceId or InstanceIds is allowed');
    const owner = single === undefined ? undefined : (world.instances.get(single)?.member?.fleetId ?? '');
    if (owner !== undefined && world.fleets.get(owner)?.api !== 'group')
      throw invalid(`Instance Id not found - No managed instance found for instance ID: ${single}`);
    const group = owner === undefined ? namedGroup(world, params) : groupOf(world, owner);
    const members = managed(world, group, ids, mostToTerminate);
    if (isDecrementing) checkShrinking(group, members);
    const events = dismiss(world, members, 'a user request');
    const told = activities(world, shrink(world, group, members, isDecrementing, events), events);
    return single === undefined ? { Activities: told } : { Activity: told[0] };
  },
);

const detachInstances = onGroup('InstanceIds.N ShouldDecrementDesiredCapacity', (world, group, params) => {
  const isDecrementing = required(params.flag('ShouldDecrementDesiredCapacity'), 'ShouldDecrementDesiredCapacity');
  const members = managed(world, group, params.list('InstanceIds'), mostToMove);
  if (isDecrementing) checkShrinking(group, members);
  for (const one of members) setMember(world, one, undefined);
  shrink(world, group, members, isDecrementing, []);
  return { Activities: [] };
});

const attachInstances = onGroup('InstanceIds.N', (world, group, params) => {
  const views = viewsOf(world, params.list('InstanceIds'));
  const { max, desired } = sizesOf(group);
  if (views.length > mostToMove) throw invalid(`At most ${mostToMove} instances can be attached`);
  if (views.some(({ instance, state }) => instance.member !== undefined || state !== 'running'))
    throw invalid('Only running instances that are in no group can be attached');
  if (desired + views.length > max)
    throw invalid(`AutoScalingGroup ${group.id} has max size ${max}: ${views.length} more instances exceed it`);
  const { isProtecting: isProtected } = groupPlan(group);
  for (const { instance } of views) {
    const member = { fleetId: group.id, market: 'on-demand', weight: 1, isProtected, isAttached: true } as const;
    world.instances.set(instance.id, { ...instance, member });
  }
  reorder(world, group, withDesired(group.order, desired + views.length));
  return undefined;
});

const createOrUpdateTags = action('Tag.N{Key Value PropagateAtLaunch ResourceId ResourceType}', (world, params) => {
  readTags(params);
  for (const tag of params.each('Tag')) {
    const group = groupOf(world, required(tag.text('ResourceId'), 'ResourceId'));
    const old = readParameters(group.order).each('Tag');
    const kept = old.filter((one) => one.text('Key') !== tag.text('Key'));
    const tags = [...kept, tag].flatMap((one, index) =>
      ['Key', 'Value', 'PropagateAtLaunch'].map((name) => [`Tag.${index + 1}.${name}`, one.text(name) ?? ''] as const),
    );
    recordFleet(world, group, { order: [...group.order.filter(([name]) => !name.startsWith('Tag.')), ...tags] });
  }
  return {};
});

/** All Auto Scaling actions the emulator knows. */
export const autoScalingActions: ReadonlyMap<string, Action> = new Map([
  ['AttachInstances', attachInstances],
  ['CreateAutoScalingGroup', createGroup],
  ['CreateOrUpdateTags', createOrUpdateTags],
  ['DeleteAutoScalingGroup', deleteGroup],
  ['DescribeAutoScalingGroups', describeAutoScalingGroups],
  ['DescribeAutoScalingInstances', describeAutoScalingInstances],
  ['DescribeScalingActivities', describeScalingActivities],
  ['DetachInstances', detachInstances],
  ['LaunchInstances', launchInstances],
  ['ResumeProcesses', changeProcesses((now, named) => now.filter((name) => !named.includes(name)))],
  ['SetDesiredCapacity', setDesiredCapacity],
  ['SetInstanceProtection', setInstanceProtection],
  ['SuspendProcesses', changeProcesses((now, named) => [...now, ...named])],
  ['TerminateInstanceInAutoScalingGroup', terminateInstance],
  ['UpdateAutoScalingGroup', updateGroup],
]);
