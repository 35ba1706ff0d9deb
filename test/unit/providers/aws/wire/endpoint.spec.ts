import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { endpointOf } from '../../../../../src/providers/aws/wire/endpoint.ts';

const connection = { connectionTimeoutMs: 1, requestTimeoutMs: 1 };
const regions = [
  'us-east-1',
  'eu-central-2',
  'mx-central-1',
  'us-gov-west-1',
  'cn-northwest-1',
  'eusc-de-east-1',
  'us-iso-east-1',
  'us-isob-east-1',
  'eu-isoe-west-1',
  'us-isof-south-1',
];

describe('the endpoint of a Region is the one of the SDK’s rules', () => {
  const ways = [false, true].flatMap((useFips) =>
    [false, true].map((useDualStack) => [useFips, useDualStack] as const),
  );
  it.each(regions.flatMap((region) => ways.map((way) => [region, ...way] as const)))(
    '%s, FIPS %s, dual stack %s',
    async (region, useFips, useDualStack) => {
      const settings = { region, useFipsEndpoint: useFips, useDualstackEndpoint: useDualStack };
      const clients = { ec2: new EC2Client(settings), autoscaling: new AutoScalingClient(settings) };
      for (const [service, { config }] of Object.entries(clients)) {
        const parameters = { Region: region, UseFIPS: useFips, UseDualStack: useDualStack };
        const { url } = config.endpointProvider(parameters);
        expect(endpointOf(service, { ...connection, region, useFips, useDualStack }).href).toBe(url.href);
      }
    },
  );
});

it('a configured endpoint is taken as it is', () =>
  expect(
    endpointOf('ec2', { ...connection, region: 'us-east-1', useFips: false, endpoint: 'http://127.0.0.1:4566' }).href,
  ).toBe('http://127.0.0.1:4566/'));

it.each([
  ['https://vpce-1-x.ec2.us-east-1.vpce.amazonaws.com', 'https://autoscaling.us-east-1.amazonaws.com/'],
  ['https://ec2.us-east-1.api.aws', 'https://autoscaling.us-east-1.amazonaws.com/'],
  ['https://ec2.cn-north-1.api.amazonwebservices.com.cn', 'https://autoscaling.us-east-1.amazonaws.com/'],
  ['https://vpce-1-x.ec2.us-iso-east-1.vpce.c2s.ic.gov', 'https://autoscaling.us-east-1.amazonaws.com/'],
  ['https://vpce-1-x.ec2.us-isob-east-1.vpce.sc2s.sgov.gov', 'https://autoscaling.us-east-1.amazonaws.com/'],
  ['https://vpce-1-x.ec2.us-isof-south-1.vpce.csp.hci.ic.gov', 'https://autoscaling.us-east-1.amazonaws.com/'],
  ['http://127.0.0.1:4566', 'http://127.0.0.1:4566/'],
  ['https://notamazonaws.com', 'https://notamazonaws.com/'],
])('EC2’s endpoint %s makes Auto Scaling’s %s', (endpoint, href) =>
  expect(endpointOf('autoscaling', { ...connection, region: 'us-east-1', useFips: false, endpoint }).href).toBe(href),
);

it('FIPS with a configured endpoint is refused: nobody knows what the endpoint is', () =>
  expect(() =>
    endpointOf('ec2', { ...connection, region: 'us-east-1', useFips: true, endpoint: 'http://127.0.0.1:4566' }),
  ).toThrow('AWS_USE_FIPS_ENDPOINT'));

it('a service with an endpoint of its own is asked there, the others where all are', () => {
  const settings = {
    ...connection,
    region: 'us-east-1',
    useFips: false,
    endpoint: 'https://all.example',
    endpoints: { ssm: 'https://vpce-1.ssm.us-east-1.vpce.amazonaws.com/' },
  };
  expect(['ec2', 'ssm', 'sts'].map((service) => endpointOf(service, settings).hostname)).toEqual([
    'all.example',
    'vpce-1.ssm.us-east-1.vpce.amazonaws.com',
    'all.example',
  ]);
});
