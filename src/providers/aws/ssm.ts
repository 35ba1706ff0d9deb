import { PluginError } from '../../domain/errors.ts';
import { type CallContext, callAws, type RetryPolicy } from './call.ts';
import type { ClientConfig } from './client-config.ts';
import { postSigned, type Received } from './post-signed.ts';

export interface ImageAliasOptions extends CallContext {
  readonly client: ClientConfig;
  readonly reads: RetryPolicy;
}

const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' };

export const fieldOf = (value: unknown, name: string): unknown =>
  new Map<string, unknown>(Object.entries(Object(value))).get(name);

/** The JSON of an answer of the JSON 1.1 protocol; an error with AWS's code as name for a refusal. */
export const answerOf = ({ status, requestId, text }: Received): unknown => {
  const body: unknown = JSON.parse(text);
  if (status < 300) return body;
  // `Unauthorized`, or with the namespace before: `com.amazonaws.ssm#Unauthorized`.
  const name = String(fieldOf(body, '__type') ?? 'Unknown').replace(/^.*#/, '');
  const error = new Error(String(fieldOf(body, 'message') ?? fieldOf(body, 'Message') ?? `HTTP ${status}`));
  const $fault = status < 500 ? 'client' : 'server';
  throw Object.assign(error, { name, $fault, $metadata: { httpStatusCode: status, requestId } });
};

/**
 * The AMI that a parameter of Systems Manager names: `/aws/service/...`, a parameter of the account's own, or EC2's spelling
 * `resolve:ssm:<name>[:<version or label>]`. Throws `provider.*`; `provider.misconfigured` where the value is no AMI id.
 */
export const resolveImageAlias = async (
  { client, reads, ...context }: ImageAliasOptions,
  alias: string,
): Promise<string> => {
  const body = JSON.stringify({ Name: alias.replace(/^resolve:ssm:/, '') });
  const answer = await callAws(context, reads, 'GetParameter', async (signal) =>
    answerOf(await postSigned('ssm', client, { headers, body }, signal)),
  );
  const imageId = String(fieldOf(fieldOf(answer, 'Parameter'), 'Value') ?? '');
  if (/^ami-[0-9a-f]+$/.test(imageId)) return imageId;
  throw new PluginError('provider.misconfigured', `imageId ${alias}: the parameter's value is not an AMI id`);
};
