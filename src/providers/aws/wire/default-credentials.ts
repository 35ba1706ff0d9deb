import type { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { AwsCredentials } from './credentials.ts';
import { nodesCertificates } from './trust.ts';

// The SDK warns about Node 20 on stderr at each start; the README says which Node versions are supported.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

let chain: ReturnType<typeof defaultProvider> | undefined;

/**
 * The AWS SDK's own chain: environment, shared files, the instance's role. Remembers what it found until that expires or is to
 * be renewed. Where it needs STS, it asks in the Region and through the proxy of the configuration.
 */
export const findCredentials = async (
  { region, agents }: { readonly region: string; readonly agents: Readonly<Record<string, Agent>> },
  renew: boolean,
): Promise<AwsCredentials> => {
  const certificates = await nodesCertificates();
  const straight = certificates.ca === undefined ? undefined : new SecureAgent(certificates);
  const handler = { httpAgent: agents['http:'], httpsAgent: agents['https:'] ?? straight };
  const requestHandler = handler.httpsAgent === undefined ? {} : { requestHandler: handler };
  chain ??= defaultProvider({ ignoreCache: true, parentClientConfig: { region, ...requestHandler } });
  return chain(renew ? { forceRefresh: true } : undefined);
};
