import type { Complaint } from '../finding.ts';
import { completeAttributes, countedCores, type DerivationRules, type InstanceTypeTable } from '../instance-type.ts';
import { fleetTypeOf, type ProviderApi, providerApiOf, type Template, weightedTypes } from './template.ts';
import { templateProblems } from './template-rules.ts';

const error = (field: string, rule: string): Complaint => ({ severity: 'error', field, rule });
const warning = (field: string, rule: string): Complaint => ({ severity: 'warning', field, rule });

type Condition = (template: Template, api: ProviderApi) => boolean;

const isOfMany: Condition = (_, api) => api !== 'RunInstances';
const isSpot: Condition = ({ priceType }) => priceType !== 'ondemand';
const isBuying: Condition = ({ priceType, percentOnDemand = 0 }) => priceType !== 'spot' || percentOnDemand > 0;

const isRanked: Condition = (template, api) =>
  (template.allocationStrategy === 'capacityOptimizedPrioritized' && isSpot(template, api)) ||
  (template.allocationStrategyOnDemand === 'prioritized' && isBuying(template, api));

/** Optional fields, when they count for anything, and why they do not, where the kind of capacity is not the reason. */
const effects: readonly (readonly [field: keyof Template, hasEffect: Condition, otherwise?: string])[] = [
  [
    'vmType',
    (template, api) =>
      !isOfMany(template, api) || (template.vmTypes ?? template.abisInstanceRequirements) === undefined,
  ],
  ['vmTypes', (template, api) => isOfMany(template, api) || template.vmType === undefined],
  ['vmTypesPriority', isOfMany],
  [
    'vmTypesPriority',
    isRanked,
    'has no effect without allocationStrategy capacityOptimizedPrioritized or, on demand, allocationStrategyOnDemand prioritized',
  ],
  ['vmTypesOnDemand', ({ priceType }) => priceType === 'heterogeneous'],
  ['fleetRole', (_, api) => api === 'SpotFleet'],
  ['maxSpotPrice', isSpot],
  ['percentOnDemand', ({ priceType }, api) => priceType === 'spot' && api !== 'RunInstances'],
  ['allocationStrategy', (template, api) => isSpot(template, api) && isOfMany(template, api)],
  [
    'allocationStrategy',
    ({ allocationStrategy }, api) => api !== 'ASG' || allocationStrategy !== 'diversified',
    'diversified is not for Auto Scaling groups; this one chooses by price and capacity (price-capacity-optimized)',
  ],
  ['allocationStrategyOnDemand', isOfMany],
  ['allocationStrategyOnDemand', isBuying, 'has no effect where nothing is bought on demand'],
  ['poolsCount', (template, api) => isSpot(template, api) && isOfMany(template, api)],
  [
    'poolsCount',
    ({ allocationStrategy }) => allocationStrategy === 'lowestPrice',
    'has no effect without allocationStrategy lowestPrice',
  ],
  [
    'spotFleetRequestExpiry',
    (template, api) => isOfMany(template, api) && (api !== 'EC2Fleet' || fleetTypeOf(template) !== 'instant'),
  ],
  [
    'capacityReservation',
    ({ priceType }) => priceType === 'ondemand',
    'has no effect where nothing is bought on demand',
  ],
];

/** All that says how hosts are launched or bought: an Auto Scaling group of the administrator's has its own say in that. */
const decidedByGroup: readonly (keyof Template)[] = [
  'imageId',
  'launchTemplateId',
  'launchTemplateVersion',
  'launchTemplateSpec',
  'providerApiSpec',
  'abisInstanceRequirements',
  'vmTypesPriority',
  'vmTypesOnDemand',
  'rootDeviceVolumeSize',
  'volumeType',
  'iops',
  'keyName',
  'securityGroupIds',
  'instanceProfile',
  'userDataScript',
  'placementGroupName',
  'tenancy',
  'ebsOptimized',
  'interfaceType',
  'efaCount',
  'capacityReservation',
  'marketType',
  'fleetRole',
  'maxSpotPrice',
  'percentOnDemand',
  'allocationStrategy',
  'allocationStrategyOnDemand',
  'poolsCount',
];

/** Fields that are given and change nothing, with the API that serves the template. */
export const withoutEffect = (template: Template): readonly Complaint[] => {
  const api = providerApiOf(template);
  const isSet = (field: keyof Template): boolean => [template[field] ?? []].flat().length > 0;
  const overruled = template.autoScalingGroupName === undefined ? [] : decidedByGroup.filter(isSet);
  const rules = new Map<string, string>(
    overruled.map((field) => [field, 'has no effect in your own Auto Scaling group, whose settings decide']),
  );
  for (const [field, hasEffect, otherwise] of effects) {
    if (!isSet(field) || rules.has(field) || hasEffect(template, api)) continue;
    rules.set(field, otherwise ?? `has no effect here (priceType ${template.priceType}, served by ${api})`);
  }
  return [...rules].map(([field, rule]) => warning(field, rule));
};

const priorities = (template: Template): readonly Complaint[] => {
  const names = new Set(weightedTypes(template).map(([name]) => name));
  return Object.keys(template.vmTypesPriority ?? {})
    .filter((name) => !names.has(name))
    .map((name) => warning(`vmTypesPriority.${name}`, 'is not among the instance types of this template'));
};

const weights = ({ vmTypes, maxNumber }: Template): readonly Complaint[] =>
  Object.entries(vmTypes ?? {})
    .filter(([, weight]) => maxNumber > 0 && weight > maxNumber)
    .map(([name, weight]) =>
      warning(`vmTypes.${name}`, `weighs ${weight}, more than the ${maxNumber} units of maxNumber`),
    );

interface UsedType {
  readonly field: string;
  readonly name: string;
  readonly weight: number;
}

const usedTypes = (template: Template): readonly UsedType[] => {
  const { vmType, vmTypes, vmTypesOnDemand = {} } = template;
  const listed = (field: string, types: Readonly<Record<string, number>>): readonly UsedType[] =>
    Object.entries(types).map(([name, weight]) => ({ field: `${field}.${name}`, name, weight }));
  const main =
    vmTypes === undefined || (vmType !== undefined && providerApiOf(template) === 'RunInstances')
      ? [vmType ?? []].flat().map((name) => ({ field: 'vmType', name, weight: 1 }))
      : listed('vmTypes', vmTypes);
  return [...main, ...listed('vmTypesOnDemand', vmTypesOnDemand).filter(({ name }) => !vmTypes?.[name])];
};

/** Attributes that promise more than an instance type has. */
const promises = (template: Template, types: readonly UsedType[], table: InstanceTypeTable): readonly Complaint[] => {
  const check = (name: 'ncpus' | 'nram', unit: string, amount: 'vcpus' | 'memoryMiB'): readonly Complaint[] => {
    const promised = Number(template.attributes[name]?.[1]);
    const perUnit = types.map((type) => {
      const has = table.get(type.name)?.[amount];
      return { ...type, has: has === undefined ? Infinity : Math.max(1, Math.floor(has / type.weight)) };
    });
    const short = perUnit.find(({ has }) => promised > has);
    if (short === undefined) return [];
    const share = short.weight === 1 ? '' : ` for each of its ${short.weight} units`;
    return [warning(`attributes.${name}`, `promises ${promised} ${unit}; ${short.name} has ${short.has}${share}`)];
  };
  return [...check('ncpus', 'CPUs', 'vcpus'), ...check('nram', 'MB', 'memoryMiB')];
};

/** Whoever has the cores counted goes by exact numbers, which types of different sizes do not have. */
const uneven = (
  { attributes }: Template,
  types: readonly UsedType[],
  table: InstanceTypeTable,
): readonly Complaint[] => {
  if (attributes['ncores']?.[1] !== countedCores) return [];
  const counted = [
    ['ncores', 'cores'],
    ...(attributes['nram'] === undefined ? [['nram', 'memoryMiB'] as const] : []),
  ] as const;
  return counted.flatMap(([name, amount]) => {
    const shares = types.flatMap((type) => {
      const has = table.get(type.name)?.[amount];
      return has === undefined ? [] : [{ type: type.name, has: Math.max(1, Math.floor(has / type.weight)) }];
    });
    if (new Set(shares.map(({ has }) => has)).size < 2) return [];
    const values = shares.map(({ type, has }) => `${type} ${has}`).join(', ');
    return [warning(`attributes.${name}`, `is that of the smallest type: ${values}`)];
  });
};

/** One image serves one architecture, and `type` must be that of the cluster for it. */
const architectures = (
  { attributes }: Template,
  types: readonly UsedType[],
  table: InstanceTypeTable,
  { machineTypes }: DerivationRules,
): readonly Complaint[] => {
  const known = types.flatMap((type) => {
    const architecture = table.get(type.name)?.architecture;
    return architecture === undefined ? [] : [{ ...type, architecture }];
  });
  const [first] = known;
  if (first === undefined) return [];
  const mixed = known
    .filter(({ architecture }) => architecture !== first.architecture)
    .map(({ field, name, architecture }) =>
      warning(field, `${name} is ${architecture}, ${first.name} ${first.architecture}: one image cannot serve both`),
    );
  const [, type = ''] = attributes['type'] ?? [];
  const expected = machineTypes[first.architecture];
  const isOfOther = Object.entries(machineTypes).some(
    ([architecture, name]) => name === type && architecture !== first.architecture,
  );
  const isWrong = type !== '' && (expected === undefined ? isOfOther : expected !== type);
  if (!isWrong) return mixed;
  const fitting = expected === undefined ? '' : `, for which machineTypes has ${expected}`;
  return [...mixed, warning('attributes.type', `is ${type}, but ${first.name} is ${first.architecture}${fitting}`)];
};

/** IBM's form, e.g. `price:0.1,billingTimeUnitType:prorated_hour,billingTimeUnitNumber:1,billingRoundoffType:unit`. */
const priceForm = /^(auto|price:\d+(\.\d+)?(,\w+:\w+)*)$/;

/** What Host Factory selects templates by, where its policy says so. */
const selection = ({ attributes }: Template): readonly Complaint[] => {
  const [rank, price] = [attributes['rank']?.[1], attributes['priceInfo']?.[1]];
  return [
    ...(rank === undefined || Number.isFinite(Number.parseFloat(rank))
      ? []
      : [warning('attributes.rank', 'is not a number')]),
    ...(price === undefined || priceForm.test(price)
      ? []
      : [warning('attributes.priceInfo', 'must be auto or of the form price:0.1,billingTimeUnitType:prorated_hour,…')]),
  ];
};

const spotFleet = (template: Template): readonly Complaint[] => {
  if (providerApiOf(template) !== 'SpotFleet') return [];
  return [
    ...(template.priceType === 'ondemand'
      ? [warning('providerApi', 'SpotFleet launches on demand here; EC2Fleet does it better')]
      : []),
    ...(template.fleetRole === undefined
      ? [warning('fleetRole', 'is left out: AWSServiceRoleForEC2SpotFleet serves, which AWS makes for an account')]
      : []),
  ];
};

const weightless = (template: Template): readonly Complaint[] =>
  providerApiOf(template) === 'RunInstances' && Object.values(template.vmTypes ?? {}).some((weight) => weight !== 1)
    ? [warning('vmTypes', 'weigh 1 each with RunInstances, which launches hosts, not units')]
    : [];

/** Harmless, unless attributes are to be derived from the type. */
const unknownType = ({ field, name }: UsedType, underivable: readonly { readonly field: string }[]): Complaint => {
  const refresh = 'hf-aws instance-types refresh asks EC2';
  if (underivable.length === 0) return warning(field, `nothing is known of ${name}; ${refresh}`);
  const fields = underivable.map((each) => each.field).join(', ');
  return error(field, `nothing is known of ${name}, so ${fields} must be written; ${refresh}`);
};

/**
 * Everything that can be said of a template without asking AWS, beyond the form of its single fields: the rules between fields,
 * fields without effect, and attributes against what its instance types have.
 */
export const reviewTemplate = (
  template: Template,
  table: InstanceTypeTable,
  rules: DerivationRules,
): readonly Complaint[] => {
  const types = usedTypes(template);
  const underivable = completeAttributes(template, table, rules).problems;
  const unknown = types.filter(({ name }) => !table.has(name));
  const broken = [...templateProblems(template), ...(unknown.length > 0 ? [] : underivable)];
  return [
    ...broken.map(({ field, rule }) => error(field, rule)),
    ...unknown.map((type) => unknownType(type, underivable)),
    ...withoutEffect(template),
    ...selection(template),
    ...spotFleet(template),
    ...weightless(template),
    ...priorities(template),
    ...weights(template),
    ...promises(template, types, table),
    ...uneven(template, types, table),
    ...architectures(template, types, table, rules),
  ];
};
