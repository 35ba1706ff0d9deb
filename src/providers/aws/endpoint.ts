import { PluginError } from '../../domain/errors.ts';
import type { ConnectionSettings } from './client-config.ts';

/** DNS suffixes by the Regions they are for; the SDK's list of partitions, which a test compares. */
const suffixes: readonly (readonly [RegExp, string])[] = [
  [/^cn-/, 'amazonaws.com.cn'],
  [/^eusc-/, 'amazonaws.eu'],
  [/^us-iso-/, 'c2s.ic.gov'],
  [/^us-isob-/, 'sc2s.sgov.gov'],
  [/^eu-isoe-/, 'cloud.adc-e.uk'],
  [/^us-isof-/, 'csp.hci.ic.gov'],
];

/** AWS_ENDPOINT_URL names EC2's endpoint: only one that is not AWS's own, such as an emulator's, serves other APIs too. */
const isFor = (service: string, endpoint: string): boolean =>
  service === 'ec2' || !/\.(amazonaws\.com(\.cn)?|amazonaws\.eu|api\.aws)$/.test(new URL(endpoint).hostname);

/** The configured endpoint, else the Region's own. Throws `configuration.invalid` where FIPS cannot be had. */
export const endpointOf = (service: string, { region, endpoint, useFips }: ConnectionSettings): URL => {
  if (endpoint !== undefined && isFor(service, endpoint)) {
    if (!useFips) return new URL(endpoint);
    throw new PluginError('configuration.invalid', 'AWS_USE_FIPS_ENDPOINT cannot be kept with AWS_ENDPOINT_URL');
  }
  const suffix = suffixes.find(([regions]) => regions.test(region))?.[1] ?? 'amazonaws.com';
  // GovCloud's plain endpoints are FIPS endpoints.
  const fips = useFips && !region.startsWith('us-gov-') ? '-fips' : '';
  return new URL(`https://${service}${fips}.${region}.${suffix}`);
};
