import type { ReservedCapacity } from './reserved-capacity.ts';

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
export interface Template extends ReservedCapacity {
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
  /** All hosts are launched, or none. */
  readonly allOrNothing: boolean;
  /** Of a host, and of the call that launches it, in the provider's own words, for what a template has no field for. */
  readonly launchTemplateSpec?: Readonly<Record<string, unknown>>;
  readonly providerApiSpec?: Readonly<Record<string, unknown>>;
}

export interface TemplateProblem {
  /** The field's path in the template, e.g. `attributes.ncpus`; empty for the template as a whole. */
  readonly field: string;
  readonly rule: string;
}

/** The words of `abisInstanceRequirements`; what is not named here is passed on as it is. */
export interface InstanceRequirements {
  readonly VCpuCount: { readonly Min: number; readonly Max?: number };
  readonly MemoryMiB: { readonly Min: number; readonly Max?: number };
  readonly CpuManufacturers?: readonly string[];
  readonly [field: string]: unknown;
}

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
