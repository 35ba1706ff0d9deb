const typeWeights = {
  type: 'object',
  minProperties: 1,
  additionalProperties: { type: 'integer', minimum: 1, maximum: 999 },
  propertyNames: { pattern: '^[a-z0-9-]+\\.[a-z0-9-]+$' },
} as const;

const attribute = {
  oneOf: [
    { type: ['string', 'number', 'boolean'] },
    {
      type: 'array',
      minItems: 2,
      maxItems: 2,
      items: [{ enum: ['String', 'Numeric', 'Boolean'] }, { type: ['string', 'number', 'boolean'] }],
    },
  ],
} as const;

const range = {
  type: 'object',
  required: ['Min'],
  properties: { Min: { type: 'integer', minimum: 0 }, Max: { type: 'integer', minimum: 1 } },
} as const;

/** One template of awsprov_templates.json: IBM Symphony's fields, those of the LSF plug-in that make sense here, and ours. */
export const templateSchema = {
  $id: 'awsprov_template',
  type: 'object',
  required: ['templateId', 'maxNumber', 'subnetId'],
  properties: {
    templateId: { type: 'string', pattern: '^[0-9A-Za-z_-]{1,64}$', description: 'Unique name' },
    maxNumber: {
      type: 'integer',
      minimum: -1,
      maximum: 10000,
      description: 'Most hosts at a time; -1 no limit, 0 none',
    },
    priceType: { type: 'string', enum: ['ondemand', 'spot', 'heterogeneous'], description: 'Chooses the EC2 API' },
    attributes: {
      type: 'object',
      additionalProperties: attribute,
      description:
        'What Host Factory selects by: type, ncpus, nram (MB), ncores, rank, priceInfo, and any of yours; type, ncpus and nram left out are those of the instance types',
    },
    imageId: {
      type: 'string',
      pattern: '^(ami-([0-9a-f]{8}|[0-9a-f]{17})|(resolve:ssm:)?/[A-Za-z0-9_.:/-]+|resolve:ssm:[A-Za-z0-9_.:/-]+)$',
      description: 'AMI, or the parameter of Systems Manager that names it: `/aws/service/…` or `resolve:ssm:…`',
    },
    subnetId: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
      ],
      description: 'One subnet, or several: tried in order when EC2 has no capacity',
    },
    vmType: { type: 'string', pattern: '^[a-z0-9-]+\\.[a-z0-9-]+$', description: 'Instance type; needed for ondemand' },
    vmTypes: { ...typeWeights, description: 'Instance types and their weights; needed for spot and heterogeneous' },
    vmTypesOnDemand: { ...typeWeights, description: 'Types of the on-demand part of heterogeneous' },
    vmTypesPriority: {
      type: 'object',
      additionalProperties: { type: 'integer', minimum: 0 },
      description: 'Priority by type; lower comes first',
    },
    rootDeviceVolumeSize: { type: 'integer', minimum: 1, maximum: 16384, description: 'GiB of the root volume' },
    volumeType: {
      type: 'string',
      enum: ['gp2', 'gp3', 'io1', 'io2', 'standard'],
      description: 'Type of the root volume',
    },
    iops: { type: 'integer', minimum: 100, maximum: 64000, description: 'Of the root volume' },
    instanceTags: {
      anyOf: [{ type: 'string' }, { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } }],
      description: '`key=value;key=value`, or an object, on instances, volumes and interfaces',
    },
    keyName: { type: 'string', description: 'Key pair' },
    securityGroupIds: {
      type: 'array',
      items: { type: 'string', pattern: '^(sg-[0-9a-zA-Z]+)?$' },
      description: 'Security groups',
    },
    instanceProfile: { type: 'string', description: 'ARN or name of the instance profile' },
    userDataScript: {
      type: 'string',
      pattern: '^(/.*|[A-Za-z]:[\\\\/].*)?$',
      description: 'Absolute path; at most 16 KB',
    },
    fleetRole: {
      type: 'string',
      description:
        'Role of the Spot Fleet, ARN or name; with providerApi SpotFleet and without one, the role AWS makes for it in an account',
    },
    maxSpotPrice: { type: ['string', 'number'], description: 'USD per hour and unit' },
    spotFleetRequestExpiry: { type: 'integer', minimum: 1, description: 'Minutes' },
    allocationStrategy: {
      type: 'string',
      enum: [
        'priceCapacityOptimized',
        'capacityOptimized',
        'capacityOptimizedPrioritized',
        'diversified',
        'lowestPrice',
      ],
      description: 'How spot pools are chosen',
    },
    allocationStrategyOnDemand: {
      type: 'string',
      enum: ['lowestPrice', 'prioritized'],
      description: 'How on-demand pools are chosen',
    },
    percentOnDemand: {
      type: 'integer',
      minimum: 0,
      maximum: 100,
      description: 'Share of on-demand capacity; with priceType spot',
    },
    poolsCount: { type: 'integer', minimum: 1, description: 'Number of spot pools' },
    launchTemplateId: { type: 'string', pattern: '^(lt-[0-9a-f]+)?$', description: 'Launch template of your own' },
    launchTemplateVersion: { type: 'string', pattern: '^(\\d+|\\$Latest|\\$Default)?$', description: 'Its version' },
    placementGroupName: { type: 'string', description: 'Placement group' },
    tenancy: { type: 'string', enum: ['default', 'dedicated', 'host'], description: 'default, dedicated or host' },
    ebsOptimized: { type: 'boolean', description: 'EBS-optimized instances' },
    interfaceType: { type: 'string', enum: ['interface', 'efa'], description: 'interface or efa' },
    efaCount: { type: 'integer', minimum: 1, maximum: 32, description: 'Number of EFA interfaces' },
    providerApi: {
      type: 'string',
      enum: ['RunInstances', 'EC2Fleet', 'SpotFleet', 'ASG'],
      description: 'AWS API, where the choice by priceType is not wanted',
    },
    fleetType: {
      type: 'string',
      enum: ['instant', 'request', 'maintain'],
      description: 'Of EC2Fleet (default instant) and SpotFleet (default request)',
    },
    autoScalingGroupName: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'An Auto Scaling group of your own, instead of one per request',
    },
    abisInstanceRequirements: {
      type: 'object',
      required: ['VCpuCount', 'MemoryMiB'],
      properties: {
        VCpuCount: range,
        MemoryMiB: range,
        CpuManufacturers: { type: 'array', items: { type: 'string' } },
      },
      description: "EC2's InstanceRequirements, instead of vmTypes",
    },
    launchTemplateSpec: {
      type: 'object',
      description: "Fields of EC2's launch template data in EC2's own words, over ours, e.g. `CpuOptions`",
    },
    providerApiSpec: {
      type: 'object',
      description: "Fields of the launching API's call in AWS's own words, over ours, e.g. `SpotOptions` of EC2Fleet",
    },
    allOrNothing: { type: 'boolean', description: 'EC2 launches all hosts of a request or none' },
  },
} as const;
