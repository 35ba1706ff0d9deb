import { hasCode, messageOf, PluginError } from '../../../domain/errors.ts';
import { fieldOf, queryAnswer, unexpected } from '../wire/aws-answer.ts';
import { callAws } from '../wire/call.ts';
import {
  type AwsCredentials,
  areSame,
  type CredentialProvider,
  type CredentialSource,
  parseCredentials,
} from '../wire/credentials.ts';
import { postSigned } from '../wire/post-signed.ts';
import { callerArn, type IdentityOptions } from './account.ts';

/** A role of this or another account, in whose name everything is done. */
export interface Role {
  readonly arn: string;
  /** What the role's trust policy may ask for, so that nobody else's program can be made to use the role. */
  readonly externalId?: string;
  /** Names the sessions in CloudTrail and in the ARN of the caller. */
  readonly sessionName: string;
}

/** `client` signs with the credentials of who assumes the role. */
type RoleOptions = IdentityOptions & Pick<CredentialSource, 'remember' | 'forget' | 'warn'>;

/** Milliseconds before their end from which on credentials are renewed; the AWS SDK's figure. Until then older ones serve if STS is away. */
const renewBefore = 5 * 60_000;
/** Milliseconds before their end from which on credentials are not used any more. */
const lastMinute = 60_000;

const headers = { 'content-type': 'application/x-www-form-urlencoded' };

const formOf = ({ arn, externalId, sessionName }: Role): string =>
  new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: arn,
    RoleSessionName: sessionName,
    ...(externalId === undefined ? {} : { ExternalId: externalId }),
  }).toString();

/** In the form that is kept between calls: JSON as of `credential_process`. */
const assume = (role: Role, { client, reads, ...context }: RoleOptions): Promise<string> =>
  callAws(context, reads, 'AssumeRole', async (signal) => {
    const received = await postSigned('sts', client, { headers, body: formOf(role) }, signal);
    const answer = fieldOf(queryAnswer('AssumeRole', received), 'AssumeRoleResult');
    const text = JSON.stringify(fieldOf(answer, 'Credentials') ?? {});
    if (parseCredentials(text) === undefined || Number.isNaN(endOf(text)))
      throw unexpected(received, 'the answer holds no credentials');
    return text;
  });

/** When these credentials end, ms since the epoch. */
const endOf = (text: string): number => {
  const expiration = fieldOf(JSON.parse(text), 'Expiration');
  return typeof expiration === 'string' ? Date.parse(expiration) : Number.NaN;
};

const callerIn = (message: string): string | undefined => /\bUser: (arn:\S+)/.exec(message)?.[1];

/** AWS does not say what it misses: the role, its trust in the caller, the external id, or the caller's own permission. */
const refused = async (error: PluginError, { arn, externalId }: Role, options: RoleOptions): Promise<PluginError> => {
  const caller = callerIn(error.message) ?? (await callerArn(options).catch(() => 'whose credentials these are'));
  const id = externalId === undefined ? 'without AWS_ROLE_EXTERNAL_ID' : 'with AWS_ROLE_EXTERNAL_ID';
  const needs = `the role must exist and trust that caller (and external id), and the caller must be allowed sts:AssumeRole on it`;
  const text = `AWS_ROLE_ARN ${arn} may not be assumed by ${caller}, ${id}: ${needs}. ${messageOf(error)}`;
  return new PluginError('provider.denied', text, { cause: error, ...(error.aws && { aws: error.aws }) });
};

const credentialsIn = (text: string): AwsCredentials => {
  const credentials = parseCredentials(text);
  if (credentials !== undefined) return credentials;
  throw new PluginError('configuration.invalid', 'the credentials kept of AWS_ROLE_ARN cannot be read');
};

/**
 * Credentials of a role, kept between calls until shortly before their end by AWS's clock. Throws `provider.*`, `provider.denied`
 * with the role and who may not assume it.
 */
export const assumedRole = (role: Role, options: RoleOptions): CredentialProvider => {
  const { client, remember, forget, warn } = options;
  const key = `role:${role.arn} ${role.externalId ?? ''} ${role.sessionName}`;
  const timeLeft = (text: string): number => endOf(text) - client.clock.now();
  const lifetime = (text: string): number => Math.max(0, timeLeft(text) - lastMinute);
  const ask = (): Promise<string> =>
    assume(role, options).catch(async (error: unknown) => {
      // Of the other refusals, such as of an unknown key, AWS's own words say enough.
      if (hasCode(error, 'provider.denied') && /^AccessDenied/.test(error.aws?.code ?? ''))
        throw await refused(error, role, options);
      throw error;
    });
  const renew = async (old: string): Promise<string> => {
    const others = await remember(key, lifetime, ask);
    if (others !== old) return others;
    const fresh = await ask();
    await forget(old);
    await remember(key, lifetime, async () => fresh);
    return fresh;
  };
  let held: string | undefined;
  return async (refusedOnes) => {
    held ??= await remember(key, lifetime, ask);
    if (refusedOnes !== undefined && areSame(refusedOnes, credentialsIn(held))) held = await renew(held);
    else if (timeLeft(held) < renewBefore) {
      const old = held;
      held = await renew(old).catch((error: unknown) => {
        if (timeLeft(old) <= 0) throw error;
        warn(messageOf(error));
        return old;
      });
    }
    return credentialsIn(held);
  };
};
