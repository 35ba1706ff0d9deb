import type { Agent } from 'node:http';
import type { AwsClock } from './aws-clock.ts';
import type { CredentialProvider } from './credentials.ts';

export interface ConnectionSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly proxy?: string;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly useFips: boolean;
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
  const agents = proxy === undefined ? {} : (await import('./proxy-agents.ts')).proxyAgents(proxy);
  const found: CredentialProvider = async (refused) =>
    (await import('./default-credentials.ts')).findCredentials({ region, agents }, refused !== undefined);
  return { ...settings, clock, agents, credentials: configured ?? found };
};
