import { grant, roomFor } from '../ec2/capacity.ts';
import { launch } from '../ec2/launch.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { LaunchSpec, World } from '../world.ts';
import { countedMembers } from './members.ts';
import { type Candidate, candidatesOf, type MarketPlan, type Plan } from './plan.ts';
import type { FleetRecord, Market, NewEvent, Place, Units } from './record.ts';

const unfulfillable =
  'Unable to fulfill capacity due to your request configuration. Please adjust your request and try again.';

type Launchable = Candidate & { readonly spec: LaunchSpec };

const isLaunchable = (candidate: Candidate): candidate is Launchable => candidate.spec !== undefined;

const placeOf = (market: Market, { pool, spec }: Candidate): Place => ({
  market,
  instanceType: spec?.instanceType,
  zone: spec?.zone,
  subnetId: spec?.subnetId,
  echo: pool.echo,
});

const unitsIn = (world: World, candidates: readonly Launchable[]): number =>
  candidates.reduce((sum, { pool, spec }) => sum + roomFor(world, spec) * pool.weight, 0);

const byFreeCapacity =
  (world: World) =>
  (a: Launchable, b: Launchable): number => {
    const [left, right] = [roomFor(world, a.spec), roomFor(world, b.spec)];
    return left === right ? 0 : right - left;
  };

/** Listed order decides between equals, and for lowest-price altogether: pools have no prices. */
const inOrder = (world: World, { strategy }: MarketPlan, candidates: readonly Launchable[]): readonly Launchable[] => {
  if (strategy.endsWith('prioritized'))
    return candidates.toSorted((a, b) => (a.pool.priority === b.pool.priority ? 0 : a.pool.priority - b.pool.priority));
  return strategy.includes('capacity-optimized') ? candidates.toSorted(byFreeCapacity(world)) : candidates;
};

const groupedBy = <T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
};

/** With one type or zone asked for, those candidates of the one that holds most of what is missing. */
const restricted = (
  world: World,
  { isOneType, isOneZone }: MarketPlan,
  candidates: readonly Launchable[],
  missing: number,
): readonly Launchable[] => {
  const groups = groupedBy(
    candidates,
    ({ spec }) => `${isOneType ? spec.instanceType : ''} ${isOneZone ? spec.zone : ''}`,
  );
  const held = (group: readonly Launchable[]): number => Math.min(missing, unitsIn(world, group));
  return groups.toSorted((a, b) => held(b) - held(a))[0] ?? [];
};

interface Share {
  readonly candidates: readonly Launchable[];
  /** Units that count as held already when shares are made equal. */
  readonly have: number;
}

/** Candidates that are to get equal shares: pools of a diversified market, zones of a group, or all in one. */
const sharesOf = (
  world: World,
  fleet: FleetRecord,
  plan: Plan,
  market: MarketPlan,
  candidates: readonly Launchable[],
): readonly Share[] => {
  if (!plan.isBalanced) {
    if (market.poolsToUse <= 1) return [{ candidates, have: 0 }];
    return candidates.slice(0, market.poolsToUse).map((one) => ({ candidates: [one], have: 0 }));
  }
  const zoneOf = (reservationId: string) => world.reservations.get(reservationId)?.spec.zone;
  const zones = countedMembers(world, fleet).map(({ reservationId }) => zoneOf(reservationId));
  return groupedBy(candidates, ({ spec }) => spec.zone)
    .map((group) => ({ candidates: group, have: zones.filter((zone) => zone === group[0]?.spec.zone).length }))
    .toSorted((a, b) => a.have - b.have);
};

/** Launches up to `missing` units of one market, or none if that is less than the least wanted. */
const fillMarket = (
  world: World,
  fleet: FleetRecord,
  plan: Plan,
  market: Market,
  missing: number,
): readonly NewEvent[] => {
  const launched: NewEvent[] = [];
  const failed = new Map<string, NewEvent>();
  const fail = (candidate: Candidate, { code, message }: ServiceError): void => {
    const place = placeOf(market, candidate);
    failed.set(JSON.stringify([place, code]), { kind: 'failed', text: code, instanceIds: [], place, message });
  };
  const take = (some: readonly Launchable[], units: number): number => {
    let rest = units;
    for (const candidate of some) {
      if (rest <= 0) break;
      const { pool, spec } = candidate;
      const wanted = Math.ceil(rest / pool.weight);
      const count = Math.min(wanted, roomFor(world, spec));
      if (count < wanted) fail(candidate, refusalOf(world, spec, wanted));
      if (count === 0) continue;
      const member = { fleetId: fleet.id, market, weight: pool.weight, isProtected: plan.isProtecting };
      const { instanceIds } = launch(world, { spec, count, member });
      launched.push({ kind: 'launched', text: spec.instanceType, instanceIds, place: placeOf(market, candidate) });
      rest -= count * pool.weight;
    }
    return units - rest;
  };

  const marketPlan = plan.markets[market];
  const all = plan.pools.flatMap((pool) => candidatesOf(world, pool, market, plan.tags));
  for (const candidate of all) if (candidate.error !== undefined) fail(candidate, candidate.error);
  const candidates = restricted(world, marketPlan, inOrder(world, marketPlan, all.filter(isLaunchable)), missing);
  if (unitsIn(world, candidates) < marketPlan.least) {
    for (const candidate of candidates) fail(candidate, new ServiceError('UnfulfillableCapacity', unfulfillable));
    return [...failed.values()];
  }
  let rest = missing;
  const shares = sharesOf(world, fleet, plan, marketPlan, candidates);
  for (const [index, share] of shares.entries()) {
    const later = shares.slice(index);
    const level = Math.ceil((rest + later.reduce((sum, { have }) => sum + have, 0)) / later.length);
    rest -= take(share.candidates, Math.min(rest, level - share.have));
  }
  take(candidates, rest);
  return [...failed.values(), ...launched];
};

/** EC2's reason for not giving the whole of it. */
const refusalOf = (world: World, spec: LaunchSpec, count: number): ServiceError => {
  try {
    grant(world, spec, count, count);
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  return new ServiceError('InternalError', 'There was room after all');
};

/** Launches what a fleet misses, on demand first, as far as its pools hold it; tells what it launched and what failed. */
export const fill = (world: World, fleet: FleetRecord, plan: Plan, missing: Units): readonly NewEvent[] =>
  (['on-demand', 'spot'] as const)
    .filter((market) => missing[market] > 0)
    .flatMap((market) => fillMarket(world, fleet, plan, market, missing[market]));
