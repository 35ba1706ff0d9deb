import type { Agent } from 'node:http';
import type { AwsClock } from './aws-clock.ts';
import type { CredentialProvider } from './credentials.ts';
import type { Exchange } from './exchange.ts';
import { nodesCertificates } from './trust.ts';

export interface ConnectionSettings {
  readonly region: string;
  /** Of EC2, and of the other services unless it is AWS's own. */
  readonly endpoint?: string;
  /** Of one service each. */
  readonly endpoints?: Readonly<Record<string, string>>;
  readonly proxy?: string;
  /** Hosts that are not behind the proxy, as NO_PROXY has them. */
  readonly noProxy?: string;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly useFips: boolean;
  readonly useDualStack?: boolean;
  /** Carries signed messages in place of the network: an emulator in the same process. */
  readonly exchange?: Exchange;
}

/** What every AWS client shares. */
export interface ClientConfig extends ConnectionSettings {
  readonly credentials: CredentialProvider;
  readonly clock: AwsClock;
  /** The way through the proxy by protocol (`http:`); none: straight. */
  readonly agents: Readonly<Record<string, Agent>>;
}

/** Without configured credentials the SDK's own chain finds them; nothing is looked for where they are known. */
export const clientConfig = async (
  settings: ConnectionSettings,
  clock: AwsClock,
  configured: CredentialProvider | undefined,
): Promise<ClientConfig> => {
  const { region, proxy } = settings;
  const agents =
    proxy === undefined ? {} : (await import('./proxy-agents.ts')).proxyAgents(proxy, await nodesCertificates());
  const found: CredentialProvider = async (refused) =>
    (await import('./default-credentials.ts')).findCredentials({ region, agents }, refused !== undefined);
  return { ...settings, clock, agents, credentials: configured ?? found };
};

/** Whether NO_PROXY names a host: by its name, its domain, or as any (`*`), and by its port where one is named. */
const isDirect = (noProxy: string, { hostname, port, protocol }: URL): boolean =>
  noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const [, host = '', only] = /^(?:\*?\.)?([^:]*)(?::(\d+))?$/.exec(entry) ?? [];
      if (only !== undefined && only !== (port || (protocol === 'https:' ? '443' : '80'))) return false;
      return host === '*' || (host !== '' && (hostname === host || hostname.endsWith(`.${host}`)));
    });

/** The way to a URL: through the proxy where there is one for it; none: straight. */
export const agentFor = (
  { agents, noProxy = '' }: Pick<ClientConfig, 'agents' | 'noProxy'>,
  url: URL,
): Agent | undefined => (isDirect(noProxy, url) ? undefined : agents[url.protocol]);
