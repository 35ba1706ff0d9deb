import { PluginError } from '../../../domain/errors.ts';
import { fieldOf } from '../wire/aws-answer.ts';
import { type JsonConnection, jsonCall } from '../wire/json-call.ts';

const getParameter = { service: 'ssm', target: 'AmazonSSM.GetParameter', version: '1.1' } as const;

/**
 * The AMI that a parameter of Systems Manager names: `/aws/service/...`, a parameter of the account's own, or EC2's spelling
 * `resolve:ssm:<name>[:<version or label>]`. Throws `provider.*`; `provider.misconfigured` where the value is no AMI id.
 */
export const resolveImageAlias = async (connection: JsonConnection, alias: string): Promise<string> => {
  const value = await jsonCall(connection, getParameter, { Name: alias.replace(/^resolve:ssm:/, '') }, (answer) =>
    fieldOf(fieldOf(answer, 'Parameter'), 'Value'),
  );
  const imageId = String(value);
  if (/^ami-[0-9a-f]+$/.test(imageId)) return imageId;
  throw new PluginError('provider.misconfigured', `imageId ${alias}: the parameter's value is not an AMI id`);
};
