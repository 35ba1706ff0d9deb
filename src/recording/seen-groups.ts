import type { AwsExchange } from '../application/ports/recording.ts';
import { isJson, type Json, jsonIn, listOf, objectsIn, textOf } from './json-value.ts';

/** A member that an Auto Scaling group counts. */
export interface SeenMember {
  readonly id: string;
  readonly type: string;
  readonly zone: string;
  readonly isRunning: boolean;
}

/** An Auto Scaling group at a time. */
export interface SeenGroup {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly desired: number;
  readonly members: readonly SeenMember[];
  readonly suspended: readonly string[];
  /** As DescribeAutoScalingGroups tells it. */
  readonly told: Json;
}

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

const memberIn = (found: Json): readonly SeenMember[] => {
  const [id, state] = [textOf(found['InstanceId']), textOf(found['LifecycleState'])];
  if (id === '' || state.startsWith('Terminat')) return [];
  const isRunning = state === 'InService';
  return [{ id, type: textOf(found['InstanceType']), zone: textOf(found['AvailabilityZone']), isRunning }];
};

/** The groups that an answer shows. */
export const groupsIn = ({ action, answer }: AwsExchange): readonly SeenGroup[] =>
  action !== 'DescribeAutoScalingGroups'
    ? []
    : listOf(jsonIn(answer)['AutoScalingGroups'])
        .map(jsonIn)
        .map((told) => ({
          name: textOf(told['AutoScalingGroupName']),
          min: numberOf(told['MinSize']),
          max: numberOf(told['MaxSize']),
          desired: numberOf(told['DesiredCapacity']),
          members: listOf(told['Instances']).map(jsonIn).flatMap(memberIn),
          suspended: listOf(told['SuspendedProcesses']).map((each) => textOf(jsonIn(each)['ProcessName'])),
          told,
        }));

/** Units of an instance type in a group. */
const weightIn = ({ told }: SeenGroup, type: string): number => {
  const overrides = jsonIn(jsonIn(told['MixedInstancesPolicy'])['LaunchTemplate'])['Overrides'];
  const own = listOf(overrides)
    .map(jsonIn)
    .find((each) => each['InstanceType'] === type);
  return Number(own?.['WeightedCapacity'] ?? 1);
};

/** The administrator's groups: a launch into one begins with LaunchInstances, and no other does. */
export const launchedGroups = (exchanges: readonly AwsExchange[]): ReadonlySet<string> =>
  new Set(
    exchanges
      .filter(({ action }) => action === 'LaunchInstances')
      .map(({ input }) => textOf(jsonIn(input)['AutoScalingGroupName'])),
  );

/** Instance types of those that LaunchInstances launched into a group, by id. */
export const launchedInto = ({ action, input, answer }: AwsExchange, name: string): ReadonlyMap<string, string> => {
  if (action !== 'LaunchInstances' || jsonIn(input)['AutoScalingGroupName'] !== name) return new Map();
  const launched = listOf(jsonIn(answer)['Instances']).map(jsonIn);
  return new Map(
    launched.flatMap((each) =>
      listOf(each['InstanceIds']).map((id) => [textOf(id), textOf(each['InstanceType'])] as const),
    ),
  );
};

/** Of a group that no answer shows: where LaunchInstances launched. */
const byLaunches = (name: string, exchanges: readonly AwsExchange[]): SeenGroup | undefined => {
  const launches = exchanges.filter(
    ({ action, input }) => action === 'LaunchInstances' && jsonIn(input)['AutoScalingGroupName'] === name,
  );
  if (launches.length === 0) return undefined;
  const subnets = launches.flatMap(({ input, answer }) => [
    ...listOf(jsonIn(input)['SubnetIds']).map(textOf),
    ...objectsIn(answer).map((each) => textOf(each['SubnetId'])),
  ]);
  const told = { VPCZoneIdentifier: [...new Set(subnets)].filter((id) => id !== '').join(',') };
  return { name, min: 0, max: 1_000_000, desired: 0, members: [], suspended: [], told };
};

/** An administrator's group before the first recorded launch into it; undefined where no recorded call was about it. */
export const groupAtFirst = (name: string, exchanges: readonly AwsExchange[]): SeenGroup | undefined => {
  const shown = exchanges.flatMap(groupsIn).find((each) => each.name === name);
  const group = shown ?? byLaunches(name, exchanges);
  if (group === undefined) return undefined;
  const launched = new Set(exchanges.flatMap((exchange) => [...launchedInto(exchange, name).keys()]));
  const later = group.members.filter(({ id }) => launched.has(id));
  const units = later.reduce((sum, { type }) => sum + weightIn(group, type), 0);
  return {
    ...group,
    desired: Math.max(group.min, group.desired - units),
    members: group.members.filter(({ id }) => !launched.has(id)),
  };
};

/** The desired capacity of a group after a recorded call of ours. */
export const desiredAfter = (exchange: AwsExchange, group: SeenGroup): number => {
  const { action, error } = exchange;
  const input = jsonIn(exchange.input);
  const { name, desired, members } = group;
  if (error !== undefined) return desired;
  const unitsOf = (types: readonly string[]): number => types.reduce((sum, type) => sum + weightIn(group, type), 0);
  if (action === 'LaunchInstances') return desired + unitsOf([...launchedInto(exchange, name).values()]);
  if (action === 'UpdateAutoScalingGroup' && input['AutoScalingGroupName'] === name)
    return typeof input['DesiredCapacity'] === 'number' ? input['DesiredCapacity'] : desired;
  if (action !== 'TerminateInstanceInAutoScalingGroup') return desired;
  const ids = [input['InstanceId'], ...listOf(input['InstanceIds'])].map(textOf);
  return desired - unitsOf(members.filter(({ id }) => ids.includes(id)).map(({ type }) => type));
};

type Entry = readonly [name: string, value: string];

const asParameters = (value: unknown, path: string): readonly Entry[] => {
  if (Array.isArray(value)) return value.flatMap((each, index) => asParameters(each, `${path}.${index + 1}`));
  if (!isJson(value)) return value === '<removed>' || value === undefined ? [] : [[path, String(value)]];
  // Answers name a launch template both ways, requests one.
  const { LaunchTemplateName: _name, ...named } = value;
  const members = named['LaunchTemplateId'] === undefined ? value : named;
  return Object.entries(members).flatMap(([name, each]) => asParameters(each, path === '' ? name : `${path}.${name}`));
};

/** The launch template of a group that goes by a launch configuration, or that no answer shows. */
const madeUpTemplate = { LaunchTemplateId: 'lt-00000000000000000', Version: '1' };

/** `types`: those that its instances have had. */
const launchingBy = (told: Json, types: readonly string[]): Json => {
  const mixed = jsonIn(told['MixedInstancesPolicy']);
  const { LaunchTemplateSpecification, Overrides } = jsonIn(mixed['LaunchTemplate']);
  const template = jsonIn(LaunchTemplateSpecification ?? told['LaunchTemplate'] ?? madeUpTemplate);
  const overrides = listOf(Overrides).map(jsonIn);
  const isListed = overrides.length > 0 && overrides.every((each) => textOf(each['InstanceType']) !== '');
  if (!isListed && types.length === 0) return { LaunchTemplate: template };
  // The recording does not show the launch template's type, nor what AWS chose attributes by.
  const own = isListed ? overrides : types.map((InstanceType) => ({ InstanceType }));
  const policy = { ...mixed, LaunchTemplate: { LaunchTemplateSpecification: template, Overrides: own } };
  return { MixedInstancesPolicy: policy };
};

/** A group as CreateAutoScalingGroup would make it, and the launch templates that it names. */
export const groupOrder = ({ name, min, max, desired, told }: SeenGroup, types: readonly string[]) => {
  const { VPCZoneIdentifier, AvailabilityZones, NewInstancesProtectedFromScaleIn } = told;
  const places = textOf(VPCZoneIdentifier) === '' ? { AvailabilityZones } : { VPCZoneIdentifier };
  const launching = launchingBy(told, types);
  const Tag = listOf(told['Tags'])
    .map(jsonIn)
    .map(({ Key, Value, PropagateAtLaunch }) => ({ Key, Value, PropagateAtLaunch }));
  const sizes = { MinSize: min, MaxSize: max, DesiredCapacity: desired };
  const order = {
    AutoScalingGroupName: name,
    ...sizes,
    ...places,
    NewInstancesProtectedFromScaleIn,
    ...launching,
    Tag,
  };
  const templates = objectsIn(launching).flatMap(({ LaunchTemplateId, Version }) =>
    textOf(LaunchTemplateId) === '' ? [] : [{ id: textOf(LaunchTemplateId), number: Number(Version) || 1 }],
  );
  return { order: asParameters(order, ''), templates };
};
