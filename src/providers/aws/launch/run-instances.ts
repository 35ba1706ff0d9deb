import type { ResponseLaunchTemplateData, RunInstancesCommandInput, Tag, TagSpecification } from '@aws-sdk/client-ec2';
import type { CapacityProvider, LaunchOrder, LaunchReport } from '../../../application/ports/capacity.ts';
import { PluginError } from '../../../domain/errors.ts';
import { clientTokenOf } from '../../../domain/ids.ts';
import { isRefused, type Offering, promising } from '../../../domain/offering.ts';
import type { PreparedLaunch, Refusal } from '../../../domain/request/events.ts';
import { offeringOf, type Template } from '../../../domain/template/template.ts';
import { toObservation } from '../instances/observation.ts';
import type { Ec2 } from '../services/ec2.ts';
import { required } from '../wire/aws-answer.ts';
import {
  checkTagCount,
  isInstanceType,
  type LaunchData,
  type LaunchDataOptions,
  type LaunchNetwork,
  launchTags,
  makesInterfaces,
  optional,
  renderLaunchData,
} from './launch-data.ts';
import { fieldsOver, networkOver } from './launch-data-over.ts';
import type { LaunchTemplates } from './launch-templates.ts';
import { withRawFields } from './raw-fields.ts';
import { learn, lessonOf, refusalOf } from './refusal.ts';

export interface RunInstancesOptions extends LaunchDataOptions {
  readonly ec2: Ec2;
  readonly launchTemplates: LaunchTemplates;
  readonly clock: () => number;
}

interface RunInstancesCall extends RunInstancesCommandInput {
  ClientToken: string;
  MinCount: number;
  MaxCount: number;
}

/** What is stored of a call is what this file rendered. */
const isRunInstancesCall = (call: object): call is RunInstancesCall =>
  'ClientToken' in call &&
  typeof call.ClientToken === 'string' &&
  'MaxCount' in call &&
  typeof call.MaxCount === 'number';

/** The subnet goes where the interfaces are: EC2 takes it in one place only. One that exists has its place. */
const placeIn = (
  subnetId: string,
  { SecurityGroupIds, NetworkInterfaces }: LaunchNetwork,
): Partial<RunInstancesCommandInput> =>
  NetworkInterfaces === undefined
    ? { SubnetId: subnetId, ...optional('SecurityGroupIds', SecurityGroupIds) }
    : {
        NetworkInterfaces: NetworkInterfaces.map((each) =>
          each.NetworkInterfaceId === undefined ? { ...each, SubnetId: subnetId } : each,
        ),
      };

/** The resources that a launch makes, which are those it may tag. */
const taggedResources = (
  { priceType }: Template,
  { NetworkInterfaces }: LaunchNetwork,
): readonly TagSpecification['ResourceType'][] => [
  'instance',
  'volume',
  ...(makesInterfaces(NetworkInterfaces) ? (['network-interface'] as const) : []),
  ...(priceType === 'ondemand' ? [] : (['spot-instances-request'] as const)),
];

/** A call puts its own beside what a launch template says, and can take nothing of it away. Throws `template.invalid`. */
const checkBase = (
  { templateId, priceType }: Template,
  name: string,
  theirs: ResponseLaunchTemplateData,
  { NetworkInterfaces }: LaunchNetwork,
): void => {
  const refuse = (text: string): never => {
    throw new PluginError('template.invalid', `template ${templateId}: launchTemplateId ${text}`);
  };
  const isTagged = theirs.TagSpecifications?.some(({ ResourceType }) => ResourceType === 'spot-instances-request');
  if (priceType === 'ondemand' && theirs.InstanceMarketOptions?.MarketType === 'spot')
    refuse(`${name} asks for spot instances; RunInstances cannot launch on demand by it`);
  if (priceType === 'ondemand' && isTagged === true)
    refuse(`${name} tags spot-instances-request; RunInstances cannot launch on demand by it`);
  const groups = [...(theirs.SecurityGroupIds ?? []), ...(theirs.SecurityGroups ?? [])];
  if (NetworkInterfaces !== undefined && groups.length > 0)
    refuse(`${name} has security groups beside network interfaces; name the groups in securityGroupIds instead`);
};

const market = ({ priceType, maxSpotPrice }: Template): Partial<RunInstancesCommandInput> =>
  priceType === 'ondemand'
    ? {}
    : {
        InstanceMarketOptions: {
          MarketType: 'spot',
          SpotOptions: { SpotInstanceType: 'one-time', ...optional('MaxPrice', maxSpotPrice) },
        },
      };

/** What a template says of each host, by the administrator's launch template where it names one. */
const dataOf = async (
  options: RunInstancesOptions,
  template: Template,
  tags: readonly Tag[],
): Promise<LaunchData & Partial<RunInstancesCommandInput>> => {
  const data = await renderLaunchData(options, template);
  const { launchTemplateId, launchTemplateVersion } = template;
  if (launchTemplateId === undefined) return data;
  const base = { id: launchTemplateId, ...optional('version', launchTemplateVersion) };
  const { id, version, data: theirs } = await options.launchTemplates.pin(base);
  const network = theirs.NetworkInterfaces === undefined ? data.network : networkOver(theirs, data.network);
  checkBase(template, `version ${version} of ${id}`, theirs, network);
  checkTagCount(template, theirs.TagSpecifications, tags);
  return {
    ...fieldsOver(theirs, data),
    network,
    LaunchTemplate: { LaunchTemplateId: id, Version: version },
    // Protection, which a launch template may set, would keep returned hosts alive.
    DisableApiTermination: false,
  };
};

/** One place EC2 may take capacity from; without a type, that of the administrator's launch template. */
interface Pool {
  readonly instanceType?: string;
  readonly subnetId: string;
}

/** Type by type, each in one subnet after the other. */
const poolsOf = ({ vmType, vmTypes, subnetIds }: Template): readonly Pool[] => {
  const types = vmType === undefined && vmTypes !== undefined ? Object.keys(vmTypes) : [vmType];
  return types.flatMap((type) => subnetIds.map((subnetId) => ({ subnetId, ...optional('instanceType', type) })));
};

const render = async (
  options: RunInstancesOptions,
  order: LaunchOrder,
  { instanceType, subnetId }: Pool,
): Promise<RunInstancesCall> => {
  const { template, count, requestId, earlier } = order;
  const Tags = launchTags(order, options);
  const { network, ...data } = await dataOf(options, template, Tags);
  const resources = taggedResources(template, network);
  const TagSpecifications: TagSpecification[] = resources.map((ResourceType) => ({ ResourceType, Tags }));
  const call: RunInstancesCall = {
    ...data,
    ...optional('InstanceType', instanceType !== undefined && isInstanceType(instanceType) ? instanceType : undefined),
    ...placeIn(subnetId, network),
    ...market(template),
    TagSpecifications,
    MinCount: template.allOrNothing ? count : 1,
    MaxCount: count,
    ClientToken: clientTokenOf(requestId, earlier.length),
  };
  return withRawFields(call, template.providerApiSpec);
};

const shortfall = (launch: PreparedLaunch, granted: number): Refusal => ({
  missing: launch.count - granted,
  code: 'PartialGrant',
  fault: 'provider.capacity',
  message: `EC2 granted ${granted} of ${launch.count}`,
  pool: launch.pool,
});

const subnetOf = ({ SubnetId, NetworkInterfaces }: Pick<RunInstancesCall, 'SubnetId' | 'NetworkInterfaces'>) =>
  SubnetId ?? NetworkInterfaces?.find((each) => each.SubnetId !== undefined)?.SubnetId;

const offeringIn = (call: RunInstancesCall): Offering => ({
  market: call.InstanceMarketOptions?.MarketType === 'spot' ? 'spot' : 'ondemand',
  ...optional('instanceType', call.InstanceType),
  ...optional('subnetId', subnetOf(call)),
});

/** The next pool: in the template's order, but those that were refused lately come last. */
const nextPool = async (
  { offerings }: RunInstancesOptions,
  { template, earlier }: LaunchOrder,
): Promise<Pool | undefined> => {
  // A launch by an image that is gone says nothing of its pool.
  const isOfImage = ({ ImageId }: RunInstancesCall): boolean => ImageId === template.imageId;
  const sent = earlier.flatMap(({ call }) => (isRunInstancesCall(call) && isOfImage(call) ? [call] : []));
  const pools = poolsOf(template);
  if (sent.length >= pools.length) return undefined;
  const tried = sent.map(offeringIn);
  const isTried = ({ instanceType, subnetId }: Pool): boolean =>
    tried.some((each) => each.subnetId === subnetId && (each.instanceType ?? instanceType) === instanceType);
  const left = pools.filter((pool) => !isTried(pool));
  if (left.length < 2) return left[0];
  const market = template.priceType === 'ondemand' ? 'ondemand' : 'spot';
  const [first] = promising(left, await offerings.refused(), (pool) => ({ market, ...pool }));
  return first;
};

/** A type by the launch template has no name here: what was refused of it says nothing about others. */
const learnFrom = async (
  options: RunInstancesOptions,
  call: RunInstancesCall,
  refusal: Pick<Refusal, 'code' | 'message'> | undefined,
): Promise<void> => {
  const offering = offeringIn(call);
  // Reserved capacity says nothing of what EC2 has besides.
  const isReserved = call.CapacityReservationSpecification?.CapacityReservationTarget !== undefined;
  if (offering.instanceType === undefined || isReserved) return;
  const refused = refusal && lessonOf(offering, refusal, options.clock());
  const isGranted = (each: Offering): boolean => isRefused([each], offering);
  await learn(options, refused === undefined ? [] : [refused], refusal === undefined ? isGranted : undefined);
};

/** Capacity by RunInstances: one call per type and subnet, the next only when this one lacks capacity. */
export const createRunInstancesProvider = (options: RunInstancesOptions): CapacityProvider => ({
  prepare: async (order) => {
    const { template, earlier, count, requestId } = order;
    const pool = await nextPool(options, order);
    if (pool === undefined) return undefined;
    return {
      clientToken: clientTokenOf(requestId, earlier.length),
      count,
      pool: `${pool.instanceType ?? offeringOf(template)} in ${pool.subnetId}`,
      call: { ...(await render(options, order, pool)) },
    };
  },

  launch: async (launch): Promise<LaunchReport> => {
    const { call } = launch;
    if (!isRunInstancesCall(call)) {
      throw new PluginError('storage.unreadable', `launch ${launch.clientToken} holds no RunInstances call`);
    }
    try {
      const { Instances = [] } = await options.ec2.change('RunInstances', call);
      required('RunInstances', 'instance', Instances[0]);
      const machines = Instances.map(toObservation);
      if (machines.length < launch.count)
        return { machines, refusal: shortfall(launch, machines.length), tryNextPool: true };
      await learnFrom(options, call, undefined);
      return { machines, tryNextPool: false };
    } catch (error) {
      const refusal = refusalOf(error, launch);
      await learnFrom(options, call, refusal);
      return { machines: [], refusal, tryNextPool: refusal.fault === 'provider.capacity' };
    }
  },
});
