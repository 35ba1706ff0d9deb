import type { RunInstancesCommandInput, TagSpecification } from '@aws-sdk/client-ec2';
import type { CapacityProvider, LaunchOrder, LaunchReport } from '../../application/ports.ts';
import { PluginError } from '../../domain/errors.ts';
import { clientTokenOf } from '../../domain/ids.ts';
import { withRawFields } from '../../domain/raw-fields.ts';
import type { PreparedLaunch, Refusal } from '../../domain/request.ts';
import { offeringOf, type Template } from '../../domain/template.ts';
import type { Ec2 } from './ec2.ts';
import {
  isInstanceType,
  type LaunchDataOptions,
  type LaunchNetwork,
  launchTags,
  optional,
  renderLaunchData,
} from './launch-data.ts';
import type { LaunchTemplates } from './launch-templates.ts';
import { refusalOf } from './refusal.ts';
import { toSighting } from './sighting.ts';

export interface RunInstancesOptions extends LaunchDataOptions {
  readonly ec2: Ec2;
  readonly launchTemplates: LaunchTemplates;
}

const taggedResources = ['instance', 'volume', 'network-interface'] as const;

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

/** The subnet goes where the interfaces are: EC2 takes it in one place only. */
const placeIn = (
  subnetId: string,
  { SecurityGroupIds, NetworkInterfaces }: LaunchNetwork,
): Partial<RunInstancesCommandInput> =>
  NetworkInterfaces === undefined
    ? { SubnetId: subnetId, ...optional('SecurityGroupIds', SecurityGroupIds) }
    : { NetworkInterfaces: NetworkInterfaces.map((each) => ({ ...each, SubnetId: subnetId })) };

const market = ({ priceType, maxSpotPrice }: Template): Partial<RunInstancesCommandInput> =>
  priceType === 'ondemand'
    ? {}
    : {
        InstanceMarketOptions: {
          MarketType: 'spot',
          SpotOptions: { SpotInstanceType: 'one-time', ...optional('MaxPrice', maxSpotPrice) },
        },
      };

const launchTemplate = async (
  { launchTemplates }: RunInstancesOptions,
  template: Template,
): Promise<Partial<RunInstancesCommandInput>> => {
  if (template.launchTemplateId === undefined) return {};
  const { launchTemplateId, launchTemplateVersion } = template;
  const { id, version } = await launchTemplates.pin({
    id: launchTemplateId,
    ...optional('version', launchTemplateVersion),
  });
  // Protection, which a launch template may set, would keep returned hosts alive.
  return { LaunchTemplate: { LaunchTemplateId: id, Version: version }, DisableApiTermination: false };
};

const render = async (
  options: RunInstancesOptions,
  order: LaunchOrder,
  subnetId: string,
): Promise<RunInstancesCall> => {
  const { template, count, requestId, attempt } = order;
  const Tags = launchTags(order, options);
  const { network, ...data } = await renderLaunchData(options, template);
  const resources =
    template.priceType === 'ondemand' ? taggedResources : [...taggedResources, 'spot-instances-request' as const];
  const TagSpecifications: TagSpecification[] = resources.map((ResourceType) => ({ ResourceType, Tags }));
  const { vmType } = template;
  const call: RunInstancesCall = {
    ...data,
    ...optional('InstanceType', vmType !== undefined && isInstanceType(vmType) ? vmType : undefined),
    ...(await launchTemplate(options, template)),
    ...placeIn(subnetId, network),
    ...market(template),
    TagSpecifications,
    MinCount: template.allOrNothing ? count : 1,
    MaxCount: count,
    ClientToken: clientTokenOf(requestId, attempt),
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

/** Capacity by RunInstances: one call per subnet, the next subnet only when this one lacks capacity. */
export const createRunInstancesProvider = (options: RunInstancesOptions): CapacityProvider => ({
  prepare: async (order) => {
    const { template, attempt, count, requestId } = order;
    const subnetId = template.subnetIds[attempt];
    if (subnetId === undefined) return undefined;
    return {
      clientToken: clientTokenOf(requestId, attempt),
      count,
      pool: `${offeringOf(template)} in ${subnetId}`,
      call: { ...(await render(options, order, subnetId)) },
    };
  },

  launch: async (launch): Promise<LaunchReport> => {
    const { call } = launch;
    if (!isRunInstancesCall(call)) {
      throw new PluginError('storage.unreadable', `launch ${launch.clientToken} holds no RunInstances call`);
    }
    try {
      const { Instances = [] } = await options.ec2.runInstances(call);
      const machines = Instances.map(toSighting);
      if (machines.length >= launch.count) return { machines, tryNextPool: false };
      return { machines, refusal: shortfall(launch, machines.length), tryNextPool: true };
    } catch (error) {
      const refusal = refusalOf(error, launch);
      return { machines: [], refusal, tryNextPool: refusal.fault === 'provider.capacity' };
    }
  },
});
