import { CreateAutoScalingGroupCommand, SuspendProcessesCommand } from '@aws-sdk/client-auto-scaling';
import type { Settings } from '../../src/emulator/settings.ts';
import { createFactCache } from '../../src/storage/fact-cache.ts';
import { type Region, startRegion } from './emulator/region.ts';
import { type Connect, startWorld, templateDocument, type World } from './provider-world.ts';
import { connectAws } from './providers/aws/emulated-aws.ts';

export interface EmulatorWorld extends World {
  readonly region: Region;
  /** The ids of the instances that the emulator has in these states, `pending` and `running` where none is named. */
  readonly instances: (...states: readonly string[]) => readonly string[];
  /** Gives a machine back, and looks on until that return is over. */
  readonly giveBack: (...machineIds: readonly string[]) => Promise<string>;
  /** Offers one template, `cell`, and asks for machines of it; looks at nothing. */
  readonly ask: (template: object, count?: number) => Promise<string>;
  /** Lets two seconds pass, in which the emulator does what is due, and looks at requests, so many times. */
  readonly look: (requestIds: readonly string[], times?: number) => Promise<void>;
}

const fleetRole = 'arn:aws:iam::123456789012:role/aws-ec2-spot-fleet-tagging-role';

/** The AWS side as the composition builds it, for one work directory. */
const connectTo =
  (url: string): Connect =>
  async ({ now: clock, log, workDir }) => {
    const { get: remember, forget } = createFactCache(workDir, 'aws', clock, { log });
    return connectAws(url, workDir, { clock, log, remember, forget });
  };

/** The application in this process, its AWS side against an emulator; one clock for both, which stands still unless moved. */
export const startEmulatorWorld = async (settings: Partial<Settings> = {}): Promise<EmulatorWorld> => {
  const time: { now: () => number } = { now: () => Date.UTC(2026, 0, 1) };
  const region = await startRegion({ now: () => time.now(), settings });
  const world = await startWorld({ consistencyWindow: 60_000 }, connectTo(region.emulator.url));
  time.now = world.now;
  const look: EmulatorWorld['look'] = async (requestIds, times = 1) => {
    for (let n = 0; n < times; n++) {
      world.pass(2000);
      await world.service.syncRequests({ requestIds, claims: true });
    }
  };
  return {
    ...world,
    region,
    look,
    instances: (...states) =>
      region.emulator
        .instances()
        .filter(({ state }) => (states.length === 0 ? ['pending', 'running'] : states).includes(state))
        .map(({ id }) => id),
    ask: async (template, maxNumber = 2) => {
      const place = { subnetId: 'subnet-0123456789abcdef0', securityGroupIds: ['sg-0123456789abcdef0'] };
      const fields = { vmType: '', vmTypes: { 'm5.large': 1 }, ...place, ...template };
      await world.writeTemplates(templateDocument({ templateId: 'cell', ...fields }));
      return (await world.service.createRequest({ templateId: 'cell', maxNumber })).requestId;
    },
    giveBack: async (...machineIds) => {
      const machines = machineIds.map((machineId) => ({ machineId, name: '' }));
      const { requestId } = await world.service.returnMachines({ machines });
      await look([requestId], 2);
      return requestId;
    },
  };
};

/** A template's fields by kind of capacity that lives on after the launch. */
export const kinds = [
  ['RunInstances', { vmType: 'm5.large', vmTypes: undefined }],
  ['EC2Fleet instant', { providerApi: 'EC2Fleet', priceType: 'spot' }],
  ['EC2Fleet request', { providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'spot' }],
  ['EC2Fleet maintain', { providerApi: 'EC2Fleet', fleetType: 'maintain', priceType: 'spot' }],
  ['SpotFleet request', { priceType: 'spot', fleetRole }],
  ['SpotFleet maintain', { priceType: 'spot', fleetType: 'maintain', fleetRole }],
  ['ASG', { providerApi: 'ASG', priceType: 'spot' }],
] as const;

/** The same in a group of the administrator's, which `makeOwnGroup` makes. */
export const ownGroup = {
  providerApi: 'ASG',
  autoScalingGroupName: 'grid',
  vmType: 'm5.large',
  vmTypes: undefined,
} as const;

/** A group that launches and replaces nothing by itself. */
export const makeOwnGroup = async ({ region: { autoScaling, template } }: EmulatorWorld): Promise<void> => {
  const AutoScalingGroupName = ownGroup.autoScalingGroupName;
  await autoScaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName,
      MinSize: 0,
      MaxSize: 9,
      VPCZoneIdentifier: 'subnet-0123456789abcdef0',
      NewInstancesProtectedFromScaleIn: true,
      LaunchTemplate: { LaunchTemplateId: await template(), Version: '1' },
    }),
  );
  const ScalingProcesses = ['AZRebalance', 'ReplaceUnhealthy'];
  await autoScaling.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses }));
};
