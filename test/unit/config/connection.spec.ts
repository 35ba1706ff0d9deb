import { describe, expect, it } from 'vitest';
import { awsConnection } from '../../../src/config/connection.ts';

const none = { AWS_ENDPOINT_URL: undefined, AWS_PROXY_HOST: undefined, AWS_PROXY_PORT: undefined };
const plain = { endpoints: {}, noProxy: '', useFips: false, useDualStack: false };

describe('the connection to AWS', () => {
  it('is the Region’s own where nothing is said', () => expect(awsConnection(none, {})).toEqual(plain));

  it.each<[Record<string, string>, object]>([
    [{ AWS_ENDPOINT_URL: 'https://all.example' }, { endpoint: 'https://all.example' }],
    [{ AWS_ENDPOINT_URL_EC2: 'https://a.example' }, { endpoints: { ec2: 'https://a.example' } }],
    [
      { AWS_ENDPOINT_URL_AUTO_SCALING: 'https://a.example', AWS_ENDPOINT_URL_SSM: 'https://b.example' },
      { endpoints: { autoscaling: 'https://a.example', ssm: 'https://b.example' } },
    ],
    [{ AWS_ENDPOINT_URL: 'https://a.example', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, {}],
    [{ AWS_USE_FIPS_ENDPOINT: 'TRUE' }, { useFips: true }],
    [{ AWS_USE_FIPS_ENDPOINT: 'False', AWS_USE_DUALSTACK_ENDPOINT: 'True' }, { useDualStack: true }],
    [{ no_proxy: '.internal' }, { noProxy: '.internal' }],
    [{ AWS_USE_FIPS_ENDPOINT: '', AWS_ENDPOINT_URL: ' ' }, {}],
  ])('takes from the environment %j', (env, what) => expect(awsConnection(none, env)).toEqual({ ...plain, ...what }));

  it('is what the configuration says before what the environment says', () =>
    expect(
      awsConnection(
        { AWS_ENDPOINT_URL: 'https://ours.example', AWS_PROXY_HOST: 'proxy', AWS_PROXY_PORT: 3128 },
        { AWS_ENDPOINT_URL: 'https://all.example', AWS_ENDPOINT_URL_EC2: 'https://ec2.example' },
      ),
    ).toEqual({ ...plain, endpoint: 'https://ours.example', proxy: 'http://proxy:3128' }));

  it.each([
    ['AWS_USE_FIPS_ENDPOINT', '1'],
    ['AWS_USE_DUALSTACK_ENDPOINT', 'yes'],
    ['AWS_ENDPOINT_URL', 'ec2.example'],
    ['AWS_ENDPOINT_URL_SSM', 'https://x?y=z'],
  ])('is refused with %s=%s: it would not be what was meant', (name, value) =>
    expect(() => awsConnection(none, { [name]: value })).toThrow(`the environment variable ${name} must be`),
  );
});
