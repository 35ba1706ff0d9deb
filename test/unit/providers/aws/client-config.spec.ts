import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { describe, expect, it } from 'vitest';
import { type ConnectionSettings, clientConfig } from '../../../../src/providers/aws/client-config.ts';

const connection: ConnectionSettings = {
  region: 'eu-west-1',
  connectionTimeoutMs: 4000,
  requestTimeoutMs: 60_000,
  useFips: false,
};

describe('the settings of a client', () => {
  it('end a call that takes too long: by default the SDK only warns', async () =>
    expect(await clientConfig(connection, undefined)).toMatchObject({
      region: 'eu-west-1',
      requestHandler: { connectionTimeout: 4000, requestTimeout: 60_000, throwOnRequestTimeout: true },
    }));

  it('leave endpoint, credentials and proxy to the SDK where none is configured', async () => {
    const config = await clientConfig(connection, undefined);
    expect(config).not.toHaveProperty('endpoint');
    expect(config).not.toHaveProperty('credentials');
    expect(config.requestHandler).not.toHaveProperty('httpsAgent');
  });

  it('hold what is configured', async () => {
    const credentials = { accessKeyId: 'AKIA1', secretAccessKey: 's' };
    const settings = { ...connection, endpoint: 'https://ec2.internal', useFips: true };
    expect(await clientConfig(settings, credentials)).toMatchObject({
      endpoint: 'https://ec2.internal',
      credentials,
      useFipsEndpoint: true,
    });
  });

  it('go through the proxy, whatever the scheme', async () =>
    expect(await clientConfig({ ...connection, proxy: 'http://proxy:3128' }, undefined)).toMatchObject({
      requestHandler: { httpAgent: expect.any(HttpProxyAgent), httpsAgent: expect.any(HttpsProxyAgent) },
    }));
});
