import type { ConnectionSettings } from './client-config.ts';
import { type CredentialSource, readCredentials } from './credentials.ts';

export interface SdkClientOptions {
  readonly connection: ConnectionSettings;
  readonly credentials: CredentialSource;
}

const throughProxy = async (proxy: string | undefined) => {
  if (proxy === undefined) return {};
  const [{ HttpProxyAgent }, { HttpsProxyAgent }] = await Promise.all([
    import('http-proxy-agent'),
    import('https-proxy-agent'),
  ]);
  return { httpAgent: new HttpProxyAgent(proxy), httpsAgent: new HttpsProxyAgent(proxy) };
};

/** Settings for the AWS SDK's own clients, for administrators' calls: the connection and credentials of the plug-in's. */
export const sdkConfig = async ({ connection, credentials: source }: SdkClientOptions) => {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const { region, endpoint, proxy, connectionTimeoutMs, requestTimeoutMs, useFips } = connection;
  const credentials = await readCredentials(source);
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 1,
    useFipsEndpoint: useFips,
    requestHandler: {
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      ...(await throughProxy(proxy)),
    },
  };
};
