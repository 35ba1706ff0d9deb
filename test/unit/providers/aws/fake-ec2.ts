import type { Instance, ResponseLaunchTemplateData, RunInstancesCommandInput, Tag } from '@aws-sdk/client-ec2';
import { PluginError } from '../../../../src/domain/errors.ts';
import type { Ec2 } from '../../../../src/providers/aws/services/ec2.ts';

export interface FakeEc2 extends Ec2 {
  /** The values of the one filter of each read, in order. */
  readonly reads: readonly (readonly [filter: string, values: readonly string[]])[];
  readonly terminations: readonly (readonly string[])[];
  readonly tagged: readonly (readonly [resources: readonly string[], tags: readonly Tag[]])[];
  readonly launches: readonly RunInstancesCommandInput[];
  readonly add: (instance: Instance) => void;
  /** Termination protection. */
  readonly protect: (instanceId: string) => void;
  /** What every version of a launch template says. */
  launchTemplateData: ResponseLaunchTemplateData;
  /** What EC2 answers to launches from now on. */
  launch: (input: RunInstancesCommandInput) => readonly Instance[];
  /** Thrown by every termination while set. */
  terminationFault: Error | undefined;
  readonly stateOf: (instanceId: string) => string | undefined;
}

const refusal = (code: string, text: string): PluginError =>
  new PluginError('provider.misconfigured', `TerminateInstances failed. Error Code: ${code}: ${text}`, {
    aws: { code, action: 'TerminateInstances' },
  });

const absent = async (): Promise<never> => {
  throw new Error('the fake does not model this call');
};

/** Making launch templates and fleets is modelled elsewhere. */
const unmodelled = {
  subnetZones: absent,
  instanceTypes: absent,
  createLaunchTemplate: absent,
  launchTemplateId: absent,
  launchTemplates: absent,
  deleteLaunchTemplate: absent,
  createFleet: absent,
  fleetState: absent,
  fleetErrors: absent,
  fleetInstances: absent,
  activeFleets: absent,
  activeSpotFleets: absent,
  modifyFleet: absent,
  deleteFleet: absent,
  requestSpotFleet: absent,
  spotFleetState: absent,
  spotFleetErrors: absent,
  spotFleetInstances: absent,
  modifySpotFleet: absent,
  cancelSpotFleet: absent,
  spotRequests: absent,
  scheduledEvents: absent,
} satisfies Partial<Ec2>;

const valueOfFilter = (instance: Instance, name: string): string | undefined => {
  if (name === 'instance-id') return instance.InstanceId;
  if (name === 'private-dns-name') return instance.PrivateDnsName;
  return instance.Tags?.find(({ Key }) => `tag:${Key}` === name)?.Value;
};

/**
 * The EC2 calls about instances. Its model: reads take one filter of at most 200 values and answer with what matches, an unknown
 * value being no fault; a termination naming an unknown id does nothing and names the ids; one naming a protected instance
 * spares all of its zone, terminates the rest, and names the instance; at most 1000 ids. The default version of a
 * launch template is 7, its latest 9.
 */
export const createFakeEc2 = (): FakeEc2 => {
  const instances = new Map<string, Instance>();
  const isProtected = new Set<string>();
  const reads: (readonly [string, readonly string[]])[] = [];
  const terminations: (readonly string[])[] = [];
  const tagged: (readonly [readonly string[], readonly Tag[]])[] = [];
  const launches: RunInstancesCommandInput[] = [];
  const zoneOf = (id: string): string | undefined => instances.get(id)?.Placement?.AvailabilityZone;

  const ec2: FakeEc2 = {
    ...unmodelled,
    reads,
    terminations,
    tagged,
    launches,
    launch: () => [],
    launchTemplateData: {},
    terminationFault: undefined,
    add: (instance) => instances.set(instance.InstanceId ?? '', instance),
    protect: (id) => isProtected.add(id),
    stateOf: (id) => instances.get(id)?.State?.Name,

    runInstances: async (input) => {
      launches.push(input);
      return { Instances: [...ec2.launch(input)], $metadata: {} };
    },
    describeInstances: async (filters) => {
      const [{ Name = '', Values = [] } = {}, ...others] = filters;
      if (others.length > 0 || Values.length > 200) throw new Error('the fake takes one filter of at most 200 values');
      reads.push([Name, Values]);
      return [...instances.values()].filter((instance) => Values.includes(valueOfFilter(instance, Name) ?? ''));
    },
    terminateInstances: async (ids) => {
      terminations.push(ids);
      if (ec2.terminationFault !== undefined) throw ec2.terminationFault;
      if (ids.length > 1000) throw new Error('EC2 takes at most 1000 ids');
      const unknown = ids.filter((id) => !instances.has(id));
      if (unknown.length > 0) {
        throw refusal('InvalidInstanceID.NotFound', `The instance IDs '${unknown.join(', ')}' do not exist`);
      }
      const [spared] = ids.filter((id) => isProtected.has(id));
      for (const id of ids) {
        if (spared !== undefined && zoneOf(id) === zoneOf(spared)) continue;
        instances.set(id, { ...instances.get(id), State: { Code: 32, Name: 'shutting-down' } });
      }
      if (spared !== undefined) {
        throw refusal('OperationNotPermitted', `The instance '${spared}' may not be terminated.`);
      }
    },
    createTags: async (resources, tags) => {
      tagged.push([resources, tags]);
    },
    rootDeviceName: async () => '/dev/sda1',
    launchTemplateVersion: async (_id, version) => ({
      version: { $Latest: '9', $Default: '7' }[version] ?? version,
      data: ec2.launchTemplateData,
    }),
  };
  return ec2;
};
