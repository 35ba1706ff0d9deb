import type { ProviderApi } from '../../domain/template/template.ts';

type AwsParameters = Readonly<Partial<Record<ProviderApi, readonly string[]>>>;

/**
 * All that is known of one field of a template. Validation, `import`, the schema for editors, the reference and the test of what
 * comes to AWS are made from it; what the scripts need of it is computed when the program is built (field-facts.computed.ts).
 */
export interface TemplateField {
  /** For people: what it says, and in which unit. */
  readonly meaning: string;
  /** Its form as a JSON Schema, once its names and spellings are ours. */
  readonly form: object;
  /** Other plug-ins' names of it; case, underscores and hyphens tell no names apart. */
  readonly names?: readonly string[];
  /** Other words for its values, beside those of the form's `enum`. */
  readonly spellings?: Readonly<Record<string, string>>;
  /** Numbers by instance type, which may be texts; `types` may also be a list or a text with commas, each of weight 1. */
  readonly reads?: 'types' | 'amounts';
  /** What a wrong value costs: money, or instances of another market than was meant. A misspelt name of it is an error. */
  readonly decides?: 'money' | 'market';
  /**
   * The parameters it comes to, by API, as AWS's query protocol names them, without the numbers of lists. For what is not
   * RunInstances a parameter of each host is one of the launch template. `*`: fields under AWS's own names.
   */
  readonly aws?: AwsParameters;
}

/** A parameter that describes each host: in the call of RunInstances, in the launch template of all others. */
export const ofHost = (...parameters: readonly string[]): AwsParameters => {
  const inTemplate = parameters.map((name) => `LaunchTemplateData.${name}`);
  return { RunInstances: parameters, EC2Fleet: inTemplate, SpotFleet: inTemplate, ASG: inTemplate };
};

type OfMany = Exclude<ProviderApi, 'RunInstances'>;

const inPool: Readonly<Record<OfMany, string>> = {
  EC2Fleet: 'LaunchTemplateConfigs.Overrides.',
  SpotFleet: 'SpotFleetRequestConfig.LaunchTemplateConfigs.Overrides.',
  ASG: 'MixedInstancesPolicy.LaunchTemplate.Overrides.',
};

/** Parameters of each pool of a fleet or group. */
export const ofPool = (api: OfMany, ...names: readonly string[]): readonly string[] =>
  names.map((name) => `${inPool[api]}${name}`);
