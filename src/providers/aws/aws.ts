import type { InstanceTypeInfo } from '@aws-sdk/client-ec2';
import type { FoundPrices } from '../../application/commands/refresh-prices.ts';
import type { CapacityProvider, LaunchTemplateShelf } from '../../application/ports/capacity.ts';
import type { EventQueue } from '../../application/ports/instance-events.ts';
import type { Hosts } from '../../application/ports/instances.ts';
import type { OfferingMemory } from '../../application/ports/memory.ts';
import type { CapacityLedger } from '../../application/ports/streams.ts';
import type { TemplateInspector } from '../../application/ports/templates.ts';
import type { AwsChecks } from '../../application/queries/diagnose.ts';
import type { Rehearsal } from '../../application/rehearsal.ts';
import { hasCode, isPluginError, messageOf, PluginError } from '../../domain/errors.ts';
import type { InstanceTypeTable } from '../../domain/instance-type.ts';
import type { ProviderApi, Template } from '../../domain/template/template.ts';
import { type ClientOptions, createClient } from './client.ts';
import type { PolicyScope } from './inspect/policy.ts';
import { createHosts } from './instances/hosts.ts';
import { type Ownership, readOwnership, tagKeys } from './instances/tags.ts';
import { createAutoScalingGroupProvider } from './launch/auto-scaling-group.ts';
import { createEc2FleetProvider } from './launch/ec2-fleet.ts';
import type { SubnetZones } from './launch/fleet-pools.ts';
import { withFreshImages } from './launch/fresh-images.ts';
import { groupNamed } from './launch/group-members.ts';
import { createLaunchTemplates } from './launch/launch-templates.ts';
import { createRunInstancesProvider } from './launch/run-instances.ts';
import { createSpotFleetProvider } from './launch/spot-fleet.ts';
import { callerArn, roleArn } from './services/account.ts';
import { createEc2 } from './services/ec2.ts';
import type { WantedPrices } from './services/prices.ts';
import { resolveImageAlias } from './services/ssm.ts';
import type { RetryPolicy } from './wire/call.ts';
import { type ClientConfig, clientConfig } from './wire/client-config.ts';
import type { Remember } from './wire/credentials.ts';
import { pause } from './wire/pause.ts';

export interface AwsOptions extends Ownership, ClientOptions {
  readonly changes: RetryPolicy;
  readonly clock: () => number;
  readonly version: string;
  /** Where the administrator keeps private keys, for a warning only. */
  readonly keyDirectory?: string;
  /** Keeps facts about AWS between calls. */
  readonly remember: Remember;
  /** Drops a fact by its value. */
  readonly forget: (value: string) => Promise<void>;
  /** What requests want of an Auto Scaling group of the administrator's, and which of its members they have claimed. */
  readonly ledger: (group: string) => CapacityLedger;
  readonly offerings: OfferingMemory;
  /** Takes AWS's place: nothing is sent. */
  readonly rehearsal?: Rehearsal;
}

export interface Aws {
  readonly hosts: Hosts;
  /** The queue of this URL. */
  readonly eventQueue: (url: string) => Promise<EventQueue>;
  readonly provider: (api: ProviderApi) => CapacityProvider;
  /** The AMI that an image alias currently names. */
  readonly imageOf: (alias: string) => Promise<string>;
  readonly launchTemplates: LaunchTemplateShelf;
  /** What the Region has. */
  readonly instanceTypes: () => Promise<InstanceTypeTable>;
  /** What instance types cost. */
  readonly prices: (wanted: WantedPrices) => Promise<FoundPrices>;
  readonly inspector: () => Promise<TemplateInspector>;
  /** Who asks, and what of that which these templates need is not permitted. */
  readonly checks: (
    templates: readonly Template[],
    scope: PolicyScope,
    types: () => Promise<InstanceTypeTable>,
  ) => Promise<AwsChecks>;
}

/** Refuses, before anything is made or sent, what AWS has no such field for. Throws `template.invalid`. */
const checkRawFields = async (template: Template): Promise<void> => {
  const { templateId, launchTemplateSpec, providerApiSpec, abisInstanceRequirements, autoScalingGroupName } = template;
  const isGiven = (launchTemplateSpec ?? providerApiSpec ?? abisInstanceRequirements) !== undefined;
  // A group of the administrator's takes nothing of them.
  if (!isGiven || autoScalingGroupName !== undefined) return;
  const { rawFieldComplaints } = await import('./inspect/raw-field-check.ts');
  const found = rawFieldComplaints(template).flatMap(({ severity, field, rule }) =>
    severity === 'error' ? [`${field} ${rule}`] : [],
  );
  if (found.length > 0) throw new PluginError('template.invalid', `template ${templateId}: ${found.join('; ')}`);
};

const checking = (provider: CapacityProvider): CapacityProvider => ({
  ...provider,
  prepare: async (order) => {
    await checkRawFields(order.template);
    return provider.prepare(order);
  },
});

/** The build speaks to AWS's operations by it before the program is handed out. */
export { createEc2 };

/** EC2: results per page. */
const [typesPerPage, templatesPerPage] = [100, 200];

/** An image never changes its root device, nor a subnet its zone. */
const lastingFactLifetime = 30 * 24 * 3_600_000;

/** Credentials may become those of another account. */
const accountLifetime = 24 * 3_600_000;

/** An alias moves on to the next image some time after AWS publishes it. */
const aliasLifetime = 3_600_000;

const toFacts = ({ InstanceType, ProcessorInfo, VCpuInfo, MemoryInfo }: InstanceTypeInfo) => {
  const [architecture] = (ProcessorInfo?.SupportedArchitectures ?? []).filter((each) => /^(x86_64|arm64)$/.test(each));
  const { DefaultVCpus: vcpus, DefaultCores: cores = vcpus } = VCpuInfo ?? {};
  const memoryMiB = MemoryInfo?.SizeInMiB;
  if (InstanceType === undefined || architecture === undefined || memoryMiB === undefined) return [];
  return vcpus === undefined || cores === undefined
    ? []
    : [[InstanceType, { architecture, vcpus, cores, memoryMiB }] as const];
};

/** Everything AWS, over one client: the one that is given, or a new one. */
export const createAws = async (options: AwsOptions, given?: ClientConfig): Promise<Aws> => {
  const { owner, store, remember, rehearsal } = options;
  const rehearsed = rehearsal && { ...(await import('./rehearsal.ts')), ...rehearsal };
  const config =
    rehearsed === undefined
      ? (given ?? (await createClient(options)))
      : await clientConfig(options.connection, options.awsClock, undefined);
  const ec2 =
    rehearsed?.rehearsedEc2(rehearsed, options) ?? createEc2({ ...options, client: config, random: Math.random });
  const rootDeviceOf = (imageId: string): Promise<string> =>
    remember(
      `root-device:${options.connection.region}:${imageId}`,
      () => lastingFactLifetime,
      async () => {
        const { Images = [] } = await ec2.read('DescribeImages', { ImageIds: [imageId] });
        const name = Images[0]?.RootDeviceName;
        if (name !== undefined) return name;
        throw new PluginError('provider.misconfigured', `image ${imageId} has no root device or does not exist`);
      },
    );
  const zonesOf = async (subnetIds: readonly string[]): Promise<SubnetZones> => {
    if (subnetIds.length < 2) return {};
    const find = async () => {
      const { Subnets = [] } = await ec2.read('DescribeSubnets', { SubnetIds: [...subnetIds] });
      return JSON.stringify(
        Object.fromEntries(
          Subnets.map(({ SubnetId = '', AvailabilityZone = SubnetId }) => [SubnetId, AvailabilityZone]),
        ),
      );
    };
    try {
      const key = `subnet-zones:${options.connection.region}:${subnetIds.join(',')}`;
      return JSON.parse(await remember(key, () => lastingFactLifetime, find));
    } catch (error) {
      // What passes is waited for; the launch itself says better than this read what else is wrong.
      if (!isPluginError(error) || hasCode(error, 'provider.throttled', 'provider.transient')) throw error;
      options.log.warn('subnets.unknown', `${messageOf(error)}; a fleet is launched in one subnet of its template`);
      // As if all were of one zone: AWS refuses two subnets of a zone.
      return Object.fromEntries(subnetIds.map((subnetId) => [subnetId, 'unknown']));
    }
  };
  const autoScaling = async () => {
    if (rehearsed !== undefined) return rehearsed.rehearsedAutoScaling(rehearsed);
    const { createAutoScaling } = await import('./services/auto-scaling.ts');
    return createAutoScaling({ ...options, client: config, random: Math.random });
  };
  const findImage = async (alias: string): Promise<string> =>
    rehearsed === undefined
      ? resolveImageAlias({ ...options, client: config, random: Math.random }, alias)
      : rehearsed.rehearsedImage(rehearsed, alias);
  const imageOf = (alias: string): Promise<string> =>
    remember(
      `image:${options.connection.region}:${alias}`,
      () => aliasLifetime,
      () => findImage(alias),
    );
  const ownRoleArn = async (name: string | undefined): Promise<string> => {
    const ask = () => callerArn({ ...options, client: config, random: Math.random });
    const anybody = 'arn:aws:iam::<account>:user/anybody';
    return roleArn(
      rehearsed === undefined
        ? await remember(`caller:${options.role?.arn ?? ''}`, () => accountLifetime, ask)
        : anybody,
      name,
    );
  };
  const wait = (ms: number): Promise<void> => pause(ms, options.signal).catch(() => undefined);
  const launchTemplates = createLaunchTemplates({ ...options, ec2, pause: wait });
  const shared = { ...options, ec2, rootDeviceOf, zonesOf, launchTemplates };
  const checked = (provider: CapacityProvider): CapacityProvider =>
    checking(withFreshImages(provider, { imageOf, forget: options.forget }));
  const providers: Record<ProviderApi, CapacityProvider> = {
    RunInstances: checked(createRunInstancesProvider(shared)),
    EC2Fleet: checked(createEc2FleetProvider(shared)),
    SpotFleet: checked(createSpotFleetProvider({ ...shared, roleArn: ownRoleArn })),
    ASG: checked(createAutoScalingGroupProvider({ ...shared, autoScaling })),
  };
  return {
    hosts: createHosts({ ec2, owner, store, remember }),
    eventQueue: async (url) => {
      const { createEventQueue } = await import('./services/event-queue.ts');
      return createEventQueue({ ...options, client: config, random: Math.random }, url);
    },
    provider: (api) => providers[api],
    imageOf,
    launchTemplates: {
      list: async () => {
        const Filters = [{ Name: `tag:${tagKeys.owner}`, Values: [owner] }];
        const found = await ec2.readAll(
          'DescribeLaunchTemplates',
          { Filters, MaxResults: templatesPerPage },
          ({ LaunchTemplates }) => LaunchTemplates,
        );
        return found.flatMap(({ LaunchTemplateId: id = '', LaunchTemplateName: name = '', CreateTime, Tags = [] }) => {
          const { ours, ofOtherStore, requestId } = readOwnership(Tags, options);
          const createdAt = CreateTime?.getTime() ?? Number.POSITIVE_INFINITY;
          // What another installation of the same name has made, its requests may need.
          if (!ours || ofOtherStore === true) return [];
          return [{ id, name, createdAt, ...(requestId === undefined ? {} : { requestId }) }];
        });
      },
      remove: async (id) => {
        await options.forget(id);
        await ec2.change('DeleteLaunchTemplate', { LaunchTemplateId: id });
      },
    },
    inspector: async () => {
      const { createInspector } = await import('./inspect/inspection.ts');
      const group = async (name: string) => groupNamed(await autoScaling(), name);
      return createInspector({ ec2, owner, imageOf: findImage, group, now: config.clock.now });
    },
    checks: async (templates, scope, types) => {
      const { awsChecks } = await import('./inspect/inspection.ts');
      return awsChecks({ ...options, client: config, random: Math.random, ec2 }, templates, scope, {
        imageOf: findImage,
        types,
      });
    },
    instanceTypes: async () => {
      const found = await ec2.readAll(
        'DescribeInstanceTypes',
        { MaxResults: typesPerPage },
        (page) => page.InstanceTypes,
      );
      return new Map(found.flatMap(toFacts));
    },
    prices: async (wanted) => {
      const { findPrices } = await import('./inspect/inspection.ts');
      return findPrices({ ...options, client: config, random: Math.random, ec2 }, wanted);
    },
  };
};
