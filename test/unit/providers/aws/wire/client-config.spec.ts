import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAwsClock } from '../../../../../src/providers/aws/wire/aws-clock.ts';
import { type ConnectionSettings, clientConfig } from '../../../../../src/providers/aws/wire/client-config.ts';

const connection: ConnectionSettings = {
  region: 'eu-west-1',
  connectionTimeoutMs: 4000,
  requestTimeoutMs: 60_000,
  useFips: false,
};
const clock = createAwsClock(Date.now);
const configured = { accessKeyId: 'AKIA1', secretAccessKey: 's' };
const credentials = async () => configured;

afterEach(() => void vi.unstubAllEnvs());

describe('the settings of a client', () => {
  it('hold the configured credentials and go straight to AWS', async () => {
    const config = await clientConfig(connection, clock, credentials);
    expect(await config.credentials()).toEqual(configured);
    expect(config.agents).toEqual({});
  });

  it('leave credentials to the SDK where none are configured', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENV');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'of-the-environment');
    // What the SDK found is kept for the life of the process: this is a fresh one.
    vi.resetModules();
    const fresh = await import('../../../../../src/providers/aws/wire/client-config.ts');
    const config = await fresh.clientConfig(connection, clock, undefined);
    expect(await config.credentials()).toMatchObject({ accessKeyId: 'AKIAENV', secretAccessKey: 'of-the-environment' });
  });

  it('go through the proxy, whatever the scheme', async () =>
    expect((await clientConfig({ ...connection, proxy: 'http://proxy:3128' }, clock, credentials)).agents).toEqual({
      'http:': expect.any(HttpProxyAgent),
      'https:': expect.any(HttpsProxyAgent),
    }));
});
