import { PluginError } from '../../../domain/errors.ts';
import { fieldOf, jsonAnswer } from '../wire/aws-answer.ts';
import { type CallContext, callAws, type RetryPolicy } from '../wire/call.ts';
import type { ClientConfig } from '../wire/client-config.ts';
import { postSigned } from '../wire/post-signed.ts';

export interface ImageAliasOptions extends CallContext {
  readonly client: ClientConfig;
  readonly reads: RetryPolicy;
}

const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' };

/**
 * The AMI that a parameter of Systems Manager names: `/aws/service/...`, a parameter of the account's own, or EC2's spelling
 * `resolve:ssm:<name>[:<version or label>]`. Throws `provider.*`; `provider.misconfigured` where the value is no AMI id.
 */
export const resolveImageAlias = async (
  { client, reads, ...context }: ImageAliasOptions,
  alias: string,
): Promise<string> => {
  const body = JSON.stringify({ Name: alias.replace(/^resolve:ssm:/, '') });
  const value = await callAws(context, reads, 'GetParameter', async (signal) =>
    jsonAnswer(await postSigned('ssm', client, { headers, body }, signal), (answer) =>
      fieldOf(fieldOf(answer, 'Parameter'), 'Value'),
    ),
  );
  const imageId = String(value);
  if (/^ami-[0-9a-f]+$/.test(imageId)) return imageId;
  throw new PluginError('provider.misconfigured', `imageId ${alias}: the parameter's value is not an AMI id`);
};
