import type { EC2ClientConfig } from '@aws-sdk/client-ec2';
import type { AwsCredentials } from './credentials.ts';

export interface ConnectionSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly proxy?: string;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly useFips: boolean;
}

const proxyAgents = async (proxy: string | undefined) => {
  if (proxy === undefined) return {};
  const [{ HttpProxyAgent }, { HttpsProxyAgent }] = await Promise.all([
    import('http-proxy-agent'),
    import('https-proxy-agent'),
  ]);
  return { httpAgent: new HttpProxyAgent(proxy), httpsAgent: new HttpsProxyAgent(proxy) };
};

/**
 * The settings every AWS client shares. Everything the SDK would otherwise look for in files and environment is said, so that a
 * call touches no file it need not touch.
 */
export const clientConfig = async (
  { region, endpoint, proxy, connectionTimeoutMs, requestTimeoutMs, useFips }: ConnectionSettings,
  credentials: AwsCredentials | undefined,
): Promise<EC2ClientConfig> => {
  // The SDK warns about Node 20 on stderr at each start; the README says which Node versions are supported.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    defaultsMode: 'standard',
    retryMode: 'standard',
    useDualstackEndpoint: false,
    useFipsEndpoint: useFips,
    userAgentAppId: 'hostfactory-aws',
    authSchemePreference: ['sigv4'],
    requestHandler: {
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      // Without it the SDK only logs a warning and waits on (aws-provisioning-facts 13).
      throwOnRequestTimeout: true,
      ...(await proxyAgents(proxy)),
    },
  };
};
