const fleetRole = 'arn:aws:iam::123456789012:role/aws-ec2-spot-fleet-tagging-role';
/** The emulator launches the first type that has room: of three units a machine of two and one of one. */
export const weights: Readonly<Record<string, number>> = { 'm5.xlarge': 2, 'm5.large': 1 };
const vmTypes = weights;

export const place = {
  imageId: 'ami-12345678',
  subnetId: ['subnet-0000000000000000a', 'subnet-0000000000000000b'],
  securityGroupIds: ['sg-0123456789abcdef0'],
} as const;

/** One template for each way of getting capacity. */
export const kinds = {
  RunInstances: { priceType: 'ondemand', vmType: 'm5.large' },
  RunInstancesSpot: { providerApi: 'RunInstances', priceType: 'spot', vmType: 'm5.large' },
  instant: { providerApi: 'EC2Fleet', priceType: 'spot', vmTypes },
  request: { providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'spot', percentOnDemand: 50, vmTypes },
  maintain: { providerApi: 'EC2Fleet', fleetType: 'maintain', priceType: 'spot', percentOnDemand: 30, vmTypes },
  spotFleet: { priceType: 'spot', fleetRole, vmTypes },
  spotFleetMaintain: { priceType: 'spot', fleetRole, fleetType: 'maintain', vmTypes },
  heterogeneous: { priceType: 'heterogeneous', fleetRole, vmTypes, vmTypesOnDemand: { 'm5.large': 1 } },
  group: { providerApi: 'ASG', priceType: 'spot', percentOnDemand: 50, vmTypes },
  ownGroup: { providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand', vmType: 'm5.large' },
} as const;

export type Kind = keyof typeof kinds;
export const kindNames = [
  'RunInstances',
  'RunInstancesSpot',
  'instant',
  'request',
  'maintain',
  'spotFleet',
  'spotFleetMaintain',
  'heterogeneous',
  'group',
  'ownGroup',
] as const satisfies readonly Kind[];

/** Kinds of which AWS makes up for machines that die while it looks for capacity. */
export const refills: ReadonlySet<Kind> = new Set(['maintain', 'spotFleetMaintain', 'ownGroup']);

/** Units that the requests of a template may hold together. */
export const mostOfTemplate = 6;

export const templates = Object.entries(kinds).map(([templateId, fields]) => ({
  templateId,
  maxNumber: mostOfTemplate,
  attributes: { type: 'X86_64', ncpus: 1, nram: 4096 },
  ...place,
  ...fields,
}));
