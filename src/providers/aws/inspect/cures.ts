import { messageOf, type PluginError } from '../../../domain/errors.ts';
import type { FaultKind } from '../wire/error-codes.ts';

const ntp = 'set the clock of this host: chronyc makestep, or whatever keeps its time';
const network = 'check the network and the proxy: AWS_PROXY_HOST and AWS_ENDPOINT_URL in hf-aws config show';

/** What helps by AWS's code, or the connection's. */
const byCode: readonly (readonly [codes: RegExp, cure: string])[] = [
  [/^Request(Expired|TimeTooSkewed|InTheFuture)$/, `${ntp}; where it is right, renew the temporary credentials`],
  [
    /^(ExpiredToken|TokenProviderError)/,
    'renew the temporary credentials where AWS_CREDENTIAL_FILE or AWS_CREDENTIAL_SCRIPT gets them',
  ],
  [
    /^(SignatureDoesNotMatch|InvalidSignature|IncompleteSignature)/,
    `compare the secret key with the access key, then ${ntp}`,
  ],
  [
    /^(AuthFailure|InvalidClientTokenId|InvalidAccessKeyId|InvalidToken|InvalidIdentityToken|InvalidSecurity|MissingAuthenticationToken|NotAuthorized|UnrecognizedClient|ERR_INVALID_CHAR)/,
    'put a valid key in place, where hf-aws config show says that AWS_CREDENTIAL_FILE is: AWS does not know this one',
  ],
  [
    /^CredentialsProviderError$/,
    'configure credentials: AWS_CREDENTIAL_FILE, AWS_CREDENTIAL_SCRIPT, or a role of the instance',
  ],
  [/^(OptInRequired|PendingVerification|Blocked|RegionDisabled)$/, 'ask AWS support to open the account or the Region'],
  [/^CustomerKeyHasBeenRevoked$/, 'let this role use the KMS key of the image or volume again'],
  [
    /^(ENOTFOUND|EAI_AGAIN)$/,
    'check AWS_REGION, AWS_ENDPOINT_URL and DNS; behind a proxy, AWS_PROXY_HOST: hf-aws config show',
  ],
  [/^Proxy/, 'check AWS_PROXY_HOST and AWS_PROXY_PORT, and what the proxy lets through'],
  [/^(ECONN|EHOST|ENET|EPIPE|ETIMEDOUT|TimeoutError|AbortError)/, network],
  [
    /CERT|CRL|ISSUER|SIGNATURE|TLS|EPROTO|HOSTNAME|INVALID_|PATH_LENGTH/,
    'give Node the certificate of the proxy or endpoint: NODE_EXTRA_CA_CERTS',
  ],
  [/^QueueDoesNotExist/, 'create the queue and its rules by config/aws/event-queue.cloudformation.yaml'],
  [/^Parameter(Version)?NotFound$/, 'name an image that is there: hf-aws templates validate --aws tells the field'],
];

/** What helps by the kind of fault. */
const byKind: Readonly<Record<FaultKind, string>> = {
  'provider.capacity': 'wait, or add instance types and subnets to the templates: hf-aws offerings list',
  'provider.quota': 'ask for a higher quota in the console under Service Quotas, or lower maxNumber of the templates',
  'provider.throttled': 'wait a minute, then hf-aws doctor again: others in this account call AWS too often',
  'provider.transient': 'hf-aws doctor again; if it stays, see the AWS Health Dashboard',
  'provider.unreachable': network,
  'provider.missing': 'hf-aws templates validate --aws tells which template names what is not there',
  'provider.denied': 'attach the policy that hf-aws doctor --iam-policy prints',
  'provider.misconfigured': 'check AWS_REGION, AWS_ENDPOINT_URL and the proxy: hf-aws config show',
};

/** How to permit an action that was denied. */
export const permit = (action: string): string =>
  `allow ${action}: attach the policy that hf-aws doctor --iam-policy prints`;

const isKind = (code: string): code is FaultKind => Object.hasOwn(byKind, code);

/** The next step against a fault of AWS's. */
export const cureOfAws = (fault: PluginError): string => {
  const [, denied] = /not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)/.exec(messageOf(fault)) ?? [];
  if (denied === 'sts:AssumeRole')
    return 'allow sts:AssumeRole to the caller, and the caller in the trust policy of AWS_ROLE_ARN';
  if (denied !== undefined && fault.code === 'provider.denied') return permit(denied);
  const code = fault.aws?.code ?? '';
  return (
    byCode.find(([codes]) => codes.test(code))?.[1] ?? byKind[isKind(fault.code) ? fault.code : 'provider.transient']
  );
};
