import type { Account, Discovery } from '../../application/ports/discovery.ts';
import { awsConnection } from '../../config/connection.ts';
import type { Environment } from '../../config/environment.ts';
import { createAwsClock } from '../../providers/aws/wire/aws-clock.ts';
import { stateInTable } from '../lazily.ts';

/** Milliseconds: somebody waits at a terminal. */
const [connectionTimeoutMs, requestTimeoutMs] = [5000, 20_000];

const nobody = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, fatal: () => {} };

/** Looks at an account before there is a provider configuration. Throws `configuration.*` where there are no credentials. */
export const discover = async (
  env: Environment,
  { region, credentialsFile: file, endpoint }: Account,
): Promise<Discovery> => {
  const none = { AWS_PROXY_HOST: undefined, AWS_PROXY_PORT: undefined };
  const { signal } = new AbortController();
  const options = {
    connection: {
      region,
      ...awsConnection({ ...none, AWS_ENDPOINT_URL: endpoint }, env),
      connectionTimeoutMs,
      requestTimeoutMs,
    },
    credentials: {
      ...(file === undefined ? {} : { file }),
      renewAfter: 0,
      remember: (_key: string, _lifetime: unknown, find: () => Promise<string>) => find(),
      forget: async () => undefined,
      warn: () => undefined,
      signal,
    },
    changes: { retries: 0, interval: 0 },
    reads: { retries: 2, interval: 0 },
    log: nobody,
    signal,
    random: Math.random,
    awsClock: createAwsClock(Date.now),
  };
  const client = await (await stateInTable()).createClient(options);
  const { createEc2 } = await import('../../providers/aws/aws.ts');
  const { createDiscovery } = await import('../../providers/aws/inspect/inspection.ts');
  return createDiscovery({ ...options, client, ec2: createEc2({ ...options, client }) });
};
