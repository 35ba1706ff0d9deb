import { hasCode, isPluginError, messageOf, type PluginError } from '../../../domain/errors.ts';
import type { Diagnosis } from '../../../domain/finding.ts';
import type { Template } from '../../../domain/template/template.ts';
import { tagKeys } from '../instances/tags.ts';
import { callerArn, roleArn } from '../services/account.ts';
import type { Ec2 } from '../services/ec2.ts';
import { diagnoseQuotas } from '../services/quotas.ts';
import type { Role } from '../services/role.ts';
import type { QueryClientOptions } from '../wire/query-client.ts';
import { diagnoseEventWay } from './event-way.ts';
import { type NeededAction, neededActions, type PolicyScope } from './policy.ts';

type Trial = () => Promise<void>;

/**
 * The actions whose permission EC2 tells by DryRun. They ask for what launches ask for, our tag with it: anything else is denied under
 * the policy that doctor prints. What acts on an instance needs one of ours.
 */
const trials = (
  ec2: Ec2,
  templates: readonly Template[],
  { owner }: PolicyScope,
  { instanceId, caller }: { readonly instanceId: string | undefined; readonly caller: string },
): Readonly<Partial<Record<NeededAction['action'], Trial>>> => {
  const tagged = <T extends string>(ResourceType: T) => [
    { ResourceType, Tags: [{ Key: tagKeys.owner, Value: owner }] },
  ];
  const IamFleetRole = roleArn(caller, templates.find(({ fleetRole }) => fleetRole !== undefined)?.fleetRole);
  const launch = { MinCount: 1, MaxCount: 1, ImageId: 'ami-00000000000000000', TagSpecifications: tagged('instance') };
  const template = {
    LaunchTemplateName: 'hf-aws-doctor',
    LaunchTemplateData: {},
    TagSpecifications: tagged('launch-template'),
  };
  const fleet = {
    LaunchTemplateConfigs: [],
    TargetCapacitySpecification: { TotalTargetCapacity: 1 },
    TagSpecifications: tagged('fleet'),
  };
  const spotFleet = { IamFleetRole, TargetCapacity: 1, TagSpecifications: tagged('spot-fleet-request') };
  return {
    'ec2:DescribeInstances': () => ec2.dryRun('DescribeInstances', {}),
    'ec2:DescribeSpotInstanceRequests': () => ec2.dryRun('DescribeSpotInstanceRequests', {}),
    'ec2:RunInstances': () => ec2.dryRun('RunInstances', launch),
    'ec2:CreateLaunchTemplate': () => ec2.dryRun('CreateLaunchTemplate', template),
    'ec2:CreateFleet': () => ec2.dryRun('CreateFleet', fleet),
    'ec2:RequestSpotFleet': () => ec2.dryRun('RequestSpotFleet', { SpotFleetRequestConfig: spotFleet }),
    ...(instanceId === undefined
      ? {}
      : { 'ec2:TerminateInstances': () => ec2.dryRun('TerminateInstances', { InstanceIds: [instanceId] }) }),
  };
};

/** An instance of ours that lives, to ask about. */
const ownInstance = async (ec2: Ec2, owner: string): Promise<string | undefined> => {
  const { Reservations = [] } = await ec2.read('DescribeInstances', {
    Filters: [
      { Name: `tag:${tagKeys.owner}`, Values: [owner] },
      { Name: 'instance-state-name', Values: ['pending', 'running'] },
    ],
    MaxResults: 5,
  });
  return Reservations.flatMap(({ Instances = [] }) => Instances)[0]?.InstanceId;
};

interface DiagnosisOptions extends QueryClientOptions {
  readonly ec2: Ec2;
  readonly role?: Role;
}

const identity = (who: string, options: DiagnosisOptions): readonly Diagnosis[] => {
  const { region, endpoint } = options.client;
  const whence = options.role === undefined ? '' : ', assumed by AWS_ROLE_ARN';
  const place = endpoint === undefined ? region : `${region} (${endpoint})`;
  return [{ subject: 'credentials', status: 'ok', what: `${who}${whence}, Region ${place}` }];
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

const isDenied = async (send: Trial): Promise<boolean> => {
  try {
    await send();
    return false;
  } catch (error) {
    if (hasCode(error, 'provider.denied')) return true;
    // A fault that comes after the permission was checked.
    if (hasCode(error, 'provider.misconfigured', 'provider.missing')) return false;
    throw error;
  }
};

const permissions = async (
  { ec2 }: DiagnosisOptions,
  templates: readonly Template[],
  scope: PolicyScope,
  caller: string,
): Promise<readonly Diagnosis[]> => {
  const actions = neededActions(templates, scope);
  const instanceId = await ownInstance(ec2, scope.owner).catch((error: unknown) => {
    // Told below.
    if (hasCode(error, 'provider.denied')) return undefined;
    throw error;
  });
  const known = trials(ec2, templates, scope, { instanceId, caller });
  const testable = actions.flatMap((each) => {
    const send = known[each.action];
    return send === undefined ? [] : [{ ...each, send }];
  });
  const denied: NeededAction[] = [];
  for (const { send, ...needed } of testable) if (await isDenied(send)) denied.push(needed);
  const untested = actions.length - testable.length;
  if (denied.length === 0) {
    const later = instanceId === undefined ? ' (ec2:TerminateInstances once a machine of ours runs)' : '';
    const what = `${testable.length} needed actions are permitted; ${untested} cannot be tried without doing them${later}`;
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

/** What helps, by AWS's code or the connection's, else by the kind of fault. */
const mends: readonly (readonly [codes: RegExp, mend: string])[] = [
  [/^RequestExpired$/, 'run NTP if the clock of this host is wrong; otherwise renew the temporary credentials'],
  [/^ExpiredToken/, 'renew the temporary credentials where AWS_CREDENTIAL_FILE or AWS_CREDENTIAL_SCRIPT gets them'],
  [/^SignatureDoesNotMatch$/, 'compare the secret key with the access key, and run NTP'],
  [
    /^(AuthFailure|InvalidClientTokenId|UnrecognizedClientException)$/,
    'put a valid key in place: AWS does not know this one',
  ],
  [
    /^CredentialsProviderError$/,
    'configure credentials: AWS_CREDENTIAL_FILE, AWS_CREDENTIAL_SCRIPT, or a role of the instance',
  ],
  [/^(OptInRequired|PendingVerification|Blocked)$/, 'ask AWS support to open the account or the Region'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'check AWS_REGION, AWS_ENDPOINT_URL and DNS; behind a proxy, AWS_PROXY_HOST'],
  [/^(ECONN|EHOST|ENET|ETIMEDOUT|TimeoutError)/, 'check the network and the proxy: AWS_PROXY_HOST, AWS_ENDPOINT_URL'],
  [/^Proxy/, 'check AWS_PROXY_HOST and AWS_PROXY_PORT, and what the proxy lets through'],
  [/CERT|SIGNED|ISSUER|TLS/, 'give Node the certificate of the proxy or endpoint: NODE_EXTRA_CA_CERTS'],
  [/^provider\.throttled$/, 'wait a minute and run doctor again: others in this account call AWS too often'],
  [/^provider\.denied$/, 'attach the policy that hf-aws doctor --iam-policy prints'],
  [/^provider\.transient$/, 'run doctor again; if it stays, see the AWS Health Dashboard'],
];

const mendOf = ({ code, aws }: PluginError): string => {
  const found = mends.find(([codes]) => codes.test(aws?.code ?? code)) ?? mends.find(([codes]) => codes.test(code));
  return found?.[1] ?? 'check AWS_REGION, AWS_ENDPOINT_URL and the proxy: hf-aws config show';
};

/** Who asks, how far the clocks are apart, and whether what the templates need is permitted: by DryRun, so that nothing is done. */
export const diagnoseAws = async (
  options: DiagnosisOptions,
  templates: readonly Template[],
  scope: PolicyScope,
): Promise<readonly Diagnosis[]> => {
  try {
    const who = await callerArn(options);
    return [
      ...identity(who, options),
      ...skew(options.client),
      ...(await permissions(options, templates, scope, who)),
      ...(await diagnoseQuotas(options)),
      ...(scope.eventQueue === undefined ? [] : await diagnoseEventWay(options, scope.eventQueue)),
    ];
  } catch (error) {
    if (!isPluginError(error)) throw error;
    const why = 'without AWS no machine is launched or returned';
    return [
      ...skew(options.client),
      { subject: 'AWS', status: 'error', what: messageOf(error), why, mend: mendOf(error) },
    ];
  }
};
