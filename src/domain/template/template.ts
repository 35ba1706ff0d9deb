import { type RawFields, rawFieldProblems } from './raw-fields.ts';
import { type ReservedCapacity, reservedCapacityProblems } from './reserved-capacity.ts';

/** Which AWS API serves a template. */
export type ProviderApi = 'RunInstances' | 'EC2Fleet' | 'SpotFleet' | 'ASG';

/** How long AWS looks after a fleet: for one answer, until it is filled, or for ever. */
export type FleetType = 'instant' | 'request' | 'maintain';

type PriceType = 'ondemand' | 'spot' | 'heterogeneous';

/** A Host Factory attribute, e.g. `["Numeric", "4"]`. */
export type Attribute = readonly ['String' | 'Numeric' | 'Boolean', string];

/**
 * A host template as its administrator wrote it, in IBM's words, with defaults filled in and spellings made one.
 * A copy of it is stored with each request, so that later edits never touch a running request.
 */
export interface Template extends RawFields, ReservedCapacity {
  readonly templateId: string;
  /** Most hosts at a time; -1 for no limit of ours, 0 for none. */
  readonly maxNumber: number;
  readonly priceType: PriceType;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly imageId?: string;
  /** What `imageId` was resolved from, in a request's copy. */
  readonly imageAlias?: string;
  readonly subnetIds: readonly string[];
  readonly vmType?: string;
  readonly vmTypes?: Readonly<Record<string, number>>;
  readonly vmTypesOnDemand?: Readonly<Record<string, number>>;
  readonly vmTypesPriority?: Readonly<Record<string, number>>;
  /** GiB */
  readonly rootDeviceVolumeSize?: number;
  readonly volumeType?: string;
  readonly iops?: number;
  /** In the order written; keys are unique. */
  readonly instanceTags: readonly (readonly [key: string, value: string])[];
  readonly keyName?: string;
  readonly securityGroupIds: readonly string[];
  readonly instanceProfile?: string;
  /** Absolute path of the file sent as user data. */
  readonly userDataScript?: string;
  readonly fleetRole?: string;
  readonly maxSpotPrice?: string;
  /** Minutes */
  readonly spotFleetRequestExpiry?: number;
  readonly allocationStrategy?: string;
  readonly allocationStrategyOnDemand?: string;
  readonly percentOnDemand?: number;
  readonly poolsCount?: number;
  readonly launchTemplateId?: string;
  readonly launchTemplateVersion?: string;
  readonly placementGroupName?: string;
  readonly tenancy?: 'default' | 'dedicated' | 'host';
  readonly ebsOptimized?: boolean;
  readonly interfaceType?: 'interface' | 'efa';
  readonly efaCount?: number;
  /** Which AWS API serves the template, where IBM's choice by price is not wanted. */
  readonly providerApi?: ProviderApi;
  readonly fleetType?: FleetType;
  /** A group of the administrator's own, instead of one per request. */
  readonly autoScalingGroupName?: string;
  /** Instance types by what they have instead of by name. */
  readonly abisInstanceRequirements?: InstanceRequirements;
  /** EC2 launches all hosts or none (MinCount = MaxCount). */
  readonly allOrNothing: boolean;
}

/** EC2's InstanceRequirements in EC2's own words; what is not named here goes to EC2 as it is. */
export interface InstanceRequirements {
  readonly VCpuCount: { readonly Min: number; readonly Max?: number };
  readonly MemoryMiB: { readonly Min: number; readonly Max?: number };
  readonly CpuManufacturers?: readonly string[];
  readonly [field: string]: unknown;
}

export interface TemplateProblem {
  /** The field's path in the template, e.g. `attributes.ncpus`; empty for the template as a whole. */
  readonly field: string;
  readonly rule: string;
}

interface Rule {
  readonly field: string;
  readonly isBroken: (template: Template, api: ProviderApi) => boolean;
  readonly rule: (template: Template, api: ProviderApi) => string;
}

const is = (field: string, isBroken: Rule['isBroken'], rule: string | Rule['rule']): Rule => ({
  field,
  isBroken,
  rule: typeof rule === 'string' ? () => rule : rule,
});

const namesTypes = (template: Template): boolean =>
  weightedTypes(template).length > 0 ||
  template.abisInstanceRequirements !== undefined ||
  template.launchTemplateId !== undefined;

const onlyAllOrNothing = (
  { priceType, percentOnDemand = 0, fleetType = 'instant', ...template }: Template,
  api: ProviderApi,
): boolean =>
  api === 'RunInstances' ||
  (api === 'EC2Fleet' &&
    fleetType === 'instant' &&
    (priceType === 'ondemand' || percentOnDemand === 0 || percentOnDemand === 100) &&
    (template.subnetIds.length === 1 || weightedTypes({ priceType, ...template }).length === 1));

const isFleet = (api: ProviderApi): boolean => api === 'EC2Fleet' || api === 'SpotFleet';

const rules: readonly Rule[] = [
  is(
    'imageId',
    ({ imageId, launchTemplateId, autoScalingGroupName }) =>
      (imageId ?? launchTemplateId ?? autoScalingGroupName) === undefined,
    'is required unless launchTemplateId gives one',
  ),
  is(
    'vmType',
    (template, api) => api === 'RunInstances' && !namesTypes(template),
    (_, api) => `is required with ${api}, or vmTypes`,
  ),
  is(
    'vmTypes',
    (template, api) => api !== 'RunInstances' && !namesTypes(template),
    (_, api) => `or vmType is required with ${api}`,
  ),
  is(
    'priceType',
    ({ priceType }, api) => priceType === 'heterogeneous' && !isFleet(api) && api !== 'ASG',
    (_, api) => `heterogeneous is not for ${api}`,
  ),
  is(
    'fleetType',
    ({ fleetType }, api) => fleetType !== undefined && !isFleet(api),
    (_, api) => `is not for ${api}`,
  ),
  is(
    'fleetType',
    ({ fleetType, priceType }) => priceType === 'heterogeneous' && fleetType !== undefined && fleetType !== 'request',
    'must be request when priceType is heterogeneous',
  ),
  is(
    'fleetType',
    ({ fleetType }, api) => fleetType === 'instant' && api === 'SpotFleet',
    'instant is not for SpotFleet',
  ),
  is(
    'abisInstanceRequirements',
    ({ abisInstanceRequirements }, api) => abisInstanceRequirements !== undefined && api === 'RunInstances',
    'is not for RunInstances',
  ),
  is(
    'vmTypesOnDemand',
    ({ vmTypesOnDemand = {}, abisInstanceRequirements, priceType }) =>
      priceType === 'heterogeneous' &&
      abisInstanceRequirements !== undefined &&
      Object.values(vmTypesOnDemand).some((weight) => weight !== 1),
    'must weigh 1 each with abisInstanceRequirements, by which every machine is one unit',
  ),
  is(
    'allOrNothing',
    (template, api) => template.allOrNothing && !onlyAllOrNothing(template, api),
    'is for RunInstances, and for EC2Fleet of type instant with one market and either one subnet or one type',
  ),
  is(
    'maxNumber',
    ({ allOrNothing, maxNumber }, api) => allOrNothing && api === 'EC2Fleet' && (maxNumber < 0 || maxNumber > 1000),
    'must be at most 1000 with allOrNothing and EC2Fleet',
  ),
  is(
    'abisInstanceRequirements',
    ({ abisInstanceRequirements, allocationStrategy, allocationStrategyOnDemand }, api) =>
      abisInstanceRequirements !== undefined &&
      api === 'ASG' &&
      (allocationStrategy === 'capacityOptimizedPrioritized' || allocationStrategyOnDemand === 'prioritized'),
    'has no priorities for ASG to go by',
  ),
  is(
    'autoScalingGroupName',
    ({ autoScalingGroupName }, api) => autoScalingGroupName !== undefined && api !== 'ASG',
    'is allowed only with providerApi ASG',
  ),
  is(
    'iops',
    ({ iops, volumeType = '' }) => iops !== undefined && !/^(io1|io2|gp3)$/.test(volumeType),
    'is allowed only with volumeType io1, io2 or gp3',
  ),
  is(
    'iops',
    ({ iops, volumeType = '' }) => iops === undefined && /^io[12]$/.test(volumeType),
    ({ volumeType }) => `is required with volumeType ${volumeType}`,
  ),
  is(
    'efaCount',
    ({ efaCount, interfaceType }) => efaCount !== undefined && interfaceType !== 'efa',
    'is allowed only with interfaceType efa',
  ),
  ...(['rootDeviceVolumeSize', 'volumeType', 'iops'] as const).map((field) =>
    is(
      field,
      (template) => template[field] !== undefined && template.imageId === undefined,
      'is allowed only with imageId: the root device belongs to the image',
    ),
  ),
  is(
    'launchTemplateVersion',
    ({ launchTemplateVersion, launchTemplateId }) =>
      launchTemplateVersion !== undefined && launchTemplateId === undefined,
    'is allowed only with launchTemplateId',
  ),
];

/** What breaks the rules between fields; the rules of single fields are in the JSON Schema (config/template.schema.ts). */
export const templateProblems = (template: Template): readonly TemplateProblem[] => {
  const api = providerApiOf(template);
  return [
    ...rules
      .filter(({ isBroken }) => isBroken(template, api))
      .map(({ field, rule }) => ({ field, rule: rule(template, api) })),
    ...reservedCapacityProblems(template, api),
    ...rawFieldProblems(template, api),
  ];
};

/** Instance types with their weights: `vmTypes`, or the one `vmType`. */
export const weightedTypes = ({ vmTypes, vmType }: Template): readonly (readonly [type: string, weight: number])[] => {
  if (vmTypes !== undefined) return Object.entries(vmTypes);
  return vmType === undefined ? [] : [[vmType, 1]];
};

/** What a template launches, for messages: `m5.large`, `m5.large, m5.xlarge`. */
export const offeringOf = (template: Template): string =>
  weightedTypes(template)
    .map(([type]) => type)
    .join(', ') ||
  (template.launchTemplateId ?? 'types by requirements');

/**
 * The API a template asks for by `providerApi`, else IBM's choice by `priceType`: Spot Fleet needs a role, without one EC2 Fleet
 * gives the same capacity.
 */
export const providerApiOf = ({ providerApi, priceType, fleetRole }: Template): ProviderApi => {
  if (providerApi !== undefined) return providerApi;
  if (priceType === 'ondemand') return 'RunInstances';
  return fleetRole === undefined ? 'EC2Fleet' : 'SpotFleet';
};

/** The type of fleet a template asks for; each API has its own default. */
export const fleetTypeOf = (template: Template): FleetType =>
  template.fleetType ??
  (providerApiOf(template) === 'SpotFleet' || template.priceType === 'heterogeneous' ? 'request' : 'instant');

/**
 * The on-demand part of `units`, rounded up so that spot and on demand together are all of them. IBM has `percentOnDemand` for
 * spot alone: heterogeneous begins with spot for all (hostfactory-contract 7.1).
 */
export const onDemandUnits = ({ priceType, percentOnDemand = 0 }: Template, units: number): number => {
  if (priceType === 'ondemand') return units;
  return priceType === 'spot' ? Math.ceil((units * percentOnDemand) / 100) : 0;
};

/** Units a machine counts for, by its type: those of the first market go before those of the on-demand rest; 1 of all others. */
export const weightsOf = (template: Template): Readonly<Record<string, number>> => ({
  ...(template.priceType === 'heterogeneous' ? template.vmTypesOnDemand : {}),
  ...Object.fromEntries(weightedTypes(template)),
});

/**
 * The template for the rest of a heterogeneous request that spot did not give: on demand, by the types of `vmTypesOnDemand` with
 * the weights they have among the spot types, else by whatever spot was asked for.
 */
export const onDemandRest = (template: Template): Template => {
  const {
    percentOnDemand: _share,
    maxSpotPrice: _price,
    allocationStrategy: _spot,
    fleetRole: _role,
    vmTypesOnDemand,
    providerApiSpec,
    ...same
  } = template;
  const rest: Template = {
    ...same,
    // In the words of Spot Fleet it says nothing to EC2 Fleet.
    ...(providerApiSpec === undefined || providerApiOf(template) !== 'EC2Fleet' ? {} : { providerApiSpec }),
    priceType: 'ondemand',
    providerApi: 'EC2Fleet',
    fleetType: 'instant',
  };
  if (vmTypesOnDemand === undefined) return rest;
  const { abisInstanceRequirements: _requirements, ...named } = rest;
  const weights = weightsOf(template);
  const vmTypes = Object.fromEntries(Object.keys(vmTypesOnDemand).map((type) => [type, weights[type] ?? 1]));
  return { ...named, vmTypes };
};

/** Minutes a fleet looks for capacity; IBM's spotFleetRequestExpiry has this default. */
const defaultExpiryMinutes = 30;

export const expiryMs = ({ spotFleetRequestExpiry = defaultExpiryMinutes }: Template): number =>
  spotFleetRequestExpiry * 60_000;
