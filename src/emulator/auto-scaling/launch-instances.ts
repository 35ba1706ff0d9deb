import { once } from '../client-tokens.ts';
import { action, required } from '../ec2/action.ts';
import { subnetOf } from '../ec2/subnets.ts';
import { changedEvent, isAlive, membersOf, recordFleet, unitsOf } from '../fleets/members.ts';
import type { FleetRecord, NewEvent } from '../fleets/record.ts';
import { fillUp, missingOf } from '../fleets/settle.ts';
import { type Parameters, readParameters } from '../wire/parameters.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { groupPlan, groupTarget, groupZones } from './group-plan.ts';
import { groupOf, invalid, namedGroup, reorder, sizesOf, withDesired } from './groups.ts';

// API reference of LaunchInstances: instances per call, characters of a token.
const mostToLaunch = 100;
const longestToken = 64;

/** The places a launch is confined to, as launch parameters; a group of several zones needs them named. */
const placesOf = (world: World, group: FleetRecord, params: Parameters): readonly (readonly [string, string])[] => {
  const [zones, subnets] = [params.list('AvailabilityZones'), params.list('SubnetIds')];
  const own = new Map(group.order).get('VPCZoneIdentifier')?.split(',') ?? [];
  const known = groupZones(world, group);
  if (zones.length + subnets.length === 0 && known.length > 1)
    throw invalid('AvailabilityZones or SubnetIds must be specified for a group of several Availability Zones');
  if (zones.some((zone) => !known.includes(zone)) || subnets.some((subnet) => !own.includes(subnet)))
    throw invalid('The Availability Zones or subnets are not those of the group');
  if (subnets.length > 0) return [['SubnetId', subnets.join(',')]];
  if (zones.length === 0 || own.length === 0)
    return zones.length === 0 ? [] : [['Placement.AvailabilityZone', zones.join(',')]];
  const within = own.filter((subnet) => zones.includes(subnetOf(world, subnet).zone));
  return [['SubnetId', within.join(',')]];
};

const launchNow = (world: World, params: Parameters): string => {
  const group = namedGroup(world, params);
  const requested = required(params.number('RequestedCapacity'), 'RequestedCapacity');
  const { max, desired } = sizesOf(group);
  if (desired + requested > max)
    throw invalid(
      `The requested capacity ${requested} and the desired capacity ${desired} exceed the max size ${max}.`,
    );
  const plan = groupPlan(group);
  const heaviest = Math.max(...plan.pools.map(({ weight }) => weight));
  if (requested < 1 || requested / heaviest > mostToLaunch)
    throw invalid(`RequestedCapacity must be 1 to ${mostToLaunch} instances`);
  const places = placesOf(world, group, params);
  const pools = plan.pools.map((pool) => ({ ...pool, form: new Map([...pool.form, ...places]) }));
  const aliveUnits = (): number => unitsOf(membersOf(world, group).filter(isAlive));
  const before = aliveUnits();
  const order = withDesired(group.order, before + requested);
  const missing = missingOf(world, { ...group, suspended: [], target: groupTarget(readParameters(order)) });
  const events = fillUp(world, recordFleet(world, group, {}, [changedEvent('launch')]), missing, { ...plan, pools });
  const isRetried = params.text('RetryStrategy') === 'RETRY_WITH_GROUP_CONFIGURATION';
  reorder(
    world,
    groupOf(world, group.id),
    withDesired(group.order, desired + (isRetried ? requested : aliveUnits() - before)),
  );

  const placeXml = ({ place }: NewEvent): XmlFields => ({
    InstanceType: place?.instanceType,
    MarketType: place?.market,
    SubnetId: place?.subnetId,
    AvailabilityZone: place?.zone,
  });
  const answer: XmlFields = {
    AutoScalingGroupName: group.id,
    ClientToken: params.text('ClientToken'),
    Instances: events
      .filter(({ kind }) => kind === 'launched')
      .map((event) => ({ ...placeXml(event), InstanceIds: event.instanceIds })),
    Errors: events
      .filter(({ kind }) => kind === 'failed')
      .map((event) => ({ ...placeXml(event), ErrorCode: event.text, ErrorMessage: event.message })),
  };
  return JSON.stringify(answer);
};

/** Launches into a group at once, and tells what came of it in the same answer. */
export const launchInstances = action(
  'AutoScalingGroupName AvailabilityZones.N AvailabilityZoneIds.N ClientToken RequestedCapacity RetryStrategy SubnetIds.N',
  (world, params) => JSON.parse(once(world, params, longestToken, () => launchNow(world, params))),
);
