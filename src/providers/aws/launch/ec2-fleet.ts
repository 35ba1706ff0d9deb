import type {
  CreateFleetCommandInput,
  CreateFleetCommandOutput,
  CreateFleetError,
  Tag,
  TagSpecification,
} from '@aws-sdk/client-ec2';
import type { CapacityProvider, LaunchOrder, LaunchReport, TargetUnits } from '../../../application/ports/capacity.ts';
import { PluginError } from '../../../domain/errors.ts';
import { clientTokenOf } from '../../../domain/ids.ts';
import type { Offering } from '../../../domain/offering.ts';
import type { PreparedLaunch, Refusal } from '../../../domain/request/events.ts';
import { isTargeted } from '../../../domain/template/reserved-capacity.ts';
import {
  expiryMs,
  fleetTypeOf,
  offeringOf,
  onDemandUnits,
  type Template,
  weightedTypes,
} from '../../../domain/template/template.ts';
import type { Ec2 } from '../services/ec2.ts';
import { required } from '../wire/aws-answer.ts';
import { kindOfCode, scopeOfCode } from '../wire/error-codes.ts';
import {
  checkItems,
  createFleetKeeper,
  discardRefused,
  type FleetCalls,
  lives,
  mostOfHistory,
  stateOf,
} from './fleet-keeper.ts';
import { fleetPools, onDemandStrategy, type PoolFacts, spotStrategy, subnetsText } from './fleet-pools.ts';
import { type LaunchDataOptions, lastingTags, launchTags, optional } from './launch-data.ts';
import { type LaunchTemplates, launchTemplateFor, renewed } from './launch-templates.ts';
import { withRawFields } from './raw-fields.ts';
import { gravest, learn, lessonOf, refusalOf } from './refusal.ts';
import { grantedMachines, resourceOf, unitsOf } from './resource.ts';

export interface Ec2FleetOptions extends LaunchDataOptions, Pick<PoolFacts, 'zonesOf'> {
  readonly ec2: Ec2;
  readonly launchTemplates: LaunchTemplates;
  readonly clock: () => number;
}

/** Calls in one request for what a transient fault left missing. */
const mostAttempts = 3;

/** What is stored of a CreateFleet call: dates as text, and what the request needs to know of the fleet. */
interface FleetCall {
  readonly input: Omit<CreateFleetCommandInput, 'ValidUntil'>;
  readonly validUntil: string;
  readonly weights: Readonly<Record<string, number>>;
  /** Made for this request alone. */
  readonly launchTemplateId?: string;
  /** Another try would draw on other subnets. */
  readonly hasSpares?: boolean;
  /** Launched into reserved capacity, which says nothing of what EC2 has besides. */
  readonly isReserved?: boolean;
}

const isFleetCall = (call: object): call is FleetCall =>
  'input' in call && 'validUntil' in call && typeof call.validUntil === 'string' && 'weights' in call;

const tagSpecifications = (resources: readonly TagSpecification['ResourceType'][], tags: Tag[]): TagSpecification[] =>
  resources.map((ResourceType) => ({ ResourceType, Tags: tags }));

/** All or nothing is for EC2 to promise only where one type or one zone is in play. */
const minimum = ({ allOrNothing, subnetIds }: Template, units: number) => {
  if (!allOrNothing) return {};
  return {
    MinTargetCapacity: units,
    ...(subnetIds.length === 1 ? { SingleAvailabilityZone: true } : { SingleInstanceType: true }),
  };
};

/** EC2 Fleet: reservations that are open, or that the launch template targets, go first; for fleets of type instant alone. */
const reservationsFirst = ({ capacityReservation = 'none' }: Template, isInstant: boolean) =>
  capacityReservation === 'none' || !isInstant
    ? {}
    : { CapacityReservationOptions: { UsageStrategy: 'use-capacity-reservations-first' as const } };

const targetOf = ({ total, onDemand }: TargetUnits) => ({
  TotalTargetCapacity: total,
  OnDemandTargetCapacity: onDemand,
  SpotTargetCapacity: total - onDemand,
});

const capacityOptions = (
  template: Template,
  units: number,
  isInstant: boolean,
): Pick<CreateFleetCommandInput, 'TargetCapacitySpecification' | 'SpotOptions' | 'OnDemandOptions'> => {
  if (template.marketType !== undefined) {
    return {
      TargetCapacitySpecification: { TotalTargetCapacity: units, DefaultTargetCapacityType: template.marketType },
    };
  }
  const onDemand = onDemandUnits(template, units);
  const spot = units - onDemand;
  const least = isInstant ? minimum(template, units) : {};
  const strategy = spotStrategy(template);
  const pools = strategy === 'lowest-price' ? optional('InstancePoolsToUseCount', template.poolsCount) : {};
  return {
    TargetCapacitySpecification: {
      ...targetOf({ total: units, onDemand }),
      DefaultTargetCapacityType: template.priceType === 'ondemand' ? ('on-demand' as const) : ('spot' as const),
    },
    ...(spot > 0 ? { SpotOptions: { AllocationStrategy: strategy, ...pools, ...(onDemand > 0 ? {} : least) } } : {}),
    ...(onDemand > 0
      ? {
          OnDemandOptions: {
            AllocationStrategy: onDemandStrategy(template),
            ...reservationsFirst(template, isInstant),
            ...(spot > 0 ? {} : least),
          },
        }
      : {}),
  };
};

const prepareFleet = async (options: Ec2FleetOptions, order: LaunchOrder): Promise<PreparedLaunch> => {
  const { template, count, requestId, earlier } = order;
  const Type = fleetTypeOf(template);
  const isInstant = Type === 'instant';
  const tags = launchTags(order, options);
  // Only an instant fleet tags its instances and volumes in the call; the others need a launch template of the request's own
  // for it. Interfaces are for launch templates alone to tag.
  const inTemplate = isInstant ? { tags: lastingTags(tags), resources: ['network-interface'] as const } : { tags };
  const launchTemplate = await launchTemplateFor(options, template, { ...inTemplate, launched: tags });
  const clientToken = clientTokenOf(requestId, earlier.length);
  const { pools, hasSpares } = await fleetPools(options, order);
  const input: FleetCall['input'] = {
    Type,
    ClientToken: clientToken,
    ...capacityOptions(template, count, isInstant),
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateId: launchTemplate.id, Version: launchTemplate.version },
        Overrides: [...pools],
      },
    ],
    TagSpecifications: tagSpecifications(isInstant ? ['fleet', 'instance', 'volume'] : ['fleet'], tags),
    ...(isInstant ? {} : { TerminateInstancesWithExpiration: false }),
    ...(Type === 'maintain'
      ? { ReplaceUnhealthyInstances: false, ExcessCapacityTerminationPolicy: 'no-termination' as const }
      : {}),
  };
  const call: FleetCall = {
    input: withRawFields(input, template.providerApiSpec),
    validUntil: new Date(options.clock() + expiryMs(template)).toISOString(),
    weights: template.vmTypes === undefined ? {} : Object.fromEntries(weightedTypes(template)),
    ...(isInstant ? {} : { launchTemplateId: launchTemplate.id }),
    ...(hasSpares ? { hasSpares } : {}),
    ...(isTargeted(template) ? { isReserved: true } : {}),
  };
  const pool = `${offeringOf(template)} in ${subnetsText(pools)}`;
  return { clientToken, count, makesResource: !isInstant, pool, api: 'EC2Fleet', call: { ...call } };
};

/** What an instant fleet gave, and what EC2 says of what it did not. */
type Granted = Pick<CreateFleetCommandOutput, 'Instances' | 'Errors'>;

const poolOf = ({ LaunchTemplateAndOverrides }: CreateFleetError): string => {
  const { InstanceType, SubnetId, AvailabilityZone } = LaunchTemplateAndOverrides?.Overrides ?? {};
  return [InstanceType, AvailabilityZone ?? SubnetId].filter((part) => part !== undefined).join(' in ');
};

/** Errors come per override, not per missing host: the distinct ones say why. */
const refusalFrom = (errors: readonly CreateFleetError[], missing: number, launch: PreparedLaunch): Refusal => {
  const lines = [...new Set(errors.map((error) => `${error.ErrorCode} ${poolOf(error)}: ${error.ErrorMessage ?? ''}`))];
  const { code = 'PartialGrant', fault = 'provider.capacity' } = gravest(errors, 'provider.misconfigured') ?? {};
  return { missing, code, fault, message: lines.join('; '), pool: launch.pool };
};

const instantReport = (
  { Instances = [], Errors = [] }: Granted,
  launch: PreparedLaunch,
  call: FleetCall,
): LaunchReport => {
  const machines = Instances.flatMap(({ InstanceIds, InstanceType: instanceType, Lifecycle }) =>
    grantedMachines(InstanceIds, { instanceType, isSpot: Lifecycle === 'spot' }),
  );
  const units = unitsOf(machines, call.weights);
  if (units >= launch.count) return { machines, tryNextPool: false };
  // Of what is lacking, addresses alone are a subnet's: capacity is that of its zone.
  const retryable = Errors.some(
    ({ ErrorCode = '' }) =>
      /throttled|transient/.test(kindOfCode(ErrorCode) ?? '') ||
      (call.hasSpares === true && scopeOfCode(ErrorCode) === 'subnet'),
  );
  return { machines, refusal: refusalFrom(Errors, launch.count - units, launch), tryNextPool: retryable };
};

/** Remembers what was refused, and forgets it of what was granted. */
const learnFrom = async (
  options: Ec2FleetOptions,
  { input, isReserved = false }: FleetCall,
  { Instances = [], Errors = [] }: Granted,
): Promise<void> => {
  if (isReserved) return;
  const isOnDemand = input.TargetCapacitySpecification?.DefaultTargetCapacityType === 'on-demand';
  const refused = Errors.flatMap(({ ErrorCode: code = '', ErrorMessage: message = '', Lifecycle, ...error }) => {
    const { InstanceType, SubnetId } = error.LaunchTemplateAndOverrides?.Overrides ?? {};
    const market = Lifecycle === 'on-demand' || (Lifecycle === undefined && isOnDemand) ? 'ondemand' : 'spot';
    const offering = { market, ...optional('instanceType', InstanceType), ...optional('subnetId', SubnetId) } as const;
    return lessonOf(offering, { code, message }, options.clock()) ?? [];
  });
  const granted = new Set(
    Instances.map(({ InstanceType, Lifecycle }) => `${Lifecycle === 'spot' ? 'spot' : 'ondemand'} ${InstanceType}`),
  );
  const isGranted = ({ market, instanceType }: Offering): boolean => granted.has(`${market} ${instanceType}`);
  await learn(options, refused, granted.size > 0 ? isGranted : undefined);
};

const send = async (options: Ec2FleetOptions, launch: PreparedLaunch, call: FleetCall): Promise<LaunchReport> => {
  const { input, validUntil, launchTemplateId } = call;
  const isInstant = input.Type === 'instant';
  // Also of a maintain fleet: where nobody looks at it in time, EC2 ends it.
  const until = isInstant ? {} : { ValidUntil: new Date(validUntil) };
  const answer = await options.ec2.change('CreateFleet', { ...input, ...until });
  const launched = isInstant ? (answer.Instances?.[0] ?? answer.Errors?.[0]) : undefined;
  required('CreateFleet', 'id', answer.FleetId ?? launched);
  if (isInstant) {
    await learnFrom(options, call, answer);
    return instantReport(answer, launch, call);
  }
  const resource = resourceOf('EC2Fleet', answer.FleetId ?? '', {
    refills: input.Type === 'maintain',
    expiresAt: Date.parse(validUntil),
    ...optional('launchTemplateId', launchTemplateId),
  });
  return { machines: [], resource, tryNextPool: false };
};

const refusedReport = async (
  options: Ec2FleetOptions,
  refusal: Refusal,
  isRepeat: boolean,
  { launchTemplateId }: FleetCall,
): Promise<LaunchReport> => {
  // Made for this fleet alone, which will not be.
  if (launchTemplateId !== undefined) await discardRefused(options, refusal, isRepeat, launchTemplateId);
  return { machines: [], refusal, tryNextPool: false };
};

/** Capacity by EC2 Fleet: one call for every type in every subnet, on demand, spot or both. */
export const createEc2FleetProvider = (options: Ec2FleetOptions): CapacityProvider => ({
  prepare: async (order) => {
    const makesResource = fleetTypeOf(order.template) !== 'instant';
    // The spot fleet before an on-demand rest is none of its attempts.
    const attempts = order.earlier.filter((each) => (each.makesResource ?? false) === makesResource);
    return attempts.length < mostAttempts ? prepareFleet(options, order) : undefined;
  },

  launch: async (launch, isRepeat = false) => {
    const { call } = launch;
    if (!isFleetCall(call))
      throw new PluginError('storage.unreadable', `launch ${launch.clientToken} holds no CreateFleet call`);
    const template = call.input.LaunchTemplateConfigs?.[0]?.LaunchTemplateSpecification?.LaunchTemplateId ?? '';
    const report = await send(options, launch, call).catch((error: unknown) =>
      refusedReport(options, refusalOf(error, launch), isRepeat, call),
    );
    return renewed(options.launchTemplates, template, report);
  },

  keeper: createFleetKeeper('EC2Fleet', ec2FleetCalls(options.ec2), options),
});

const ec2FleetCalls = (ec2: Ec2): FleetCalls => ({
  state: async (id) => {
    const [fleet] = (await ec2.read('DescribeFleets', { FleetIds: [id] })).Fleets ?? [];
    const { TotalTargetCapacity = 0 } = fleet?.TargetCapacitySpecification ?? {};
    return fleet && stateOf(fleet.FleetState, TotalTargetCapacity, fleet.FulfilledCapacity);
  },
  errors: (id, since) => {
    const input = { FleetId: id, EventType: 'service-error' as const, StartTime: since };
    return ec2.readAll('DescribeFleetHistory', input, ({ HistoryRecords }) => HistoryRecords, mostOfHistory);
  },
  modify: async (id, target) => {
    await ec2.change('ModifyFleet', {
      FleetId: id,
      ExcessCapacityTerminationPolicy: 'no-termination',
      TargetCapacitySpecification: targetOf(target),
    });
  },
  cancel: async (id) => {
    const answer = await ec2.change('DeleteFleets', { FleetIds: [id], TerminateInstances: false });
    checkItems('DeleteFleets', answer.UnsuccessfulFleetDeletions);
  },
  members: (id) => ec2.readAll('DescribeFleetInstances', { FleetId: id }, ({ ActiveInstances }) => ActiveInstances),
  listed: async () =>
    (await ec2.readAll('DescribeFleets', {}, ({ Fleets }) => Fleets))
      .filter(({ FleetState, Type }) => lives(FleetState) && Type !== 'instant')
      .map(({ FleetId: id, Tags: tags, Type }) => ({ id, tags, refills: Type === 'maintain' })),
});
