/** The administrator's Auto Scaling groups in a replay: they gain and lose members as the recording shows. */
import type { AwsExchange } from '../../application/ports/recording.ts';
import { groupPlan } from '../../emulator/auto-scaling/group-plan.ts';
import { groupOf, makeGroup, reorder, sizesOf } from '../../emulator/auto-scaling/groups.ts';
import { instanceTags, viewOf } from '../../emulator/ec2/instance-view.ts';
import { subnetOf } from '../../emulator/ec2/subnets.ts';
import { countedMembers, type Member } from '../../emulator/fleets/members.ts';
import type { FleetRecord } from '../../emulator/fleets/record.ts';
import { dismiss, fillUp, missingOf } from '../../emulator/fleets/settle.ts';
import { changeInstance } from '../../emulator/instance-change.ts';
import type { World } from '../../emulator/world.ts';
import type { IdMap } from '../../recording/id-map.ts';
import {
  desiredAfter,
  groupAtFirst,
  groupOrder,
  groupsIn,
  launchedGroups,
  launchedInto,
  type SeenGroup,
  type SeenMember,
} from '../../recording/seen-groups.ts';
import { hasLaunchTemplate, putLaunchTemplate } from './replay-templates.ts';

/** What the group does not do by itself: members come and go when the recording shows that they have. */
const suspended = ['AZRebalance', 'Launch', 'Terminate'];

const imageIn = ({ told }: SeenGroup): string =>
  /"ImageId":"(ami-[0-9a-f]+)"/.exec(JSON.stringify(told))?.[1] ?? 'ami-00000000000000000';

export const createReplayGroups = ({
  world,
  exchanges,
  ids,
}: {
  readonly world: World;
  /** Of the whole recording. */
  readonly exchanges: readonly AwsExchange[];
  readonly ids: IdMap;
}) => {
  /** As the recording had them so far. */
  const recorded = new Map<string, SeenGroup>();

  const placeOf = ({ reservationId }: Member) => world.reservations.get(reservationId)?.spec;
  const isLike = (member: Member, { type, zone }: SeenMember): boolean =>
    placeOf(member)?.instanceType === type && placeOf(member)?.zone === zone;
  const free = (group: FleetRecord) => countedMembers(world, group).filter(({ id }) => !ids.isTaken(id));

  /** Launches one of this type and zone, as far as the group is to have more. */
  const launchLike = (group: FleetRecord, { type, zone }: SeenMember): void => {
    const plan = groupPlan(group);
    const ofType = plan.pools.filter(({ form }) => form.get('InstanceType') === type);
    const pools = (ofType.length > 0 ? ofType : plan.pools).map((pool) => {
      const subnets = pool.form.get('SubnetId')?.split(',') ?? [];
      const there = subnets.filter((id) => subnetOf(world, id).zone === zone);
      return there.length === 0 ? pool : { ...pool, form: new Map([...pool.form, ['SubnetId', there.join(',')]]) };
    });
    const missing = missingOf(world, { ...group, suspended: [] });
    const weight = pools[0]?.weight ?? 1;
    const onDemand = Math.min(weight, missing['on-demand']);
    const units = { 'on-demand': onDemand, spot: onDemand > 0 ? 0 : Math.min(weight, missing.spot) };
    if (units['on-demand'] + units.spot > 0) fillUp(world, group, units, { ...plan, pools });
  };

  /** Finds one of the replay's that stands for it, or launches it. */
  const pair = (name: string, member: SeenMember): void => {
    if (ids.of(member.id) !== undefined) return;
    if (!free(groupOf(world, name)).some((each) => isLike(each, member))) launchLike(groupOf(world, name), member);
    const standing = free(groupOf(world, name));
    const found = standing.find((each) => isLike(each, member)) ?? standing[0];
    if (found !== undefined) ids.learn(member.id, found.id);
  };

  const bringMembers = ({ name, members }: SeenGroup): void => {
    for (const member of members) {
      pair(name, member);
      const instance = world.instances.get(ids.of(member.id) ?? '');
      if (instance === undefined || !member.isRunning) continue;
      if (viewOf(world, instance).state === 'pending') changeInstance(world, instance.id, { state: 'running' });
    }
  };

  /** Ends the administrator's members that the group has no more; ours end when the replay or EC2's answers end them. */
  const dismissGone = (before: SeenGroup, seen: SeenGroup): void => {
    const shown = new Set(seen.members.map(({ id }) => ids.of(id)));
    const gone = new Set(before.members.map(({ id }) => ids.of(id)).filter((id) => !shown.has(id)));
    const members = countedMembers(world, groupOf(world, seen.name)).filter(({ id }) => gone.has(id));
    const isOurs = (member: Member): boolean =>
      instanceTags(world, viewOf(world, member))['hf-aws:request-id'] !== undefined;
    dismiss(
      world,
      members.filter((member) => !isOurs(member)),
      'a change of the group',
    );
  };

  const resize = ({ name, min, max }: SeenGroup, by: number): void => {
    const group = groupOf(world, name);
    const desired = Math.max(min, Math.min(max, sizesOf(group).desired + by));
    const sizes = { MinSize: min, MaxSize: max, DesiredCapacity: desired };
    const texts = Object.entries(sizes).map(([size, value]) => [size, String(value)] as const);
    reorder(world, group, [...new Map([...group.order, ...texts])]);
  };

  for (const name of launchedGroups(exchanges)) {
    const first = groupAtFirst(name, exchanges);
    if (first === undefined) continue;
    const shown = exchanges.flatMap(groupsIn).filter((group) => group.name === name);
    const launched = exchanges.flatMap((exchange) => [...launchedInto(exchange, name).values()]);
    const types = [...new Set([...shown.flatMap(({ members }) => members.map(({ type }) => type)), ...launched])];
    const { order, templates } = groupOrder(first, types);
    const data = [
      ['ImageId', imageIn(first)],
      ['InstanceType', types[0] ?? 'm5.large'],
    ] as const;
    // Those that the recording names and does not show.
    for (const { id, number } of templates)
      if (!hasLaunchTemplate(world, id, number)) putLaunchTemplate(world, { id, number, isDefault: false, data });
    makeGroup(world, name, order, [...new Set([...first.suspended, ...suspended])]);
    bringMembers(first);
    recorded.set(name, first);
  }

  return {
    /** Brings the groups to where a recorded answer shows them. What the administrator made of their sizes comes over what we did. */
    follow: (exchange: AwsExchange): void => {
      for (const seen of groupsIn(exchange)) {
        const before = recorded.get(seen.name);
        if (before === undefined) continue;
        resize(seen, seen.desired - before.desired);
        dismissGone(before, seen);
        bringMembers(seen);
        recorded.set(seen.name, seen);
      }
      for (const group of recorded.values())
        recorded.set(group.name, { ...group, desired: desiredAfter(exchange, group) });
    },
  };
};
