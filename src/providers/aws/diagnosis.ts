import {
  CreateFleet$,
  type CreateFleetCommand,
  CreateLaunchTemplate$,
  type CreateLaunchTemplateCommand,
  CreateTags$,
  type CreateTagsCommand,
  DescribeInstances$,
  type DescribeInstancesCommand,
  DescribeSpotInstanceRequests$,
  type DescribeSpotInstanceRequestsCommand,
  RequestSpotFleet$,
  type RequestSpotFleetCommand,
  RunInstances$,
  type RunInstancesCommand,
  TerminateInstances$,
  type TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { isPluginError, messageOf } from '../../domain/errors.ts';
import type { Diagnosis } from '../../domain/finding.ts';
import type { NeededAction } from '../../domain/needed-actions.ts';
import { callAws } from './call.ts';
import { ec2Service } from './ec2.ts';
import { postSigned } from './post-signed.ts';
import { createQueryClient, type QueryClientOptions, refusalIn } from './query-client.ts';
import { diagnoseQuotas } from './quotas.ts';

const DryRun = true;
/** Nobody's: it only gives a permission something to be asked about. */
const InstanceIds = ['i-00000000000000000'];

type Read = ReturnType<typeof createQueryClient>['read'];

/** The actions whose permission EC2 tells by DryRun without further facts. */
const trials = (read: Read): Readonly<Record<string, () => Promise<unknown>>> => ({
  'ec2:DescribeInstances': () => read<DescribeInstancesCommand>(DescribeInstances$, { DryRun }),
  'ec2:DescribeSpotInstanceRequests': () =>
    read<DescribeSpotInstanceRequestsCommand>(DescribeSpotInstanceRequests$, { DryRun }),
  'ec2:RunInstances': () =>
    read<RunInstancesCommand>(RunInstances$, { DryRun, MinCount: 1, MaxCount: 1, ImageId: 'ami-00000000000000000' }),
  'ec2:TerminateInstances': () => read<TerminateInstancesCommand>(TerminateInstances$, { DryRun, InstanceIds }),
  'ec2:CreateTags': () =>
    read<CreateTagsCommand>(CreateTags$, {
      DryRun,
      Resources: InstanceIds,
      Tags: [{ Key: 'hf-aws:doctor', Value: '' }],
    }),
  'ec2:CreateLaunchTemplate': () =>
    read<CreateLaunchTemplateCommand>(CreateLaunchTemplate$, {
      DryRun,
      LaunchTemplateName: 'hf-aws-doctor',
      LaunchTemplateData: {},
    }),
  'ec2:CreateFleet': () =>
    read<CreateFleetCommand>(CreateFleet$, {
      DryRun,
      LaunchTemplateConfigs: [],
      TargetCapacitySpecification: { TotalTargetCapacity: 1 },
    }),
  'ec2:RequestSpotFleet': () =>
    read<RequestSpotFleetCommand>(RequestSpotFleet$, {
      DryRun,
      SpotFleetRequestConfig: { IamFleetRole: 'arn:aws:iam::000000000000:role/none', TargetCapacity: 1 },
    }),
});

const askIdentity = {
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'Action=GetCallerIdentity&Version=2011-06-15',
};

const identity = async ({ reads, client, ...context }: QueryClientOptions): Promise<readonly Diagnosis[]> => {
  const { text } = await callAws(context, reads, 'GetCallerIdentity', async (signal) => {
    const received = await postSigned('sts', client, askIdentity, signal);
    if (received.status >= 300) throw refusalIn(received);
    return received;
  });
  const [, who = 'unknown'] = /<Arn>([^<]*)</.exec(text) ?? [];
  const { region, endpoint } = client;
  const place = endpoint === undefined ? region : `${region} (${endpoint})`;
  return [{ subject: 'credentials', status: 'ok', what: `${who}, Region ${place}` }];
};

/** Nothing where AWS was not heard. HTTP dates have whole seconds. */
const skew = ({ clock }: QueryClientOptions['client']): readonly Diagnosis[] => {
  const ms = clock.ahead();
  if (ms === undefined) return [];
  const seconds = Math.round(ms / 1000);
  const what = `this host is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} AWS`;
  if (Math.abs(seconds) < 60) return [{ subject: 'clock', status: 'ok', what: 'within a minute of AWS' }];
  const why =
    'beyond five minutes AWS refuses a call that is signed by this clock (RequestExpired); each is then sent twice, by the clock of AWS';
  return [{ subject: 'clock', status: Math.abs(seconds) < 300 ? 'warning' : 'error', what, why, mend: 'run NTP' }];
};

const isDenied = async (send: () => Promise<unknown>): Promise<boolean> => {
  try {
    await send();
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
  options: QueryClientOptions,
  actions: readonly NeededAction[],
): Promise<readonly Diagnosis[]> => {
  const known = trials(createQueryClient(ec2Service, options).read);
  const testable = actions.flatMap((each) => {
    const send = known[each.action];
    return send === undefined ? [] : [{ ...each, send }];
  });
  const denied: NeededAction[] = [];
  for (const { send, ...needed } of testable) if (await isDenied(send)) denied.push(needed);
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
  options: QueryClientOptions,
  actions: readonly NeededAction[],
): Promise<readonly Diagnosis[]> => {
  try {
    const who = await identity(options);
    return [
      ...who,
      ...skew(options.client),
      ...(await permissions(options, actions)),
      ...(await diagnoseQuotas(options)),
    ];
  } catch (error) {
    if (!isPluginError(error)) throw error;
    const why = 'without AWS no machine is launched or returned';
    const mend = 'check AWS_CREDENTIAL_FILE, AWS_REGION, AWS_ENDPOINT_URL and the proxy: hf-aws config show';
    return [...skew(options.client), { subject: 'AWS', status: 'error', what: messageOf(error), why, mend }];
  }
};
