import type { Instance, ResponseLaunchTemplateData, RunInstancesCommandInput, Tag } from '@aws-sdk/client-ec2';
import { PluginError } from '../../../../src/domain/errors.ts';
import type { Ec2 } from '../../../../src/providers/aws/services/ec2.ts';
import type { Ec2Calls } from '../../../../src/providers/aws/services/operations.ts';
import { type Answers, clientOf } from '../../../../src/providers/aws/wire/query-client.ts';

export interface FakeEc2 extends Ec2 {
  /** What it does, by operation. */
  readonly answers: { -readonly [N in keyof Ec2Calls]?: NonNullable<Answers<Ec2Calls>[N]> };
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

  const answers: FakeEc2['answers'] = {
    RunInstances: (input) => {
      launches.push(input);
      return { Instances: [...ec2.launch(input)] };
    },
    DescribeInstances: ({ Filters: filters = [] }) => {
      const [{ Name = '', Values = [] } = {}, ...others] = filters;
      if (others.length > 0 || Values.length > 200) throw new Error('the fake takes one filter of at most 200 values');
      reads.push([Name, Values]);
      const found = [...instances.values()].filter((each) => Values.includes(valueOfFilter(each, Name) ?? ''));
      return { Reservations: [{ Instances: found }] };
    },
    TerminateInstances: ({ InstanceIds: ids = [] }) => {
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
      return {};
    },
    CreateTags: ({ Resources = [], Tags = [] }) => {
      tagged.push([Resources, Tags]);
      return {};
    },
    DescribeImages: () => ({ Images: [{ RootDeviceName: '/dev/sda1' }] }),
    DescribeLaunchTemplateVersions: ({ Versions: [version = ''] = [] }) => ({
      LaunchTemplateVersions: [
        {
          VersionNumber: { $Latest: 9, $Default: 7 }[version] ?? Number(version),
          LaunchTemplateData: ec2.launchTemplateData,
        },
      ],
    }),
  };
  const ec2: FakeEc2 = {
    answers,
    ...clientOf<Ec2Calls>(async (action, input) => {
      const answer = answers[action];
      if (answer === undefined) throw new Error(`the fake does not model ${action}`);
      return answer(input);
    }),
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
  };
  return ec2;
};
