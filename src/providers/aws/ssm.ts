import { GetParameterCommand, SSMClient, type SSMClientConfig } from '@aws-sdk/client-ssm';
import { PluginError } from '../../domain/errors.ts';
import { type CallContext, callAws, type RetryPolicy } from './call.ts';

export interface ImageAliasOptions extends CallContext {
  readonly client: SSMClientConfig;
  readonly reads: RetryPolicy;
}

/**
 * The AMI that a parameter of Systems Manager names: `/aws/service/...`, a parameter of the account's own, or EC2's spelling
 * `resolve:ssm:<name>[:<version or label>]`. Throws `provider.*`; `provider.misconfigured` where the value is no AMI id.
 */
export const resolveImageAlias = async (
  { client: config, reads, ...context }: ImageAliasOptions,
  alias: string,
): Promise<string> => {
  const client = new SSMClient({ ...config, maxAttempts: 1 });
  const Name = alias.replace(/^resolve:ssm:/, '');
  const { Parameter } = await callAws(context, reads, 'GetParameter', (abortSignal) =>
    client.send(new GetParameterCommand({ Name }), { abortSignal }),
  );
  const imageId = Parameter?.Value ?? '';
  if (/^ami-[0-9a-f]+$/.test(imageId)) return imageId;
  throw new PluginError('provider.misconfigured', `imageId ${alias}: the parameter's value is not an AMI id`);
};
