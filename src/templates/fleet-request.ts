import { isObject } from './template-entry.ts';
import type { Note, Written } from './template-vocabulary.ts';

/** What a file says in the words of templates. */
export interface FileReading {
  readonly fields: Written;
  readonly problems: readonly Note[];
  readonly warnings: readonly Note[];
}

interface Draft {
  readonly fields: Map<string, unknown>;
  readonly problems: Note[];
  readonly warnings: Note[];
}

const objectsIn = (value: unknown): readonly Written[] => (Array.isArray(value) ? value : [value]).filter(isObject);

const distinct = (values: readonly unknown[]): readonly unknown[] => {
  const texts = new Map(values.filter((each) => each !== undefined).map((each) => [JSON.stringify(each), each]));
  return [...texts.values()];
};

/** One value for all overrides, or a problem: a template has one. */
const takeOne = (draft: Draft, field: string, overrides: readonly Written[], name: string): void => {
  const [first, ...others] = distinct(overrides.map((each) => each[name]));
  if (others.length > 0)
    draft.problems.push({ field: `Overrides.${name}`, rule: 'differs between overrides: write a template for each' });
  else if (first !== undefined) draft.fields.set(field, first);
};

const subnetsOf = ({ SubnetId }: Written): readonly string[] =>
  typeof SubnetId === 'string' ? SubnetId.split(',').map((each) => each.trim()) : [];

/** A number by instance type, which must be the same in every subnet. */
const takeNumbers = (draft: Draft, field: string, overrides: readonly Written[], name: string, otherwise?: number) => {
  const numbers = new Map<string, unknown>();
  for (const override of overrides) {
    const [type, value] = [String(override['InstanceType']), override[name] ?? otherwise];
    if (value === undefined) continue;
    if (numbers.has(type) && numbers.get(type) !== value)
      draft.problems.push({ field: `Overrides.${name}`, rule: `of ${type} differs between subnets` });
    numbers.set(type, value);
  }
  if (numbers.size > 0) draft.fields.set(field, Object.fromEntries(numbers));
};

const overrideFields = [
  'InstanceType',
  'SubnetId',
  'WeightedCapacity',
  'Priority',
  'MaxPrice',
  'ImageId',
  'InstanceRequirements',
];

const takeOverrides = (draft: Draft, overrides: readonly Written[]): void => {
  const others = distinct(
    overrides.flatMap((each) => Object.keys(each).filter((name) => !overrideFields.includes(name))),
  );
  for (const name of others)
    draft.problems.push({
      field: `Overrides.${String(name)}`,
      rule: 'has no place in a template; write SubnetId and InstanceType',
    });
  const typed = overrides.filter(({ InstanceType }) => InstanceType !== undefined);
  const required = overrides.filter(({ InstanceRequirements }) => InstanceRequirements !== undefined);
  if (typed.length > 0 && required.length > 0)
    draft.problems.push({
      field: 'Overrides',
      rule: 'has both InstanceType and InstanceRequirements: write one of them',
    });
  takeNumbers(draft, 'vmTypes', typed, 'WeightedCapacity', 1);
  takeNumbers(draft, 'vmTypesPriority', typed, 'Priority');
  takeOne(draft, 'abisInstanceRequirements', required, 'InstanceRequirements');
  takeOne(draft, 'maxSpotPrice', overrides, 'MaxPrice');
  takeOne(draft, 'imageId', overrides, 'ImageId');
  const subnets = [...new Set(overrides.flatMap(subnetsOf))];
  if (subnets.length > 0) draft.fields.set('subnetId', subnets);
  const pairs = new Set(
    typed.flatMap((each) => subnetsOf(each).map((subnet) => `${String(each['InstanceType'])} ${subnet}`)),
  );
  const types = new Set(typed.map(({ InstanceType }) => InstanceType));
  if (subnets.length > 0 && pairs.size < types.size * subnets.length)
    draft.warnings.push({
      field: 'Overrides',
      rule: 'pairs types with subnets; here every type may be launched in every subnet',
    });
};

const takeConfigs = (value: unknown, draft: Draft): void => {
  const configs = objectsIn(value);
  const [launchTemplate, ...others] = distinct(configs.map((each) => each['LaunchTemplateSpecification']));
  if (others.length > 0)
    draft.problems.push({
      field: 'LaunchTemplateConfigs',
      rule: 'name several launch templates: write a template for each',
    });
  if (isObject(launchTemplate)) {
    const { LaunchTemplateId, LaunchTemplateName, Version } = launchTemplate;
    if (LaunchTemplateName !== undefined && LaunchTemplateId === undefined)
      draft.problems.push({ field: 'LaunchTemplateName', rule: 'cannot be looked up here: write LaunchTemplateId' });
    if (LaunchTemplateId !== undefined) draft.fields.set('launchTemplateId', LaunchTemplateId);
    if (LaunchTemplateId !== undefined && Version !== undefined)
      draft.fields.set('launchTemplateVersion', String(Version));
  }
  takeOverrides(
    draft,
    configs.flatMap((each) => objectsIn(each['Overrides'] ?? [])),
  );
};

/** The market, and the numbers of each, which here follow from percentOnDemand. */
const takeTarget = (value: unknown, draft: Draft): void => {
  const target = isObject(value) ? value : {};
  const { DefaultTargetCapacityType: market, TargetCapacityUnitType: unit, OnDemandTargetCapacity: onDemand } = target;
  if (market === 'spot' || market === 'on-demand')
    draft.fields.set('priceType', market === 'spot' ? 'spot' : 'ondemand');
  else
    draft.problems.push({
      field: 'DefaultTargetCapacityType',
      rule: 'must be spot or on-demand: it decides what is bought',
    });
  if (unit !== undefined && unit !== 'units')
    draft.problems.push({ field: 'TargetCapacityUnitType', rule: 'must be units; write weights that mean the same' });
  if (Number(onDemand ?? 0) > 0)
    draft.problems.push({
      field: 'OnDemandTargetCapacity',
      rule: 'is a fixed number whatever is asked for: write onDemandTargetCapacityRatio into the template instead',
    });
};

/** Options of one market: what templates have a word for, and the rest in AWS's own. */
const takeOptions = (name: string, strategy: string) => (value: unknown, draft: Draft) => {
  const { AllocationStrategy, InstancePoolsToUseCount, InstanceInterruptionBehavior, ...rest } = isObject(value)
    ? value
    : {};
  if (AllocationStrategy !== undefined) draft.fields.set(strategy, AllocationStrategy);
  if (InstancePoolsToUseCount !== undefined) draft.fields.set('poolsCount', InstancePoolsToUseCount);
  if (InstanceInterruptionBehavior !== undefined && InstanceInterruptionBehavior !== 'terminate')
    draft.problems.push({
      field: `${name}.InstanceInterruptionBehavior`,
      rule: 'must be terminate: Host Factory is told of a host that AWS takes as gone',
    });
  if (Object.keys(rest).length > 0) takeRaw(draft, name, rest);
};

const takeRaw = (draft: Draft, name: string, value: unknown): void => {
  const raw = draft.fields.get('providerApiSpec');
  draft.fields.set('providerApiSpec', { ...(isObject(raw) ? raw : {}), [name]: value });
};

const takeTags = (value: unknown, draft: Draft): void => {
  for (const { ResourceType, Tags } of objectsIn(value)) {
    const tags = objectsIn(Tags).flatMap(({ Key, Value }) =>
      typeof Key === 'string' && Value !== undefined ? [[Key, String(Value)] as const] : [],
    );
    if (ResourceType === 'instance' && tags.length > 0) draft.fields.set('instanceTags', Object.fromEntries(tags));
    else if (tags.length > 0)
      draft.warnings.push({
        field: 'TagSpecifications',
        rule: `of ${String(ResourceType)} are left out; this program tags its own`,
      });
  }
};

const parts: Readonly<Record<string, (value: unknown, draft: Draft) => void>> = {
  Type: (value, { fields }) => fields.set('fleetType', value),
  LaunchTemplateConfigs: takeConfigs,
  TargetCapacitySpecification: takeTarget,
  SpotOptions: takeOptions('SpotOptions', 'allocationStrategy'),
  OnDemandOptions: takeOptions('OnDemandOptions', 'allocationStrategyOnDemand'),
  TagSpecifications: takeTags,
  Context: (value, draft) => takeRaw(draft, 'Context', value),
};

/** Said by this program for each request: a fleet never replaces a host, nor ends one by itself. */
const ours = [
  'ClientToken',
  'DryRun',
  'ExcessCapacityTerminationPolicy',
  'ReplaceUnhealthyInstances',
  'TerminateInstancesWithExpiration',
  'ValidFrom',
  'ValidUntil',
];

/** A request of CreateFleet, as LSF's `ec2FleetConfig` and Open Resource Broker's specifications hold it, in the words of templates. */
export const readFleetRequest = (request: Written): FileReading => {
  const draft: Draft = { fields: new Map([['providerApi', 'EC2Fleet']]), problems: [], warnings: [] };
  for (const [name, value] of Object.entries({ TargetCapacitySpecification: {}, ...request })) {
    const take = parts[name];
    if (take !== undefined) take(value, draft);
    else if (ours.includes(name))
      draft.warnings.push({ field: name, rule: 'is left out: this program says it itself' });
    else draft.problems.push({ field: name, rule: 'is not a field of CreateFleet that can be served here' });
  }
  return { ...draft, fields: Object.fromEntries(draft.fields) };
};
