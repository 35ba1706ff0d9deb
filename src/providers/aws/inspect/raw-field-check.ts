import type { Complaint } from '../../../domain/finding.ts';
import { type ProviderApi, providerApiOf, type Template } from '../../../domain/template/template.ts';
import { ec2Schema } from '../services/ec2.ts';
import { type Misfit, memberOf, misfits } from '../wire/query-codec.ts';

const rawFields = ['launchTemplateSpec', 'providerApiSpec', 'abisInstanceRequirements'] as const;
type RawField = (typeof rawFields)[number];

/** What each field of AWS's own words ends up in, by API. RunInstances takes no requirements. */
type Schemas = Readonly<Partial<Record<RawField, unknown>>>;

/** By launch templates, with the requirements in the overrides of `pools`. */
const byLaunchTemplate = (input: unknown, ...pools: readonly string[]): Schemas => ({
  launchTemplateSpec: memberOf(ec2Schema('CreateLaunchTemplate')[4], 'LaunchTemplateData'),
  providerApiSpec: input,
  abisInstanceRequirements: memberOf(input, ...pools, 'Overrides', 'InstanceRequirements'),
});

const schemasOf = async (api: ProviderApi): Promise<Schemas> => {
  switch (api) {
    case 'RunInstances': {
      const launch = ec2Schema('RunInstances')[4];
      return { launchTemplateSpec: launch, providerApiSpec: launch };
    }
    case 'EC2Fleet':
      return byLaunchTemplate(ec2Schema('CreateFleet')[4], 'LaunchTemplateConfigs');
    case 'SpotFleet':
      return byLaunchTemplate(
        memberOf(ec2Schema('RequestSpotFleet')[4], 'SpotFleetRequestConfig'),
        'LaunchTemplateConfigs',
      );
    case 'ASG': {
      const { autoScalingSchema } = await import('../services/auto-scaling.ts');
      return byLaunchTemplate(autoScalingSchema('CreateAutoScalingGroup')[4], 'MixedInstancesPolicy', 'LaunchTemplate');
    }
  }
};

/** Of the names, the one that was probably meant. */
type MeantBy = (written: string, names: readonly string[]) => string | undefined;

const toComplaint = (field: RawField, { path, names, form }: Misfit, meantBy: MeantBy): Complaint => {
  const place = [field, ...path].join('.');
  if (form !== undefined) return { severity: 'error', field: place, rule: `must be ${form}` };
  const meant = meantBy(path.at(-1) ?? '', names);
  const rule = `is not a field AWS has there; it has ${names.join(', ')}`;
  return { severity: 'error', field: place, rule, ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }) };
};

/**
 * Fields in AWS's own words that AWS does not have, or has in another form: they would be left out of the call without a word.
 * The names at the top of the two specs are not looked at: the allow-list of templates is.
 */
export const rawFieldComplaints = async (
  template: Template,
  meantBy: MeantBy = () => undefined,
): Promise<readonly Complaint[]> => {
  const known = await schemasOf(providerApiOf(template));
  return rawFields.flatMap((field) => {
    const schema = known[field];
    const isListed = field !== 'abisInstanceRequirements';
    return (schema === undefined ? [] : misfits(schema, template[field]))
      .filter(({ path, form }) => !isListed || path.length > 1 || form !== undefined)
      .map((misfit) => toComplaint(field, misfit, meantBy));
  });
};
