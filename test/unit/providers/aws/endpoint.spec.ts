import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { endpointOf } from '../../../../src/providers/aws/endpoint.ts';

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
  it.each(regions.flatMap((region) => [false, true].map((useFips) => [region, useFips] as const)))(
    '%s, FIPS %s',
    async (region, useFips) => {
      const settings = { region, useFipsEndpoint: useFips, useDualstackEndpoint: false };
      const clients = { ec2: new EC2Client(settings), autoscaling: new AutoScalingClient(settings) };
      for (const [service, { config }] of Object.entries(clients)) {
        const parameters = { Region: region, UseFIPS: useFips, UseDualStack: false };
        const { url } = config.endpointProvider(parameters);
        expect(endpointOf(service, { ...connection, region, useFips }).href).toBe(url.href);
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
  ['http://127.0.0.1:4566', 'http://127.0.0.1:4566/'],
])('EC2’s endpoint %s makes Auto Scaling’s %s', (endpoint, href) =>
  expect(endpointOf('autoscaling', { ...connection, region: 'us-east-1', useFips: false, endpoint }).href).toBe(href),
);

it('FIPS with a configured endpoint is refused: nobody knows what the endpoint is', () =>
  expect(() =>
    endpointOf('ec2', { ...connection, region: 'us-east-1', useFips: true, endpoint: 'http://127.0.0.1:4566' }),
  ).toThrow('AWS_USE_FIPS_ENDPOINT'));
