import type { CapacityProvider, LaunchOrder, LaunchReport } from '../../../application/ports/capacity.ts';
import { PluginError } from '../../../domain/errors.ts';
import { clientTokenOf } from '../../../domain/ids.ts';
import type { PreparedLaunch } from '../../../domain/request/events.ts';
import { expiryMs, offeringOf } from '../../../domain/template/template.ts';
import { createDesiredCapacity } from './desired-capacity.ts';
import { createGroupKeeper } from './group-keeper.ts';
import { type LaunchDataOptions, launchTags } from './launch-data.ts';
import { type LaunchTemplates, renewed } from './launch-templates.ts';
import { createOwnGroup, isOwnGroupCall, type OwnGroupCall, renderGroup } from './own-group.ts';
import { refusalOf } from './refusal.ts';
import { isSharedGroupCall, launchIntoGroup, type SharedGroupCall, type SharedGroupOptions } from './shared-group.ts';

export interface AutoScalingGroupOptions extends LaunchDataOptions, SharedGroupOptions {
  readonly launchTemplates: LaunchTemplates;
}

/** For a group made for one request: once more where its launch template was gone. */
const mostAttempts = 2;

/** Capacity by Auto Scaling: a group per request, or machines added to a group of the administrator's. */
export const createAutoScalingGroupProvider = (options: AutoScalingGroupOptions): CapacityProvider => {
  const desiredCapacity = createDesiredCapacity(options);

  const prepareShared = (order: LaunchOrder, group: string, expiresAt: number): SharedGroupCall | undefined => {
    const { template, requestId, earlier } = order;
    const tried = new Set(earlier.map(({ call }) => (isSharedGroupCall(call) ? call.subnetId : undefined)));
    const subnetId = template.subnetIds.find((each) => !tried.has(each));
    if (subnetId === undefined) return undefined;
    return { group, requestId, subnetId, tags: launchTags(order, options), weights: template.vmTypes ?? {}, expiresAt };
  };

  const launchShared = async (
    launch: PreparedLaunch,
    call: SharedGroupCall,
    isRepeat: boolean,
  ): Promise<LaunchReport> => {
    // A repeated call goes the way that it went before.
    const isByCapacity = call.subnetId === undefined || (isRepeat && (await desiredCapacity.isChosen(call)));
    if (isByCapacity) return desiredCapacity.launch(launch, call);
    const { isLacking = false, ...report } = await launchIntoGroup(options, launch, call, isRepeat);
    if (!isLacking) return report;
    options.log.warn('group.desired-capacity', `LaunchInstances is not available: ${report.refusal?.message ?? ''}`, {
      group: call.group,
    });
    return desiredCapacity.launch(launch, call);
  };

  const launchOwn = async (launch: PreparedLaunch, call: OwnGroupCall): Promise<LaunchReport> => {
    try {
      return await createOwnGroup(options, call);
    } catch (error) {
      const { LaunchTemplateId = '' } =
        call.create.MixedInstancesPolicy?.LaunchTemplate?.LaunchTemplateSpecification ?? {};
      const report = { machines: [], refusal: refusalOf(error, launch), tryNextPool: false };
      return renewed(options.launchTemplates, LaunchTemplateId, report);
    }
  };

  return {
    prepare: async (order) => {
      const { template, count, requestId, earlier } = order;
      const shared = template.autoScalingGroupName;
      const group = shared ?? `hf-aws-${requestId}`;
      const expiresAt = options.clock() + expiryMs(template);
      const own = async () => ({ create: await renderGroup(options, order, group), group, expiresAt });
      if (shared === undefined && earlier.length >= mostAttempts) return undefined;
      const call = shared === undefined ? await own() : prepareShared(order, group, expiresAt);
      if (call === undefined) return undefined;
      const pool = `${offeringOf(template)} in ${group}`;
      return {
        clientToken: clientTokenOf(requestId, earlier.length),
        count,
        makesResource: true,
        pool,
        call: { ...call },
      };
    },

    launch: async (launch, isRepeat = false) => {
      const { call } = launch;
      if (isOwnGroupCall(call)) return launchOwn(launch, call);
      if (isSharedGroupCall(call)) return launchShared(launch, call, isRepeat);
      throw new PluginError('storage.unreadable', `launch ${launch.clientToken} holds no group`);
    },

    keeper: createGroupKeeper(options, desiredCapacity),
  };
};
