import { reservedCapacityProblems } from './reserved-capacity.ts';
import { type ProviderApi, providerApiOf, type Template, type TemplateProblem, weightedTypes } from './template.ts';

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

/** What breaks the rules between fields; the rules of single fields are in the JSON Schema (templates/template.schema.ts). */
export const templateProblems = (template: Template): readonly TemplateProblem[] => {
  const api = providerApiOf(template);
  return [
    ...rules
      .filter(({ isBroken }) => isBroken(template, api))
      .map(({ field, rule }) => ({ field, rule: rule(template, api) })),
    ...reservedCapacityProblems(template, api),
  ];
};
