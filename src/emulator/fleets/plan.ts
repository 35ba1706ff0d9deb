import { required } from '../ec2/action.ts';
import { matchingTypes } from '../ec2/instance-types.ts';
import { readLaunchSpec } from '../ec2/launch-spec.ts';
import { overlay, withTemplate } from '../ec2/launch-templates.ts';
import { readTagSpecifications } from '../ec2/tags.ts';
import { type Form, lowerFirst, type Parameters, readParameters } from '../wire/parameters.ts';
import { invalidCombination, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { LaunchSpec, Tags, World } from '../world.ts';
import type { FleetRecord, Market, Units } from './record.ts';

export interface MarketPlan {
  /** In EC2 Fleet's spelling. */
  readonly strategy: string;
  /** So many pools share a market's capacity; the others are for what those cannot hold. */
  readonly poolsToUse: number;
  /** Fewer units than this and nothing is launched. */
  readonly least: number;
  readonly isOneType: boolean;
  readonly isOneZone: boolean;
}

/** What a fleet's parameters come to: where it launches, and how it chooses. */
export interface Plan {
  readonly pools: readonly Pool[];
  readonly markets: Readonly<Record<Market, MarketPlan>>;
  /** On what the fleet launches, by resource type. */
  readonly tags: Readonly<Record<string, Tags>>;
  readonly isProtecting: boolean;
  /** Whether zones get the same number of instances. */
  readonly isBalanced: boolean;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** A market's plan; `strategy` in any of AWS's spellings. */
export const marketPlan = (strategy: string | undefined, poolsToUse = 1, options?: Parameters): MarketPlan => ({
  strategy: kebab(strategy ?? 'lowest-price'),
  poolsToUse: kebab(strategy ?? '') === 'diversified' ? Infinity : poolsToUse,
  least: options?.number('MinTargetCapacity') ?? 0,
  isOneType: options?.flag('SingleInstanceType') ?? false,
  isOneZone: options?.flag('SingleAvailabilityZone') ?? false,
});

/** One way to launch: a launch template with an override, or a launch specification. */
export interface Pool {
  /** As RunInstances names it; subnets or zones may be several, with commas between. */
  readonly form: Form;
  readonly weight: number;
  readonly priority: number;
  readonly maxPrice: string | undefined;
  readonly echo: XmlFields;
}

/** A pool at one type and place, as far as it can be launched at all. */
export interface Candidate {
  readonly pool: Pool;
  readonly spec?: LaunchSpec;
  readonly error?: ServiceError;
}

// Where fleets' names of launch parameters differ from RunInstances'.
const renames: readonly (readonly [RegExp, string])[] = [
  [/^AvailabilityZone$/, 'Placement.AvailabilityZone'],
  [/^GroupSet\.(\d+)\.GroupId$/, 'SecurityGroupId.$1'],
  [/^TagSpecificationSet\./, 'TagSpecification.'],
  [/^NetworkInterfaceSet\./, 'NetworkInterface.'],
];
const notOfTheLaunch =
  /^(WeightedCapacity|Priority|MaxPrice|SpotPrice|AddressingType|LaunchTemplateSpecification\..*)$/;

/** A pool from an override or a launch specification, over the launch template if there is one. */
export const poolOf = (params: Parameters, template: Parameters | undefined): Pool => {
  const form = new Map<string, string>();
  for (const [name, value] of params.form()) {
    if (notOfTheLaunch.test(name)) continue;
    form.set(
      renames.reduce((old, [from, to]) => old.replace(from, to), name),
      value,
    );
  }
  for (const [name, value] of template?.form() ?? []) form.set(`LaunchTemplate.${name}`, value);
  return {
    form,
    weight: params.number('WeightedCapacity') ?? 1,
    priority: params.number('Priority') ?? Infinity,
    maxPrice: params.text('MaxPrice') ?? params.text('SpotPrice'),
    echo: { launchTemplateSpecification: template?.echo(lowerFirst), overrides: params.echo(lowerFirst) },
  };
};

/** The pools of `LaunchTemplateConfigs`: every override of every template, or the template as it is. */
export const templatePools = (configs: readonly Parameters[]): readonly Pool[] =>
  configs.flatMap((config) => {
    const template = config.below('LaunchTemplateSpecification');
    const overrides = config.each('Overrides');
    return (overrides.length === 0 ? [readParameters([])] : overrides).map((one) =>
      poolOf(one, one.has('LaunchTemplateSpecification') ? one.below('LaunchTemplateSpecification') : template),
    );
  });

const typesFor = (pool: Pool, merged: Parameters): readonly string[] => {
  const hasOwnRequirements = [...pool.form.keys()].some((name) => name.startsWith('InstanceRequirements'));
  const type = pool.form.get('InstanceType') ?? (hasOwnRequirements ? undefined : merged.text('InstanceType'));
  if (type !== undefined) return [type];
  return matchingTypes(merged.below('InstanceRequirements')).map(({ name }) => name);
};

const placesFor = (merged: Parameters): readonly Form[] => {
  const nameOf = merged.has('SubnetId') ? 'SubnetId' : 'Placement.AvailabilityZone';
  const values = merged
    .text(nameOf)
    ?.split(',')
    .map((one) => one.trim());
  // A subnet goes to the first network interface where the template has some.
  const name = nameOf === 'SubnetId' && merged.has('NetworkInterface') ? 'NetworkInterface.1.SubnetId' : nameOf;
  return values?.map((value) => new Map([[name, value]])) ?? [new Map()];
};

const marketForm = (market: Market, maxPrice: string | undefined): Form =>
  new Map(
    market === 'on-demand'
      ? []
      : [
          ['InstanceMarketOptions.MarketType', 'spot'],
          ...(maxPrice === undefined ? [] : [['InstanceMarketOptions.SpotOptions.MaxPrice', maxPrice] as const]),
        ],
  );

const withTags = (spec: LaunchSpec, tags: Readonly<Record<string, Tags>>): LaunchSpec => {
  const types = [...new Set([...Object.keys(spec.tags), ...Object.keys(tags)])];
  return { ...spec, tags: Object.fromEntries(types.map((type) => [type, { ...spec.tags[type], ...tags[type] }])) };
};

const attempt = (pool: Pool, read: () => readonly Candidate[]): readonly Candidate[] => {
  try {
    return read();
  } catch (error) {
    if (error instanceof ServiceError) return [{ pool, error }];
    throw error;
  }
};

/** A pool at all its types and places, with the fleet's tags on what it launches. */
export const candidatesOf = (
  world: World,
  pool: Pool,
  market: Market,
  tags: Readonly<Record<string, Tags>>,
): readonly Candidate[] =>
  attempt(pool, () => {
    const merged = withTemplate(world, overlay(pool.form, marketForm(market, pool.maxPrice)));
    const params = readParameters(merged);
    // Its subnet goes to the first network interface.
    const base = params.has('NetworkInterface')
      ? readParameters([...merged].filter(([name]) => name !== 'SubnetId'))
      : params;
    const types = typesFor(pool, params);
    if (types.length === 0)
      throw new ServiceError('UnfulfillableCapacity', 'No instance types match the instance requirements.');
    return types.flatMap((type) =>
      placesFor(params).flatMap((place) =>
        attempt(pool, () => {
          const spec = readLaunchSpec(world, base.over(new Map([['InstanceType', type], ...place])));
          return [{ pool, spec: withTags(spec, tags) }];
        }),
      ),
    );
  });

/** What an instant fleet may tag; interfaces are tagged by launch templates. */
export const instantTags = ['fleet', 'instance', 'volume'];

/** The target by market; what `TotalTargetCapacity` leaves over goes to the default one. */
export const ec2FleetTarget = (params: Parameters): Units => {
  const spec = params.below('TargetCapacitySpecification');
  const total = required(spec.number('TotalTargetCapacity'), 'TargetCapacitySpecification.TotalTargetCapacity');
  const [onDemand, spot] = [spec.number('OnDemandTargetCapacity') ?? 0, spec.number('SpotTargetCapacity') ?? 0];
  const rest = total - onDemand - spot;
  if (rest < 0)
    throw invalidCombination('On-Demand and Spot target capacity must not exceed the total target capacity');
  return spec.text('DefaultTargetCapacityType') === 'spot'
    ? { 'on-demand': onDemand, spot: spot + rest }
    : { 'on-demand': onDemand + rest, spot };
};

export const ec2FleetPlan = ({ id, order }: FleetRecord): Plan => {
  const params = readParameters(order);
  const [spot, onDemand] = [params.below('SpotOptions'), params.below('OnDemandOptions')];
  const { fleet: _, ...tags } = readTagSpecifications(params, instantTags);
  return {
    pools: templatePools(params.each('LaunchTemplateConfigs')),
    markets: {
      spot: marketPlan(spot.text('AllocationStrategy'), spot.number('InstancePoolsToUseCount'), spot),
      'on-demand': marketPlan(onDemand.text('AllocationStrategy'), 1, onDemand),
    },
    tags: { ...tags, instance: { ...tags['instance'], 'aws:ec2:fleet-id': id } },
    isProtecting: false,
    isBalanced: false,
  };
};

export const spotFleetTarget = (config: Parameters): Units => {
  const total = required(config.number('TargetCapacity'), 'SpotFleetRequestConfig.TargetCapacity');
  const onDemand = config.number('OnDemandTargetCapacity') ?? 0;
  if (onDemand > total) throw invalidCombination('OnDemandTargetCapacity must not exceed TargetCapacity');
  return { 'on-demand': onDemand, spot: total - onDemand };
};

export const spotFleetPools = (config: Parameters): readonly Pool[] => [
  ...config.each('LaunchSpecifications').map((one) => poolOf(one, undefined)),
  ...templatePools(config.each('LaunchTemplateConfigs')),
];

export const spotFleetPlan = ({ id, order }: FleetRecord): Plan => {
  const params = readParameters(order);
  const price = params.text('SpotPrice');
  return {
    pools: spotFleetPools(params).map((pool) => ({ ...pool, maxPrice: pool.maxPrice ?? price })),
    markets: {
      spot: marketPlan(params.text('AllocationStrategy'), params.number('InstancePoolsToUseCount')),
      'on-demand': marketPlan(params.text('OnDemandAllocationStrategy')),
    },
    tags: { instance: { 'aws:ec2spot:fleet-request-id': id } },
    isProtecting: false,
    isBalanced: false,
  };
};
