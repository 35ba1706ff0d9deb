import { PluginError } from '../../../domain/errors.ts';
import type { ConnectionSettings } from './client-config.ts';

/** What an endpoint depends on. */
export type EndpointSettings = Pick<
  ConnectionSettings,
  'region' | 'endpoint' | 'endpoints' | 'useFips' | 'useDualStack'
>;

/** DNS suffixes by the Regions they are for, the second for dual stack; the SDK's list of partitions, which a test compares. */
const suffixes: readonly (readonly [RegExp, string, string])[] = [
  [/^cn-/, 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
  [/^eusc-/, 'amazonaws.eu', 'api.amazonwebservices.eu'],
  [/^us-iso-/, 'c2s.ic.gov', 'api.aws.ic.gov'],
  [/^us-isob-/, 'sc2s.sgov.gov', 'api.aws.scloud'],
  [/^eu-isoe-/, 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
  [/^us-isof-/, 'csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
  [/^/, 'amazonaws.com', 'api.aws'],
];

/** Services whose hosts have another name than they have in signatures. */
const hosts: Readonly<Record<string, string>> = { pricing: 'api.pricing' };

const isAwsOwn = (endpoint: string): boolean => {
  const { hostname } = new URL(endpoint);
  return suffixes.some(([, ...each]) => each.some((suffix) => hostname.endsWith(`.${suffix}`)));
};

/** AWS_ENDPOINT_URL names EC2's endpoint: only one that is not AWS's own, such as an emulator's, serves other APIs too. */
const configuredFor = (service: string, { endpoint, endpoints = {} }: EndpointSettings): string | undefined =>
  endpoints[service] ?? (endpoint === undefined || (service !== 'ec2' && isAwsOwn(endpoint)) ? undefined : endpoint);

/**
 * For a queue, which its URL names with the host that serves it (a VPC endpoint perhaps): that host, unless an endpoint is configured
 * for SQS or for all of AWS.
 */
export const withQueueEndpoint = <T extends ConnectionSettings>(settings: T, queueUrl: string): T =>
  configuredFor('sqs', settings) !== undefined || settings.useFips
    ? settings
    : { ...settings, endpoints: { ...settings.endpoints, sqs: new URL(queueUrl).origin } };

/** IAM is one for a partition, signed for one of its Regions. */
export const signingRegion = (service: string, region: string): string => {
  if (service !== 'iam') return region;
  if (region.startsWith('cn-')) return 'cn-north-1';
  return region.startsWith('us-gov-') ? 'us-gov-west-1' : 'us-east-1';
};

/** Where IAM is: in AWS's own partition without a Region. */
const iamEndpoint = (region: string, suffix: string): URL => {
  if (region.startsWith('us-gov-')) return new URL('https://iam.us-gov.amazonaws.com');
  return new URL(region.startsWith('cn-') ? `https://iam.cn-north-1.${suffix}` : `https://iam.${suffix}`);
};

/** The configured endpoint, else the Region's own. Throws `configuration.invalid` where FIPS cannot be had. */
export const endpointOf = (service: string, settings: EndpointSettings): URL => {
  const { region, useFips, useDualStack = false } = settings;
  const configured = configuredFor(service, settings);
  if (configured !== undefined) {
    if (!useFips) return new URL(configured);
    throw new PluginError('configuration.invalid', 'AWS_USE_FIPS_ENDPOINT cannot be kept with AWS_ENDPOINT_URL');
  }
  const [, plain = '', dual = ''] = suffixes.find(([regions]) => regions.test(region)) ?? [];
  if (service === 'iam') return iamEndpoint(region, plain);
  // GovCloud's plain endpoints are FIPS endpoints.
  const fips = useFips && (useDualStack || !region.startsWith('us-gov-')) ? '-fips' : '';
  return new URL(`https://${hosts[service] ?? service}${fips}.${region}.${useDualStack ? dual : plain}`);
};
