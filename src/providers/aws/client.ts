import type { Role } from './services/role.ts';
import type { AwsClock } from './wire/aws-clock.ts';
import type { CallContext, RetryPolicy } from './wire/call.ts';
import { type ClientConfig, type ConnectionSettings, clientConfig } from './wire/client-config.ts';
import { type CredentialSource, configuredCredentials } from './wire/credentials.ts';

export interface ClientOptions extends Omit<CallContext, 'random'> {
  readonly connection: ConnectionSettings;
  readonly credentials: CredentialSource;
  /** Whom these credentials are to become. */
  readonly role?: Role;
  readonly reads: RetryPolicy;
  readonly awsClock: AwsClock;
}

/**
 * What every AWS client shares, with the credentials of the role where there is one: what is wrong with them, and whether the role may
 * be assumed, is seen before anything is recorded.
 */
export const createClient = async ({ role, ...options }: ClientOptions): Promise<ClientConfig> => {
  const configured = configuredCredentials(options.credentials);
  await configured?.();
  const client = await clientConfig(options.connection, options.awsClock, configured);
  if (role === undefined) return client;
  const { assumedRole } = await import('./services/role.ts');
  const credentials = assumedRole(role, { ...options, ...options.credentials, client, random: Math.random });
  await credentials();
  return { ...client, credentials };
};
