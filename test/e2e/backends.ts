import { setTimeout as wait } from 'node:timers/promises';
import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import {
  CancelSpotFleetRequestsCommand,
  CreateSecurityGroupCommand,
  DeleteLaunchTemplateCommand,
  DescribeFleetsCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeSpotFleetRequestsCommand,
  DescribeSubnetsCommand,
  EC2Client,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/server.ts';
import { hasMoto, startMoto } from '../moto.ts';
import type { Json } from './plugin.ts';

/** An EC2 to test against. */
export interface Backend {
  readonly url: string;
  readonly client: EC2Client;
  /** A template's fields that name things which exist there. */
  readonly place: Json;
  /** The parameters of the calls of an action that it got, where it tells. */
  readonly sent?: (action: string) => readonly Json[];
  /** Ids of the instances in these states. */
  instanceIds(...states: readonly string[]): Promise<readonly string[]>;
  /** Somebody else ends or stops them, not Host Factory. */
  terminate(...ids: readonly string[]): Promise<void>;
  stop(...ids: readonly string[]): Promise<void>;
  /** Leaves nothing running. */
  clear(): Promise<void>;
  /** Long enough for the backend to replace what it would replace. */
  settle(): Promise<void>;
  /** Fleets and groups that still do something, and launch templates of single requests. */
  resources(): Promise<readonly string[]>;
  close(): Promise<void>;
}

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'planted-secret' };

const clientFor = (endpoint: string): EC2Client => new EC2Client({ endpoint, region: 'us-east-1', credentials });

const controls = (client: EC2Client, endpoint: string) => ({
  resources: async () => {
    const scaling = new AutoScalingClient({ endpoint, region: 'us-east-1', credentials });
    const { Fleets = [] } = await client.send(new DescribeFleetsCommand({}));
    const { SpotFleetRequestConfigs = [] } = await client.send(new DescribeSpotFleetRequestsCommand({}));
    const { AutoScalingGroups = [] } = await scaling.send(new DescribeAutoScalingGroupsCommand({}));
    scaling.destroy();
    const active = (state: string | undefined): boolean =>
      state === 'active' || state === 'submitted' || state === 'modifying';
    return [
      ...Fleets.filter(({ FleetState, Type }) => active(FleetState) && Type !== 'instant').map(
        ({ FleetId }) => `${FleetId}`,
      ),
      ...SpotFleetRequestConfigs.filter(({ SpotFleetRequestState }) => active(SpotFleetRequestState)).map(
        ({ SpotFleetRequestId }) => `${SpotFleetRequestId}`,
      ),
      ...AutoScalingGroups.map(({ AutoScalingGroupName }) => `${AutoScalingGroupName}`),
    ];
  },
  instanceIds: async (...states: readonly string[]) => {
    const Filters = [{ Name: 'instance-state-name', Values: [...states] }];
    const { Reservations = [] } = await client.send(new DescribeInstancesCommand({ Filters }));
    return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId = '' }) => InstanceId));
  },
  terminate: async (...ids: readonly string[]) => {
    await client.send(new TerminateInstancesCommand({ InstanceIds: [...ids] }));
  },
  stop: async (...ids: readonly string[]) => {
    await client.send(new StopInstancesCommand({ InstanceIds: [...ids] }));
  },
});

const emulatorPlace = {
  imageId: 'ami-0123456789abcdef0',
  subnetId: 'subnet-0123456789abcdef0',
  securityGroupIds: ['sg-0123456789abcdef0'],
};

/** Somebody deletes all launch templates. */
export const deleteLaunchTemplates = async ({ client }: Backend): Promise<void> => {
  const { LaunchTemplates = [] } = await client.send(new DescribeLaunchTemplatesCommand({}));
  for (const { LaunchTemplateId } of LaunchTemplates)
    await client.send(new DeleteLaunchTemplateCommand({ LaunchTemplateId }));
};

export type EmulatorBackend = Backend & {
  readonly emulator: Emulator;
  /** Somebody else ends the spot fleets once so many machines run: what is missing of heterogeneous requests is sought on demand. */
  turnToOnDemand(running: number): Promise<void>;
};

const fulfilMs = 100;
const settleMs = 5 * fulfilMs;

/** The embedded emulator, quick: states last fractions of a second. */
export const emulatorBackend = async (options: EmulatorOptions = {}): Promise<EmulatorBackend> => {
  const emulator = await startEmulator({
    ...options,
    settings: { pendingMs: 300, nameAfterMs: 150, shuttingDownMs: 300, stoppingMs: 100, fulfilMs },
  });
  const client = clientFor(emulator.url);
  const { instanceIds } = controls(client, emulator.url);
  return {
    emulator,
    turnToOnDemand: async (running) => {
      await expect.poll(() => instanceIds('pending', 'running'), { timeout: 10_000 }).toHaveLength(running);
      const { SpotFleetRequestConfigs = [] } = await client.send(new DescribeSpotFleetRequestsCommand({}));
      const SpotFleetRequestIds = SpotFleetRequestConfigs.map(({ SpotFleetRequestId = '' }) => SpotFleetRequestId);
      await client.send(new CancelSpotFleetRequestsCommand({ SpotFleetRequestIds, TerminateInstances: false }));
    },
    url: emulator.url,
    client,
    place: emulatorPlace,
    sent: (action) => emulator.calls(action).map(({ parameters }) => parameters),
    ...controls(client, emulator.url),
    // Replacement comes one fulfilment after the loss.
    settle: () => wait(settleMs),
    clear: async () => emulator.reset(),
    close: async () => {
      client.destroy();
      await emulator.close();
    },
  };
};

/** moto: an EC2 emulator nobody here wrote. Its RunInstances launches MinCount, whatever MaxCount says. */
export const motoBackend = async (): Promise<Backend> => {
  const { url, close } = await startMoto();
  const client = clientFor(url);
  const { Images = [] } = await client.send(new DescribeImagesCommand({ Owners: ['amazon'] }));
  const { Subnets = [] } = await client.send(new DescribeSubnetsCommand({}));
  const { GroupId } = await client.send(
    new CreateSecurityGroupCommand({ GroupName: 'grid', Description: 'grid', VpcId: Subnets[0]?.VpcId }),
  );
  const imageId = Images.find(
    ({ ImageId = '', RootDeviceName }) =>
      /^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(ImageId) && RootDeviceName !== undefined,
  )?.ImageId;
  const control = controls(client, url);
  return {
    url,
    client,
    place: { imageId, subnetId: Subnets[0]?.SubnetId, securityGroupIds: [GroupId] },
    ...control,
    settle: async () => undefined,
    clear: async () => {
      const ids = await control.instanceIds('pending', 'running', 'stopping', 'stopped');
      if (ids.length > 0) await control.terminate(...ids);
    },
    close: async () => {
      client.destroy();
      close();
    },
  };
};

const backends = [
  { name: 'the emulator', start: (): Promise<Backend> => emulatorBackend(), available: true },
  { name: 'moto', start: motoBackend, available: hasMoto },
] as const;

/** The one that a project of the tests is about; both where it names none. */
const only = process.env['HF_AWS_TEST_BACKEND'];

/** The same tests against each; those against a moto that is not there are skipped, so that the summary counts them. */
export const describeBackends = (
  title: (name: string) => string,
  tests: (backend: (typeof backends)[number]) => void,
): void => {
  for (const backend of backends.filter(({ name }) => only === undefined || name === only))
    describe.skipIf(!backend.available)(title(backend.name), () => tests(backend));
};
