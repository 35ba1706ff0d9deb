import { fieldOf, queryAnswer, unexpected } from '../wire/aws-answer.ts';
import { type CallContext, callAws, type RetryPolicy } from '../wire/call.ts';
import type { ClientConfig } from '../wire/client-config.ts';
import { postSigned } from '../wire/post-signed.ts';

const askIdentity = {
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'Action=GetCallerIdentity&Version=2011-06-15',
};

export interface IdentityOptions extends CallContext {
  readonly client: ClientConfig;
  readonly reads: RetryPolicy;
}

/** The ARN behind the credentials, e.g. `arn:aws:sts::123456789012:assumed-role/grid/i-1`. Throws `provider.*`. */
export const callerArn = ({ client, reads, ...context }: IdentityOptions): Promise<string> =>
  callAws(context, reads, 'GetCallerIdentity', async (signal) => {
    const received = await postSigned('sts', client, askIdentity, signal);
    const arn = fieldOf(fieldOf(queryAnswer('GetCallerIdentity', received), 'GetCallerIdentityResult'), 'Arn');
    if (typeof arn !== 'string') throw unexpected(received);
    return arn;
  });

/** The role that AWS itself makes for Spot Fleet in an account (EC2 user guide, "Service-linked role for Spot Fleet"). */
export const serviceLinkedRole = 'AWSServiceRoleForEC2SpotFleet';

/** The ARN of a role by its name in the account of the caller, or of the service-linked role; an ARN is itself. */
export const roleArn = (caller: string, name = serviceLinkedRole): string => {
  if (name.startsWith('arn:')) return name;
  const [, partition = 'aws', , , account = ''] = caller.split(':');
  const path = name === serviceLinkedRole ? `aws-service-role/spotfleet.amazonaws.com/${name}` : name;
  return `arn:${partition}:iam::${account}:role/${path}`;
};
