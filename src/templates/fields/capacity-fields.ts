import { ofPool, type TemplateField } from './template-field.ts';

const typeWeights = {
  type: 'object',
  minProperties: 1,
  additionalProperties: { type: 'integer', minimum: 1, maximum: 999 },
  propertyNames: { pattern: '^[a-z0-9-]+\\.[a-z0-9-]+$' },
} as const;

const range = {
  type: 'object',
  required: ['Min'],
  properties: { Min: { type: 'integer', minimum: 0 }, Max: { type: 'integer', minimum: 1 } },
} as const;

const target = 'TargetCapacitySpecification';
const spotFleet = 'SpotFleetRequestConfig';
const reservation = ['Preference', 'Target'].map(
  (what) => `CapacityReservationSpecification.CapacityReservation${what}`,
);
const reservationInTemplate = reservation.map((name) => `LaunchTemplateData.${name}`);
const distribution = 'MixedInstancesPolicy.InstancesDistribution';

/** What is bought, in which market, where, how much of it, and by which call. */
export const capacityFields = {
  priceType: {
    meaning: 'Chooses the EC2 API',
    form: { type: 'string', enum: ['ondemand', 'spot', 'heterogeneous'] },
    spellings: { mixed: 'heterogeneous' },
    decides: 'market',
    aws: {
      RunInstances: ['InstanceMarketOptions.MarketType'],
      EC2Fleet: [`${target}.DefaultTargetCapacityType`, `${target}.OnDemandTargetCapacity`],
      SpotFleet: [`${spotFleet}.OnDemandTargetCapacity`],
      ASG: [`${distribution}.OnDemandPercentageAboveBaseCapacity`],
    },
  },
  percentOnDemand: {
    meaning: 'Share of on-demand capacity; with priceType spot',
    form: { type: 'integer', minimum: 0, maximum: 100 },
    names: ['onDemandPercentage'],
    decides: 'market',
    aws: {
      EC2Fleet: [`${target}.OnDemandTargetCapacity`, `${target}.SpotTargetCapacity`],
      SpotFleet: [`${spotFleet}.OnDemandTargetCapacity`],
      ASG: [`${distribution}.OnDemandBaseCapacity`],
    },
  },
  maxSpotPrice: {
    meaning: 'USD per hour and unit',
    form: { type: ['string', 'number'] },
    names: ['maxPrice'],
    decides: 'money',
    aws: {
      RunInstances: ['InstanceMarketOptions.SpotOptions.MaxPrice'],
      EC2Fleet: ofPool('EC2Fleet', 'MaxPrice'),
      SpotFleet: ofPool('SpotFleet', 'SpotPrice'),
      ASG: [`${distribution}.SpotMaxPrice`],
    },
  },
  vmType: {
    meaning: 'Instance type; needed for ondemand',
    form: { type: 'string', pattern: '^[a-z0-9-]+\\.[a-z0-9-]+$' },
    names: ['instanceType', 'machineType'],
    decides: 'money',
    aws: {
      RunInstances: ['InstanceType'],
      EC2Fleet: ofPool('EC2Fleet', 'InstanceType'),
      SpotFleet: ofPool('SpotFleet', 'InstanceType'),
      ASG: ofPool('ASG', 'InstanceType'),
    },
  },
  vmTypes: {
    meaning: 'Instance types and their weights; needed for spot and heterogeneous',
    form: typeWeights,
    names: ['instanceTypes', 'machineTypes'],
    reads: 'types',
    decides: 'money',
    aws: {
      RunInstances: ['InstanceType'],
      EC2Fleet: ofPool('EC2Fleet', 'InstanceType', 'WeightedCapacity'),
      SpotFleet: ofPool('SpotFleet', 'InstanceType', 'WeightedCapacity'),
      ASG: ofPool('ASG', 'InstanceType', 'WeightedCapacity'),
    },
  },
  vmTypesOnDemand: {
    meaning: 'Types of the on-demand part of heterogeneous',
    form: typeWeights,
    names: ['instanceTypesOnDemand', 'machineTypesOnDemand'],
    reads: 'types',
    decides: 'money',
    // Of the fleet for what spot did not give.
    aws: { EC2Fleet: ofPool('EC2Fleet', 'InstanceType', 'WeightedCapacity') },
  },
  vmTypesPriority: {
    meaning: 'Priority by type; lower comes first',
    form: { type: 'object', additionalProperties: { type: 'integer', minimum: 0 } },
    names: ['instanceTypesPriority', 'machineTypesPriority'],
    reads: 'amounts',
    // A group goes by the order of its types.
    aws: {
      EC2Fleet: ofPool('EC2Fleet', 'Priority'),
      SpotFleet: ofPool('SpotFleet', 'Priority'),
      ASG: ofPool('ASG', 'InstanceType'),
    },
  },
  abisInstanceRequirements: {
    meaning: "EC2's InstanceRequirements, instead of vmTypes",
    form: {
      type: 'object',
      required: ['VCpuCount', 'MemoryMiB'],
      properties: {
        VCpuCount: range,
        MemoryMiB: range,
        CpuManufacturers: { type: 'array', items: { type: 'string' } },
      },
    },
    aws: {
      EC2Fleet: ofPool('EC2Fleet', 'InstanceRequirements'),
      SpotFleet: ofPool('SpotFleet', 'InstanceRequirements'),
      ASG: ofPool('ASG', 'InstanceRequirements'),
    },
  },
  subnetId: {
    meaning: 'One subnet, or several: tried in order when EC2 has no capacity',
    form: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
      ],
    },
    names: ['subnetIds'],
    aws: {
      RunInstances: ['SubnetId'],
      EC2Fleet: ofPool('EC2Fleet', 'SubnetId'),
      SpotFleet: ofPool('SpotFleet', 'SubnetId'),
      ASG: ['VPCZoneIdentifier'],
    },
  },
  allocationStrategy: {
    meaning: 'How spot pools are chosen',
    form: {
      type: 'string',
      enum: [
        'priceCapacityOptimized',
        'capacityOptimized',
        'capacityOptimizedPrioritized',
        'diversified',
        'lowestPrice',
      ],
    },
    aws: {
      EC2Fleet: ['SpotOptions.AllocationStrategy'],
      SpotFleet: [`${spotFleet}.AllocationStrategy`],
      ASG: [`${distribution}.SpotAllocationStrategy`],
    },
  },
  allocationStrategyOnDemand: {
    meaning: 'How on-demand pools are chosen',
    form: { type: 'string', enum: ['lowestPrice', 'prioritized'] },
    aws: {
      EC2Fleet: ['OnDemandOptions.AllocationStrategy'],
      SpotFleet: [`${spotFleet}.OnDemandAllocationStrategy`],
      ASG: [`${distribution}.OnDemandAllocationStrategy`],
    },
  },
  poolsCount: {
    meaning: 'Number of spot pools',
    form: { type: 'integer', minimum: 1 },
    aws: {
      EC2Fleet: ['SpotOptions.InstancePoolsToUseCount'],
      SpotFleet: [`${spotFleet}.InstancePoolsToUseCount`],
      ASG: [`${distribution}.SpotInstancePools`],
    },
  },
  spotFleetRequestExpiry: {
    meaning: 'Minutes',
    form: { type: 'integer', minimum: 1 },
    decides: 'money',
    aws: { EC2Fleet: ['ValidUntil'], SpotFleet: [`${spotFleet}.ValidUntil`] },
  },
  fleetRole: {
    meaning:
      'Role of the Spot Fleet, ARN or name; with providerApi SpotFleet and without one, the role AWS makes for it in an account',
    form: { type: 'string' },
    names: ['iamFleetRole'],
    aws: { SpotFleet: [`${spotFleet}.IamFleetRole`] },
  },
  providerApi: {
    meaning: 'AWS API, where the choice by priceType is not wanted',
    form: { type: 'string', enum: ['RunInstances', 'EC2Fleet', 'SpotFleet', 'ASG'] },
    spellings: { AutoScalingGroup: 'ASG' },
    decides: 'market',
  },
  fleetType: {
    meaning: 'Of EC2Fleet (default instant) and SpotFleet (default request)',
    form: { type: 'string', enum: ['instant', 'request', 'maintain'] },
    decides: 'money',
    aws: { EC2Fleet: ['Type'], SpotFleet: [`${spotFleet}.Type`] },
  },
  autoScalingGroupName: {
    meaning: 'An Auto Scaling group of your own, instead of one per request',
    form: { type: 'string', minLength: 1, maxLength: 255 },
    decides: 'money',
    aws: { ASG: ['AutoScalingGroupName'] },
  },
  capacityReservation: {
    meaning:
      'On demand: `open` (any open reservation that fits, then On-Demand capacity; what EC2 does by itself), `none`, the id of a reservation (only in it), or the ARN of a resource group (in its reservations first)',
    form: {
      type: 'string',
      pattern:
        '^(open|none|cr-([0-9a-f]{8}|[0-9a-f]{17})|arn:aws[a-z-]*:resource-groups:[a-z0-9-]+:\\d{12}:group/[A-Za-z0-9_.-]+)$',
    },
    names: ['capacityReservationId'],
    spellings: { open: 'open', none: 'none' },
    decides: 'money',
    aws: {
      RunInstances: reservation,
      EC2Fleet: [...reservationInTemplate, 'OnDemandOptions.CapacityReservationOptions.UsageStrategy'],
      ASG: reservationInTemplate,
    },
  },
  marketType: {
    meaning: 'A Capacity Block for ML, its id in capacityReservation; RunInstances and EC2Fleet of type instant',
    form: { type: 'string', enum: ['capacity-block'] },
    decides: 'market',
    aws: {
      RunInstances: ['InstanceMarketOptions.MarketType'],
      EC2Fleet: ['LaunchTemplateData.InstanceMarketOptions.MarketType', `${target}.DefaultTargetCapacityType`],
    },
  },
  allOrNothing: {
    meaning: 'EC2 launches all hosts of a request or none',
    form: { type: 'boolean' },
    decides: 'money',
    aws: {
      RunInstances: ['MinCount'],
      EC2Fleet: ['OnDemandOptions.MinTargetCapacity', 'SpotOptions.MinTargetCapacity'],
    },
  },
  providerApiSpec: {
    meaning: "Fields of the launching API's call in AWS's own words, over ours, e.g. `SpotOptions` of EC2Fleet",
    form: { type: 'object' },
    decides: 'money',
    aws: { RunInstances: ['*'], EC2Fleet: ['*'], SpotFleet: ['*'], ASG: ['*'] },
  },
} as const satisfies Readonly<Record<string, TemplateField>>;
