import type { CapacityProvider, Hosts, LiveRequests, Logger } from '../../application/ports.ts';
import { PluginError } from '../../domain/errors.ts';
import type { ProviderApi } from '../../domain/template.ts';
import { createAutoScalingGroupProvider } from './auto-scaling-group.ts';
import type { RetryPolicy } from './call.ts';
import { type ConnectionSettings, clientConfig } from './client-config.ts';
import { type CredentialSource, type Remember, readCredentials } from './credentials.ts';
import { createEc2 } from './ec2.ts';
import { createEc2FleetProvider } from './ec2-fleet.ts';
import { createHosts } from './hosts.ts';
import { createLaunchTemplates } from './launch-templates.ts';
import { createRunInstancesProvider } from './run-instances.ts';
import { createSpotFleetProvider } from './spot-fleet.ts';

export interface AwsOptions {
  readonly connection: ConnectionSettings;
  readonly credentials: CredentialSource;
  readonly changes: RetryPolicy;
  readonly reads: RetryPolicy;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly clock: () => number;
  /** `<cluster>/<provider instance>` */
  readonly owner: string;
  readonly version: string;
  /** Where the administrator keeps private keys, for a warning only. */
  readonly keyDirectory?: string;
  /** Keeps facts about AWS between calls. */
  readonly remember: Remember;
  /** Drops a fact by its value. */
  readonly forget: (value: string) => Promise<void>;
  /** What requests want of an Auto Scaling group of the administrator's, and which of its members they have claimed. */
  readonly ledger: (group: string) => LiveRequests;
}

export interface Aws {
  readonly hosts: Hosts;
  readonly provider: (api: ProviderApi) => CapacityProvider;
}

/** An image never changes its root device. */
const imageFactLifetime = 30 * 24 * 3_600_000;

/** AWS_ENDPOINT_URL names EC2's endpoint: only one that is not AWS's own, such as an emulator's, serves other APIs too. */
const endpointFor = ({ endpoint }: ConnectionSettings): { readonly endpoint?: string } => {
  if (endpoint === undefined || !/\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname)) return {};
  return { endpoint: endpoint.replace(/^(https?:\/\/).*?ec2\./, '$1autoscaling.') };
};

/** Everything AWS, over one client. */
export const createAws = async (options: AwsOptions): Promise<Aws> => {
  const { owner, remember } = options;
  const config = await clientConfig(options.connection, await readCredentials(options.credentials));
  const ec2 = createEc2({ ...options, client: config, random: Math.random });
  const rootDeviceOf = (imageId: string): Promise<string> =>
    remember(
      `root-device:${options.connection.region}:${imageId}`,
      () => imageFactLifetime,
      async () => {
        const name = await ec2.rootDeviceName(imageId);
        if (name !== undefined) return name;
        throw new PluginError('provider.misconfigured', `image ${imageId} has no root device or does not exist`);
      },
    );
  const autoScaling = async () => {
    const { createAutoScaling } = await import('./auto-scaling.ts');
    return createAutoScaling({
      ...options,
      client: { ...config, ...endpointFor(options.connection) },
      random: Math.random,
    });
  };
  const launchTemplates = createLaunchTemplates({ ...options, ec2 });
  const shared = { ...options, ec2, rootDeviceOf, launchTemplates };
  const providers: Record<ProviderApi, CapacityProvider> = {
    RunInstances: createRunInstancesProvider(shared),
    EC2Fleet: createEc2FleetProvider(shared),
    SpotFleet: createSpotFleetProvider(shared),
    ASG: createAutoScalingGroupProvider({ ...shared, autoScaling }),
  };
  return { hosts: createHosts({ ec2, owner, remember }), provider: (api) => providers[api] };
};
