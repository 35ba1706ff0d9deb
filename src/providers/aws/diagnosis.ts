import {
  CreateFleetCommand,
  CreateLaunchTemplateCommand,
  CreateTagsCommand,
  DescribeInstancesCommand,
  DescribeSpotInstanceRequestsCommand,
  EC2Client,
  RequestSpotFleetCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { isPluginError, messageOf } from '../../domain/errors.ts';
import type { Diagnosis } from '../../domain/finding.ts';
import type { NeededAction } from '../../domain/needed-actions.ts';
import { type CallContext, callAws, type RetryPolicy } from './call.ts';
import { type SdkClientOptions, sdkConfig } from './sdk-client.ts';

export interface DiagnosisOptions extends SdkClientOptions, Omit<CallContext, 'random'> {
  readonly reads: RetryPolicy;
  readonly sts: { readonly endpoint?: string };
}

const DryRun = true;
/** Nobody's: it only gives a permission something to be asked about. */
const InstanceIds = ['i-00000000000000000'];

/** The actions whose permission EC2 tells by DryRun without further facts. */
const trials = (client: EC2Client): Readonly<Record<string, () => Promise<unknown>>> => ({
  'ec2:DescribeInstances': () => client.send(new DescribeInstancesCommand({ DryRun })),
  'ec2:DescribeSpotInstanceRequests': () => client.send(new DescribeSpotInstanceRequestsCommand({ DryRun })),
  'ec2:RunInstances': () =>
    client.send(new RunInstancesCommand({ DryRun, MinCount: 1, MaxCount: 1, ImageId: 'ami-00000000000000000' })),
  'ec2:TerminateInstances': () => client.send(new TerminateInstancesCommand({ DryRun, InstanceIds })),
  'ec2:CreateTags': () =>
    client.send(new CreateTagsCommand({ DryRun, Resources: InstanceIds, Tags: [{ Key: 'hf-aws:doctor', Value: '' }] })),
  'ec2:CreateLaunchTemplate': () =>
    client.send(
      new CreateLaunchTemplateCommand({ DryRun, LaunchTemplateName: 'hf-aws-doctor', LaunchTemplateData: {} }),
    ),
  'ec2:CreateFleet': () =>
    client.send(
      new CreateFleetCommand({
        DryRun,
        LaunchTemplateConfigs: [],
        TargetCapacitySpecification: { TotalTargetCapacity: 1 },
      }),
    ),
  'ec2:RequestSpotFleet': () =>
    client.send(
      new RequestSpotFleetCommand({
        DryRun,
        SpotFleetRequestConfig: { IamFleetRole: 'arn:aws:iam::000000000000:role/none', TargetCapacity: 1 },
      }),
    ),
});

const identity = async ({ sts, ...options }: DiagnosisOptions): Promise<readonly Diagnosis[]> => {
  const client = new STSClient({ ...(await sdkConfig(options)), ...sts });
  let serverTime = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      serverTime = dateOf(result.response);
      return result;
    },
    { step: 'deserialize' },
  );
  const { Arn, Account } = await callAws({ ...options, random: Math.random }, options.reads, 'GetCallerIdentity', () =>
    client.send(new GetCallerIdentityCommand({})),
  );
  const { region, endpoint } = options.connection;
  const place = endpoint === undefined ? region : `${region} (${endpoint})`;
  return [
    { subject: 'credentials', status: 'ok', what: `${Arn} in account ${Account}, Region ${place}` },
    ...(serverTime === 0 ? [] : [skew(Date.now() - serverTime)]),
  ];
};

const dateOf = (response: unknown): number => {
  const headers: unknown = new Map<string, unknown>(Object.entries(Object(response))).get('headers');
  return Date.parse(String(new Map<string, unknown>(Object.entries(Object(headers))).get('date'))) || 0;
};

/** AWS refuses signatures that are five minutes off; HTTP dates have whole seconds. */
const skew = (ms: number): Diagnosis => {
  const seconds = Math.round(ms / 1000);
  const what = `this host is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} AWS`;
  if (Math.abs(seconds) < 60) return { subject: 'clock', status: 'ok', what: 'within a minute of AWS' };
  const why = 'beyond five minutes AWS refuses every call (RequestExpired)';
  return { subject: 'clock', status: Math.abs(seconds) < 300 ? 'warning' : 'error', what, why, mend: 'run NTP' };
};

const isDenied = async (
  { reads, ...options }: DiagnosisOptions,
  action: string,
  send: () => Promise<unknown>,
): Promise<boolean> => {
  try {
    await callAws({ ...options, random: Math.random }, reads, action, send);
    return false;
  } catch (error) {
    if (!isPluginError(error)) throw error;
    if (error.code === 'provider.denied') return true;
    // DryRunOperation, or a fault that comes after the permission was checked.
    if (error.code === 'provider.misconfigured' || error.code === 'provider.missing') return false;
    throw error;
  }
};

const permissions = async (
  options: DiagnosisOptions,
  actions: readonly NeededAction[],
): Promise<readonly Diagnosis[]> => {
  const known = trials(new EC2Client(await sdkConfig(options)));
  const testable = actions.flatMap((each) => {
    const send = known[each.action];
    return send === undefined ? [] : [{ ...each, send }];
  });
  const denied: NeededAction[] = [];
  for (const { send, ...needed } of testable) if (await isDenied(options, needed.action, send)) denied.push(needed);
  const untested = actions.length - testable.length;
  if (denied.length === 0) {
    const what = `${testable.length} needed actions are permitted; ${untested} cannot be tried without doing them`;
    return [{ subject: 'permissions', status: 'ok', what }];
  }
  return denied.map(({ action, why }) => ({
    subject: 'permissions',
    status: 'error',
    what: `${action} is denied`,
    why: `it is needed ${why}`,
    mend: 'attach the policy that hf-aws doctor --iam-policy prints',
  }));
};

/** Who asks, how far the clocks are apart, and whether the actions are permitted: by DryRun, so that nothing is done. */
export const diagnoseAws = async (
  options: DiagnosisOptions,
  actions: readonly NeededAction[],
): Promise<readonly Diagnosis[]> => {
  try {
    return [...(await identity(options)), ...(await permissions(options, actions))];
  } catch (error) {
    if (!isPluginError(error)) throw error;
    const why = 'without AWS no machine is launched or returned';
    const mend = 'check AWS_CREDENTIAL_FILE, AWS_REGION, AWS_ENDPOINT_URL and the proxy: hf-aws config show';
    return [{ subject: 'AWS', status: 'error', what: messageOf(error), why, mend }];
  }
};
