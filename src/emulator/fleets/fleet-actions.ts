import { type Action, action, isoTime, required, requiredList } from '../ec2/action.ts';
import { describe } from '../ec2/describe.ts';
import { type InstanceView, spotRequestIdOf, viewOf } from '../ec2/instance-view.ts';
import { tagSet } from '../ec2/tags.ts';
import { lowerFirst, type Parameters, readParameters } from '../wire/parameters.ts';
import { invalidValue, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { activityOf, type Dialect, ec2Dialect, spotDialect, stateOf } from './dialects.ts';
import { changedEvent, isAlive, liveUnits, membersOf, recentFailures, recordFleet, unitsOf } from './members.ts';
import { ec2FleetTarget, spotFleetTarget } from './plan.ts';
import type { FleetEvent, FleetRecord, Units } from './record.ts';
import { endFleet } from './settle.ts';

// API reference of DeleteFleets and CancelSpotFleetRequests.
const mostIds = 100;
const mostInstantIds = 25;
const mostInstantInstances = 1000;

const fleetOf = (world: World, dialect: Dialect, id: string): FleetRecord => {
  const fleet = world.fleets.get(id);
  if (fleet?.api === dialect.api) return fleet;
  throw new ServiceError(dialect.missing[0], `The fleet ID '${id}' does not exist`);
};

const namedFleet = (world: World, dialect: Dialect, params: Parameters): FleetRecord =>
  fleetOf(world, dialect, required(params.text(dialect.idName), dialect.idName));

/** What an instant fleet launched, by override, and what any fleet failed at since its last change. */
export const outcomeXml = (fleet: FleetRecord): XmlFields => {
  const groups = new Map<string, XmlFields & { readonly instanceIds: readonly string[] }>();
  for (const { kind, place, instanceIds } of fleet.events) {
    if (kind !== 'launched' || place === undefined || fleet.type !== 'instant') continue;
    const { echo, market, instanceType, subnetId, zone } = place;
    const key = JSON.stringify(place);
    groups.set(key, {
      launchTemplateAndOverrides: echo,
      lifecycle: market,
      instanceIds: [...(groups.get(key)?.instanceIds ?? []), ...instanceIds],
      instanceType,
      subnetId,
      availabilityZone: zone,
    });
  }
  return {
    errorSet: recentFailures(fleet).map(({ text, message, place }) => ({
      launchTemplateAndOverrides: place?.echo,
      lifecycle: place?.market,
      errorCode: text,
      errorMessage: message,
    })),
    fleetInstanceSet: [...groups.values()],
  };
};

const tagsOf = (world: World, { id, tags }: FleetRecord) => world.changedTags.get(id) ?? tags;

const ec2FleetXml = (world: World, fleet: FleetRecord): XmlFields => {
  const params = readParameters(fleet.order);
  const options = params.echo(lowerFirst);
  const onDemand = membersOf(world, fleet).filter(isAlive);
  return {
    terminateInstancesWithExpiration: false,
    ...options,
    targetCapacitySpecification: {
      ...params.below('TargetCapacitySpecification').echo(lowerFirst),
      onDemandTargetCapacity: fleet.target['on-demand'],
      spotTargetCapacity: fleet.target.spot,
    },
    tagSpecification: undefined,
    fleetId: fleet.id,
    type: fleet.type,
    createTime: isoTime(fleet.createdAt),
    fleetState: stateOf(world, ec2Dialect, fleet),
    activityStatus: activityOf(world, fleet),
    fulfilledCapacity: liveUnits(world, fleet),
    fulfilledOnDemandCapacity: unitsOf(onDemand, 'on-demand'),
    tagSet: tagSet(tagsOf(world, fleet)),
    ...outcomeXml(fleet),
  };
};

const spotFleetXml = (world: World, fleet: FleetRecord): XmlFields => ({
  spotFleetRequestId: fleet.id,
  spotFleetRequestState: stateOf(world, spotDialect, fleet),
  activityStatus: activityOf(world, fleet),
  createTime: isoTime(fleet.createdAt),
  spotFleetRequestConfig: {
    ...readParameters(fleet.order).echo(lowerFirst),
    type: fleet.type,
    fulfilledCapacity: liveUnits(world, fleet),
    onDemandFulfilledCapacity: unitsOf(membersOf(world, fleet).filter(isAlive), 'on-demand'),
  },
  tagSet: tagSet(tagsOf(world, fleet)),
});

const describeFleets = (dialect: Dialect, set: string, xml: typeof ec2FleetXml): Action =>
  describe<FleetRecord>({
    ids: dialect.idName,
    pagesIds: true,
    items: (world, ids) =>
      ids.length > 0
        ? ids.map((id) => fleetOf(world, dialect, id))
        : [...world.fleets.values()].filter(({ api, type }) => api === dialect.api && type !== 'instant'),
    keyOf: ({ id }) => id,
    filters: {
      'activity-status': (fleet, world) => activityOf(world, fleet),
      'excess-capacity-termination-policy': ({ order }) => new Map(order).get('ExcessCapacityTerminationPolicy'),
      'fleet-state': (fleet, world) => stateOf(world, dialect, fleet),
      type: ({ type }) => type,
    },
    tags: (fleet, world) => tagsOf(world, fleet),
    sizes: [1, 1000],
    answer: (page, world) => ({ [set]: page.map((fleet) => xml(world, fleet)) }),
  });

const describeInstances = (dialect: Dialect): Action =>
  describe<InstanceView>({
    parameters: dialect.idName,
    items: (world, _, params) => {
      const fleet = namedFleet(world, dialect, params);
      if (fleet.type === 'instant')
        throw new ServiceError('Unsupported', `The operation is not supported for the instant fleet '${fleet.id}'`);
      return membersOf(world, fleet)
        .filter(isAlive)
        .map((instance) => viewOf(world, instance));
    },
    keyOf: ({ instance }) => instance.id,
    filters: { 'instance-type': ({ reservation }) => reservation.spec.instanceType },
    sizes: [1, 1000],
    answer: (page, world, params) => ({
      [lowerFirst(dialect.idName)]: params.text(dialect.idName),
      activeInstanceSet: page.map((view) => ({
        instanceId: view.instance.id,
        instanceType: view.reservation.spec.instanceType,
        spotInstanceRequestId: spotRequestIdOf(world, view),
        instanceHealth: 'healthy',
      })),
    }),
  });

interface HistoryRecord {
  readonly key: string;
  readonly type: string;
  readonly xml: XmlFields;
}

const recordsOf = (
  dialect: Dialect,
  { at, kind, text, instanceIds, place, message }: FleetEvent,
  index: number,
): readonly HistoryRecord[] => {
  const type = dialect.eventTypes[kind];
  const subType = { changed: text, launched: 'launched', terminated: 'terminated', failed: dialect.failureText(text) }[
    kind
  ];
  const where = [place?.instanceType, place?.zone].filter(Boolean).join(', ');
  const description = kind === 'failed' ? `${where}: ${text}: ${message}` : text;
  return (instanceIds.length === 0 ? [undefined] : instanceIds).map((instanceId, part) => ({
    key: `${String(index).padStart(6, '0')}.${String(part).padStart(6, '0')}`,
    type,
    xml: {
      timestamp: isoTime(at),
      eventType: type,
      eventInformation: { instanceId, eventSubType: subType, eventDescription: description },
    },
  }));
};

const describeHistory = (dialect: Dialect): Action =>
  describe<HistoryRecord>({
    parameters: `${dialect.idName} StartTime EventType`,
    items: (world, _, params) => {
      const { events } = namedFleet(world, dialect, params);
      const [since, wanted] = [required(params.time('StartTime'), 'StartTime'), params.text('EventType')];
      return events
        .flatMap((event, index) => (event.at < since ? [] : recordsOf(dialect, event, index)))
        .filter(({ type }) => wanted === undefined || wanted === type);
    },
    keyOf: ({ key }) => key,
    sizes: [1, 1000],
    answer: (page, world, params) => ({
      [lowerFirst(dialect.idName)]: params.text(dialect.idName),
      startTime: isoTime(params.time('StartTime') ?? 0),
      lastEvaluatedTime: isoTime(world.now()),
      historyRecordSet: page.map(({ xml }) => xml),
    }),
  });

const modifyFleet = (dialect: Dialect, targetOf: (order: Parameters) => Units, names: string): Action =>
  action(
    `${dialect.idName} Context ExcessCapacityTerminationPolicy LaunchTemplateConfig.N{*} ${names}`,
    (world, params) => {
      const fleet = namedFleet(world, dialect, params);
      if (fleet.type !== 'maintain' || fleet.ended !== undefined)
        throw new ServiceError(
          'Unsupported',
          `Only an active fleet of type maintain can be modified, not '${fleet.id}'`,
        );
      const news = [...params.form()]
        .filter(([name]) => ![dialect.idName, 'Action', 'Version', 'DryRun'].includes(name))
        .map(([name, value]) => [name.replace(/^LaunchTemplateConfig\./, 'LaunchTemplateConfigs.'), value] as const);
      const isKept = ([name]: readonly [string, string]): boolean =>
        !(params.has('LaunchTemplateConfig') && name.startsWith('LaunchTemplateConfigs.'));
      const order = [...new Map([...fleet.order.filter(isKept), ...news])];
      const target = targetOf(readParameters(order));
      recordFleet(world, fleet, { order, target, touchedAt: world.now() }, [changedEvent('modify_successful')]);
      return { return: true };
    },
  );

const refusalOf = (
  world: World,
  dialect: Dialect,
  fleet: FleetRecord | undefined,
  isTerminating: boolean,
  count: number,
) => {
  if (fleet === undefined) return { code: dialect.missing[1], message: 'The fleet does not exist' };
  if (fleet.type !== 'instant') return undefined;
  const isTooBig = membersOf(world, fleet).filter(isAlive).length > mostInstantInstances || count > mostInstantIds;
  if (isTerminating && !isTooBig) return undefined;
  return {
    code: 'fleetNotInDeletableState',
    message: 'An instant fleet is deleted with its instances, at most 1000, 25 fleets a call',
  };
};

/** DeleteFleets and CancelSpotFleetRequests. */
const endFleets = (dialect: Dialect, suffix: string, stateName: string): Action =>
  action(`${dialect.idName}.N TerminateInstances`, (world, params) => {
    const ids = requiredList(params, dialect.idName);
    if (ids.length > mostIds) throw invalidValue(`At most ${mostIds} fleets per call, not ${ids.length}`);
    const isTerminating = required(params.flag('TerminateInstances'), 'TerminateInstances');
    const done: XmlFields[] = [];
    const refused: XmlFields[] = [];
    for (const id of ids) {
      const found = world.fleets.get(id);
      const fleet = found?.api === dialect.api ? found : undefined;
      const error = refusalOf(world, dialect, fleet, isTerminating, ids.length);
      if (error !== undefined || fleet === undefined) {
        refused.push({ [lowerFirst(dialect.idName)]: id, error });
        continue;
      }
      const before = stateOf(world, dialect, fleet);
      const ended = endFleet(world, fleet, isTerminating, dialect.ended);
      done.push({
        [lowerFirst(dialect.idName)]: id,
        [`previous${stateName}`]: before,
        [`current${stateName}`]: stateOf(world, dialect, ended),
      });
    }
    return { [`successfulFleet${suffix}Set`]: done, [`unsuccessfulFleet${suffix}Set`]: refused };
  });

export const fleetActions: readonly (readonly [string, Action])[] = [
  ['DescribeFleets', describeFleets(ec2Dialect, 'fleetSet', ec2FleetXml)],
  ['DescribeFleetInstances', describeInstances(ec2Dialect)],
  ['DescribeFleetHistory', describeHistory(ec2Dialect)],
  ['ModifyFleet', modifyFleet(ec2Dialect, ec2FleetTarget, 'TargetCapacitySpecification{*}')],
  ['DeleteFleets', endFleets(ec2Dialect, 'Deletion', 'FleetState')],
  ['DescribeSpotFleetRequests', describeFleets(spotDialect, 'spotFleetRequestConfigSet', spotFleetXml)],
  ['DescribeSpotFleetInstances', describeInstances(spotDialect)],
  ['DescribeSpotFleetRequestHistory', describeHistory(spotDialect)],
  ['ModifySpotFleetRequest', modifyFleet(spotDialect, spotFleetTarget, 'TargetCapacity OnDemandTargetCapacity')],
  ['CancelSpotFleetRequests', endFleets(spotDialect, 'Request', 'SpotFleetRequestState')],
];
