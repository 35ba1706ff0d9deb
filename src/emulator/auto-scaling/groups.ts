import { required } from '../ec2/action.ts';
import { changedEvent, countedMembers, type Member, recordFleet } from '../fleets/members.ts';
import type { FleetRecord, NewEvent } from '../fleets/record.ts';
import { isUneven } from '../fleets/settle.ts';
import { type Parameters, readParameters } from '../wire/parameters.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { Tags, World } from '../world.ts';
import { groupTarget } from './group-plan.ts';

export const invalid = (message: string): ServiceError => new ServiceError('ValidationError', message);

export const groupOf = (world: World, name: string): FleetRecord => {
  const group = world.fleets.get(name);
  if (group?.api === 'group') return group;
  throw invalid(`AutoScalingGroup name not found - AutoScalingGroup '${name}' not found`);
};

export const namedGroup = (world: World, params: Parameters): FleetRecord =>
  groupOf(world, required(params.text('AutoScalingGroupName'), 'AutoScalingGroupName'));

export const tagsOf = ({ order }: FleetRecord): Tags =>
  Object.fromEntries(
    readParameters(order)
      .each('Tag')
      .map((tag) => [tag.text('Key') ?? '', tag.text('Value') ?? '']),
  );

interface Sizes {
  readonly min: number;
  readonly max: number;
  readonly desired: number;
}

export const sizesOf = ({ order }: Pick<FleetRecord, 'order'>): Sizes => {
  const params = readParameters(order);
  const min = params.number('MinSize') ?? 0;
  return { min, max: params.number('MaxSize') ?? 0, desired: params.number('DesiredCapacity') ?? min };
};

/** A new group, without members. `order`: as CreateAutoScalingGroup takes it. */
export const makeGroup = (
  world: World,
  id: string,
  order: FleetRecord['order'],
  suspended: FleetRecord['suspended'] = [],
): void => {
  world.fleets.set(id, {
    id,
    api: 'group',
    type: 'maintain',
    order,
    target: groupTarget(readParameters(order)),
    obtained: { 'on-demand': 0, spot: 0 },
    createdAt: world.now(),
    touchedAt: world.now(),
    tags: {},
    events: [],
    suspended,
  });
};

/** The parameters with another desired capacity. */
export const withDesired = (order: FleetRecord['order'], desired: number): FleetRecord['order'] => [
  ...new Map([...order, ['DesiredCapacity', String(desired)]]),
];

/** Gives a group other parameters, and with them another target; its next attempt counts from now. */
export const reorder = (
  world: World,
  group: FleetRecord,
  order: FleetRecord['order'],
  events: readonly NewEvent[] = [],
): FleetRecord =>
  recordFleet(world, group, { order, target: groupTarget(readParameters(order)), touchedAt: world.now() }, [
    changedEvent('changed'),
    ...events,
  ]);

/** The members of these ids, also dead ones that the group may not notice; fails if one is none, or they are more than `most`. */
export const managed = (world: World, group: FleetRecord, ids: readonly string[], most: number): readonly Member[] => {
  if (ids.length === 0 || ids.length > most) throw invalid(`1 to ${most} instance ids are needed, not ${ids.length}`);
  const members = new Map(countedMembers(world, group).map((one) => [one.id, one]));
  return ids.map((id) => {
    const member = members.get(id);
    if (member !== undefined) return member;
    throw invalid(`Instance Id not found - No managed instance found for instance ID: ${id}`);
  });
};

/** Notes that members have left, in favour of a smaller group or of replacements; a smaller one may have to even its zones. */
export const shrink = (
  world: World,
  group: FleetRecord,
  members: readonly Member[],
  isDecrementing: boolean,
  events: readonly NewEvent[],
): FleetRecord => {
  if (!isDecrementing) return recordFleet(world, group, { touchedAt: world.now() }, events);
  const { desired } = sizesOf(group);
  const gone = members.reduce((sum, { member }) => sum + member.weight, 0);
  const smaller = reorder(world, group, withDesired(group.order, desired - gone), events);
  const hasToEven = !group.suspended.includes('AZRebalance') && isUneven(world, smaller);
  return recordFleet(world, smaller, { isUneven: hasToEven });
};

/** Fails if the group cannot do with so many instances less. */
export const checkShrinking = (group: FleetRecord, members: readonly Member[]): void => {
  const { min, desired } = sizesOf(group);
  if (desired - members.reduce((sum, { member }) => sum + member.weight, 0) >= min) return;
  throw invalid(
    `Currently, desiredSize equals minSize (${min}). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.`,
  );
};
