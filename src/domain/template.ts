/** Which AWS API serves a template. */
export type ProviderApi = 'RunInstances' | 'EC2Fleet' | 'SpotFleet' | 'ASG';

type PriceType = 'ondemand' | 'spot' | 'heterogeneous';

/** A Host Factory attribute, e.g. `["Numeric", "4"]`. */
export type Attribute = readonly ['String' | 'Numeric' | 'Boolean', string];

/**
 * A host template as its administrator wrote it, in IBM's words, with defaults filled in and spellings made one.
 * A copy of it is stored with each request, so that later edits never touch a running request.
 */
export interface Template {
  readonly templateId: string;
  /** Most hosts at a time; -1 for no limit of ours, 0 for none. */
  readonly maxNumber: number;
  readonly priceType: PriceType;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly imageId?: string;
  readonly subnetIds: readonly string[];
  readonly vmType?: string;
  readonly vmTypes?: Readonly<Record<string, number>>;
  readonly vmTypesOnDemand?: Readonly<Record<string, number>>;
  readonly vmTypesPriority?: Readonly<Record<string, number>>;
  /** GiB */
  readonly rootDeviceVolumeSize?: number;
  readonly volumeType?: string;
  readonly iops?: number;
  /** In the order written; keys are unique. */
  readonly instanceTags: readonly (readonly [key: string, value: string])[];
  readonly keyName?: string;
  readonly securityGroupIds: readonly string[];
  readonly instanceProfile?: string;
  /** Absolute path of the file sent as user data. */
  readonly userDataScript?: string;
  readonly fleetRole?: string;
  readonly maxSpotPrice?: string;
  /** Minutes */
  readonly spotFleetRequestExpiry?: number;
  readonly allocationStrategy?: string;
  readonly allocationStrategyOnDemand?: string;
  readonly percentOnDemand?: number;
  readonly poolsCount?: number;
  readonly launchTemplateId?: string;
  readonly launchTemplateVersion?: string;
  readonly placementGroupName?: string;
  readonly tenancy?: 'default' | 'dedicated' | 'host';
  readonly ebsOptimized?: boolean;
  readonly interfaceType?: 'interface' | 'efa';
  readonly efaCount?: number;
  /** EC2 launches all hosts or none (MinCount = MaxCount). */
  readonly allOrNothing: boolean;
}

export interface TemplateProblem {
  /** The field's path in the template, e.g. `attributes.ncpus`; empty for the template as a whole. */
  readonly field: string;
  readonly rule: string;
}

const onlyWith = (field: string, present: boolean, allowed: boolean, rule: string): readonly TemplateProblem[] =>
  present && !allowed ? [{ field, rule }] : [];

const needed = (field: string, present: boolean, rule: string): readonly TemplateProblem[] =>
  present ? [] : [{ field, rule }];

const hasRootVolume = ({ rootDeviceVolumeSize, volumeType, iops }: Template): boolean =>
  (rootDeviceVolumeSize ?? volumeType ?? iops) !== undefined;

/** The rules between fields; the rules of single fields are in the JSON Schema (config/template.schema.ts). */
export const templateProblems = (template: Template): readonly TemplateProblem[] => {
  const { priceType, volumeType = '', launchTemplateId } = template;
  const ondemand = priceType === 'ondemand';
  const hasLaunchTemplate = launchTemplateId !== undefined;
  return [
    ...needed(
      'imageId',
      template.imageId !== undefined || hasLaunchTemplate,
      'is required unless launchTemplateId gives one',
    ),
    ...needed(
      'vmType',
      !ondemand || template.vmType !== undefined || hasLaunchTemplate,
      'is required when priceType is ondemand',
    ),
    ...needed(
      'vmTypes',
      ondemand || template.vmTypes !== undefined || hasLaunchTemplate,
      `is required when priceType is ${priceType}`,
    ),
    ...onlyWith(
      'iops',
      template.iops !== undefined,
      /^(io1|io2|gp3)$/.test(volumeType),
      'is allowed only with volumeType io1, io2 or gp3',
    ),
    ...needed(
      'iops',
      !/^io[12]$/.test(volumeType) || template.iops !== undefined,
      `is required with volumeType ${volumeType}`,
    ),
    ...onlyWith(
      'efaCount',
      template.efaCount !== undefined,
      template.interfaceType === 'efa',
      'is allowed only with interfaceType efa',
    ),
    ...onlyWith(
      'rootDeviceVolumeSize',
      hasRootVolume(template),
      template.imageId !== undefined,
      'is allowed only with imageId: the root device belongs to the image',
    ),
    ...onlyWith(
      'launchTemplateVersion',
      template.launchTemplateVersion !== undefined,
      hasLaunchTemplate,
      'is allowed only with launchTemplateId',
    ),
  ];
};

/** The type whose instances an on-demand template launches, for messages. */
export const offeringOf = (template: Template): string => template.vmType ?? template.launchTemplateId ?? '';

/** The API a template asks for: IBM's choice by `priceType`. */
export const providerApiOf = ({ priceType, fleetRole }: Template): ProviderApi => {
  if (priceType === 'ondemand') return 'RunInstances';
  return fleetRole === undefined ? 'EC2Fleet' : 'SpotFleet';
};
