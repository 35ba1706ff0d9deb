import type { Json } from '../e2e/plugin.ts';

const fleetRole = 'arn:aws:iam::123456789012:role/aws-ec2-spot-fleet-tagging-role';
const single = { vmTypes: { 'm5.large': 1 } };

/** One template for each way of getting capacity. */
export const kinds: Readonly<Record<string, Json>> = {
  RunInstances: { priceType: 'ondemand', vmType: 'm5.large' },
  instant: { providerApi: 'EC2Fleet', priceType: 'spot', ...single },
  request: { providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'spot', ...single },
  maintain: { providerApi: 'EC2Fleet', fleetType: 'maintain', priceType: 'spot', ...single },
  SpotFleet: { priceType: 'spot', fleetRole, ...single },
  heterogeneous: {
    priceType: 'heterogeneous',
    fleetRole,
    ...single,
    vmTypesOnDemand: { 'm5.xlarge': 1 },
    spotFleetRequestExpiry: 3,
  },
  group: { providerApi: 'ASG', priceType: 'spot', ...single },
};

const [full, free] = ['subnet-0000000000000000f', 'subnet-00000000000000001'];

/** The first subnet has no room: RunInstances goes on to the second one. Nor is there spot capacity for heterogeneous requests. */
export const settingsFor = (kind: string) => ({
  subnets: { [full]: { zone: 'us-east-1a', vpc: 'vpc-1' }, [free]: { zone: 'us-east-1b', vpc: 'vpc-1' } },
  capacity: kind === 'heterogeneous' ? { 'm5.large:*': 0 } : { 'm5.large:us-east-1a': 0 },
});

export const templatesOf =
  (...names: readonly string[]) =>
  (place: Json): readonly Json[] =>
    names.map((templateId) => ({
      templateId,
      maxNumber: 1000,
      attributes: { type: 'X86_64', ncpus: 1, nram: 4096 },
      ...place,
      subnetId: [full, free],
      ...kinds[templateId],
    }));
