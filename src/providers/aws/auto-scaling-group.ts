import type {
  CreateAutoScalingGroupCommandInput,
  LaunchInstancesCommandOutput,
  LaunchTemplateOverrides,
} from '@aws-sdk/client-auto-scaling';
import type { Tag } from '@aws-sdk/client-ec2';
import type { CapacityProvider, LaunchOrder, LaunchReport, ResourceKeeper } from '../../application/ports.ts';
import { hasCode, PluginError } from '../../domain/errors.ts';
import { clientTokenOf } from '../../domain/ids.ts';
import type { PreparedLaunch, Resource } from '../../domain/request.ts';
import { expiryMs, offeringOf, type Template, weightedTypes } from '../../domain/template.ts';
import type { AutoScaling } from './auto-scaling.ts';
import type { Ec2 } from './ec2.ts';
import { kindOfCode } from './fault.ts';
import { spotStrategy } from './fleet-pools.ts';
import { type LaunchDataOptions, launchTags, optional, renderLaunchData } from './launch-data.ts';
import { type LaunchTemplates, templateData } from './launch-templates.ts';
import { isRefusalFault, refusalOf } from './refusal.ts';

export interface AutoScalingGroupOptions extends LaunchDataOptions {
  readonly autoScaling: () => Promise<AutoScaling>;
  readonly ec2: Ec2;
  readonly launchTemplates: LaunchTemplates;
  readonly clock: () => number;
}

/** Auto Scaling: ids per SetInstanceProtection. */
const idsPerProtection = 50;

interface GroupCall {
  /** Undefined for a group of the administrator's own. */
  readonly create?: CreateAutoScalingGroupCommandInput;
  readonly group: string;
  readonly subnetIds: readonly string[];
  readonly tags: readonly Tag[];
  readonly expiresAt: number;
}

const isGroupCall = (call: object): call is GroupCall =>
  'group' in call && typeof call.group === 'string' && 'expiresAt' in call && typeof call.expiresAt === 'number';

const overrides = (template: Template): LaunchTemplateOverrides[] =>
  weightedTypes(template).map(([InstanceType, weight]) => ({
    InstanceType,
    ...(template.vmTypes === undefined ? {} : { WeightedCapacity: String(weight) }),
  }));

/** A group for one request: its name is derived from the request id, so a retry collides instead of doubling. */
const renderGroup = async (
  options: AutoScalingGroupOptions,
  order: LaunchOrder,
  name: string,
): Promise<CreateAutoScalingGroupCommandInput> => {
  const { template, count } = order;
  const data = templateData(await renderLaunchData(options, template), []);
  const { launchTemplates } = options;
  const { id, version } =
    template.launchTemplateId === undefined
      ? await launchTemplates.ensure(data)
      : await launchTemplates.pin(template.launchTemplateId, template.launchTemplateVersion);
  const isOnDemand = template.priceType === 'ondemand';
  return {
    AutoScalingGroupName: name,
    MinSize: 0,
    MaxSize: count,
    DesiredCapacity: count,
    VPCZoneIdentifier: template.subnetIds.join(','),
    NewInstancesProtectedFromScaleIn: true,
    CapacityRebalance: false,
    MixedInstancesPolicy: {
      LaunchTemplate: {
        LaunchTemplateSpecification: { LaunchTemplateId: id, Version: version },
        Overrides: overrides(template),
      },
      InstancesDistribution: {
        OnDemandBaseCapacity: 0,
        OnDemandPercentageAboveBaseCapacity: isOnDemand ? 100 : (template.percentOnDemand ?? 0),
        SpotAllocationStrategy:
          spotStrategy(template) === 'diversified' ? 'price-capacity-optimized' : spotStrategy(template),
        ...(isOnDemand ? {} : optional('SpotMaxPrice', template.maxSpotPrice)),
      },
    },
    Tags: launchTags(order, options).map(({ Key, Value }) => ({
      Key,
      Value,
      PropagateAtLaunch: true,
      ResourceId: name,
      ResourceType: 'auto-scaling-group',
    })),
  };
};

const prepareGroup = async (options: AutoScalingGroupOptions, order: LaunchOrder): Promise<PreparedLaunch> => {
  const { template, count, requestId, attempt } = order;
  const clientToken = clientTokenOf(requestId, attempt);
  const own = template.autoScalingGroupName;
  const group = own ?? `hf-aws-${requestId}`;
  const call: GroupCall = {
    ...(own === undefined ? { create: await renderGroup(options, order, group) } : {}),
    group,
    subnetIds: template.subnetIds,
    tags: launchTags(order, options),
    expiresAt: options.clock() + expiryMs(template),
  };
  return { clientToken, count, makesResource: true, pool: `${offeringOf(template)} in ${group}`, call: { ...call } };
};

/** AWS says in words that a name is taken or unknown. */
const says = (error: unknown, text: RegExp): boolean =>
  hasCode(error, 'provider.misconfigured', 'provider.missing') && text.test(`${error.aws?.code} ${error.message}`);

/** A group in which nothing moves by itself: AWS adds what is asked for and replaces or rebalances nothing. */
const createOwnGroup = async (scaling: AutoScaling, create: CreateAutoScalingGroupCommandInput): Promise<void> => {
  await scaling.createGroup(create).catch((error: unknown) => {
    if (!says(error, /AlreadyExists/)) throw error;
  });
  await scaling.suspend(create.AutoScalingGroupName ?? '', ['AZRebalance', 'ReplaceUnhealthy']);
};

const sharedReport = (
  { Instances = [], Errors = [] }: LaunchInstancesCommandOutput,
  launch: PreparedLaunch,
  resource: Resource,
): LaunchReport => {
  const machines = Instances.flatMap(({ InstanceIds = [], InstanceType = '', MarketType }) =>
    InstanceIds.map((machineId) => ({
      machineId,
      state: 'pending' as const,
      name: '',
      privateIpAddress: '',
      publicIpAddress: '',
      instanceType: InstanceType,
      priceType: MarketType === 'spot' ? ('spot' as const) : ('ondemand' as const),
    })),
  );
  const missing = launch.count - machines.length;
  if (missing <= 0) return { machines, resource, tryNextPool: false };
  const [first] = Errors;
  const code = first?.ErrorCode ?? 'PartialGrant';
  const kind = kindOfCode(code) ?? 'provider.capacity';
  const fault = isRefusalFault(kind) ? kind : 'provider.capacity';
  const refusal = { missing, code, fault, message: first?.ErrorMessage ?? '', pool: launch.pool };
  return { machines, resource, refusal, tryNextPool: fault === 'provider.capacity' };
};

/** Capacity by Auto Scaling: a group per request, or machines added to a group of the administrator's. */
export const createAutoScalingGroupProvider = (options: AutoScalingGroupOptions): CapacityProvider => ({
  prepare: async (order) => {
    const pools = order.template.autoScalingGroupName === undefined ? 1 : order.template.subnetIds.length;
    return order.attempt < pools ? prepareGroup(options, order) : undefined;
  },

  launch: async (launch) => {
    const { call } = launch;
    if (!isGroupCall(call)) throw new PluginError('storage.unreadable', `launch ${launch.clientToken} holds no group`);
    const { create, group, expiresAt } = call;
    const resource = { kind: 'ASG' as const, id: group, refills: true, ours: create !== undefined, expiresAt };
    const scaling = await options.autoScaling();
    try {
      if (create !== undefined) {
        await createOwnGroup(scaling, create);
        return { machines: [], resource, tryNextPool: false };
      }
      const attempt = Number(launch.clientToken.split('.').at(-1));
      const answer = await scaling.launch({
        AutoScalingGroupName: group,
        RequestedCapacity: launch.count,
        SubnetIds: call.subnetIds.slice(attempt, attempt + 1),
        ClientToken: launch.clientToken,
      });
      const report = sharedReport(answer, launch, resource);
      // The group's tags are the administrator's: ours come after the launch, and the same token brings the same instances.
      const ids = report.machines.map(({ machineId }) => machineId);
      if (ids.length > 0) await options.ec2.createTags(ids, [...call.tags]);
      return report;
    } catch (error) {
      return { machines: [], refusal: refusalOf(error, launch), tryNextPool: false };
    }
  },

  keeper: createGroupKeeper(options.autoScaling),
});

const createGroupKeeper = (autoScaling: () => Promise<AutoScaling>): ResourceKeeper => ({
  look: async ({ id }) => {
    const group = await (await autoScaling()).group(id);
    const instances = (group?.Instances ?? []).filter(
      ({ LifecycleState = '' }) => !LifecycleState.startsWith('Terminat'),
    );
    return { machineIds: instances.map(({ InstanceId = '' }) => InstanceId), ended: group === undefined };
  },
  explain: async ({ id }) => {
    const [message] = await (await autoScaling()).failures(id);
    if (message === undefined) return undefined;
    return {
      code: /\b([A-Z][A-Za-z]+(?:Exceeded|Capacity|TooLow|NotFound))\b/.exec(message)?.[1] ?? 'ScalingActivityFailed',
      message,
    };
  },
  hold: async ({ id }, { total }) => (await autoScaling()).resize(id, total),
  release: async ({ id }, machineIds) => {
    const scaling = await autoScaling();
    const members = new Set(((await scaling.group(id))?.Instances ?? []).map(({ InstanceId }) => InstanceId));
    const ours = machineIds.filter((machineId) => members.has(machineId));
    for (let from = 0; from < ours.length; from += idsPerProtection) {
      await scaling.unprotect(id, ours.slice(from, from + idsPerProtection));
    }
    for (const machineId of ours) await scaling.terminate(machineId);
    return new Set(ours);
  },
  remove: async ({ id, ours }) => {
    if (!ours) return;
    await (await autoScaling()).deleteGroup(id).catch((error: unknown) => {
      if (!says(error, /not found|does not exist/i)) throw error;
    });
  },
});
