import type { Agent } from 'node:http';
import type { AwsCredentials } from './credentials.ts';

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
  readonly credentials: () => Promise<AwsCredentials>;
  /** The way through the proxy by protocol (`http:`); none: straight. */
  readonly agents: Readonly<Record<string, Agent>>;
}

/** Without configured credentials the SDK's own chain finds them; nothing is looked for where they are known. */
export const clientConfig = async (
  settings: ConnectionSettings,
  credentials: AwsCredentials | undefined,
): Promise<ClientConfig> => ({
  ...settings,
  agents: settings.proxy === undefined ? {} : (await import('./proxy-agents.ts')).proxyAgents(settings.proxy),
  credentials: async () => credentials ?? (await import('./default-credentials.ts')).findCredentials(),
});
