import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import {
  CreateLaunchTemplateCommand,
  DescribeInstancesCommand,
  type DescribeInstancesCommandInput,
  EC2Client,
  type Instance,
  type RequestLaunchTemplateData,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  type Tag,
} from '@aws-sdk/client-ec2';
import { expect, onTestFinished } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../src/emulator/server.ts';

export interface Region {
  readonly emulator: Emulator;
  readonly client: EC2Client;
  /** Moves the emulator's clock on. */
  readonly pass: (ms: number) => void;
  /** Runs one m5.large of `ami-12345678` in us-east-1a unless the input says otherwise. */
  readonly run: (input?: Partial<RunInstancesCommandInput>) => Promise<readonly Instance[]>;
  readonly autoScaling: AutoScalingClient;
  /** A launch template of `ami-12345678` and m5.large, its data over that; its id. */
  readonly template: (data?: RequestLaunchTemplateData, name?: string, tags?: readonly Tag[]) => Promise<string>;
  readonly describe: (input?: DescribeInstancesCommandInput) => Promise<readonly Instance[]>;
}

const configOf = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  maxAttempts: 1,
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
});

export const clientOf = (url: string): EC2Client => new EC2Client(configOf(url));

/** An emulator with a clock that stands still, the genuine client against it, and both gone after the test. */
export const startRegion = async (options: EmulatorOptions = {}): Promise<Region> => {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const emulator = await startEmulator({ now: () => clock.now, ...options });
  const client = clientOf(emulator.url);
  const autoScaling = new AutoScalingClient(configOf(emulator.url));
  onTestFinished(async () => {
    client.destroy();
    autoScaling.destroy();
    await emulator.close();
  });
  return {
    emulator,
    client,
    autoScaling,
    template: async (data = {}, name = 'hosts', tags = []) => {
      const LaunchTemplateData = { ImageId: 'ami-12345678', InstanceType: 'm5.large', ...data } as const;
      const command = new CreateLaunchTemplateCommand({
        LaunchTemplateName: name,
        LaunchTemplateData,
        ...(tags.length === 0
          ? {}
          : { TagSpecifications: [{ ResourceType: 'launch-template' as const, Tags: [...tags] }] }),
      });
      return (await client.send(command)).LaunchTemplate?.LaunchTemplateId ?? '';
    },
    pass: (ms) => {
      clock.now += ms;
    },
    run: async (input = {}) => {
      const defaults = {
        ImageId: 'ami-12345678',
        InstanceType: 'm5.large',
        MinCount: 1,
        MaxCount: 1,
        ...(input.SubnetId === undefined && input.NetworkInterfaces === undefined
          ? { Placement: { AvailabilityZone: 'us-east-1a' } }
          : {}),
      } as const;
      const { Instances = [] } = await client.send(new RunInstancesCommand({ ...defaults, ...input }));
      return Instances;
    },
    describe: async (input = {}) => {
      const { Reservations = [] } = await client.send(new DescribeInstancesCommand(input));
      return Reservations.flatMap(({ Instances = [] }) => Instances);
    },
  };
};

/** The ids of instances, for calls that want nothing else. */
export const idsOf = (instances: readonly Instance[]): string[] =>
  instances.flatMap(({ InstanceId }) => InstanceId ?? []);

/** Expects the call to fail with EC2's code and text under this HTTP status. */
export const expectRefusal = async (
  call: Promise<unknown>,
  code: string,
  status: number,
  message: RegExp = /./,
): Promise<void> => {
  const error: unknown = await call.then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: code, $metadata: { httpStatusCode: status } });
  expect(error).toHaveProperty('message', expect.stringMatching(message));
};
