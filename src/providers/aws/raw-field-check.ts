import { CreateAutoScalingGroupType$, InstanceRequirements$ as GroupRequirements$ } from '@aws-sdk/client-auto-scaling';
import {
  CreateFleetRequest$,
  InstanceRequirements$,
  InstanceRequirementsRequest$,
  RequestLaunchTemplateData$,
  RunInstancesRequest$,
  SpotFleetRequestConfigData$,
} from '@aws-sdk/client-ec2';
import type { Complaint } from '../../domain/finding.ts';
import { type ProviderApi, providerApiOf, type Template } from '../../domain/template.ts';
import { meantBy } from '../../json/meant-by.ts';
import { type Misfit, misfits } from './query-codec.ts';

const rawFields = ['launchTemplateSpec', 'providerApiSpec', 'abisInstanceRequirements'] as const;
type RawField = (typeof rawFields)[number];

/** What each field of AWS's own words ends up in, by API. RunInstances takes no requirements. */
const schemas: Readonly<Record<ProviderApi, Readonly<Partial<Record<RawField, unknown>>>>> = {
  RunInstances: { launchTemplateSpec: RunInstancesRequest$, providerApiSpec: RunInstancesRequest$ },
  EC2Fleet: {
    launchTemplateSpec: RequestLaunchTemplateData$,
    providerApiSpec: CreateFleetRequest$,
    abisInstanceRequirements: InstanceRequirementsRequest$,
  },
  SpotFleet: {
    launchTemplateSpec: RequestLaunchTemplateData$,
    providerApiSpec: SpotFleetRequestConfigData$,
    abisInstanceRequirements: InstanceRequirements$,
  },
  ASG: {
    launchTemplateSpec: RequestLaunchTemplateData$,
    providerApiSpec: CreateAutoScalingGroupType$,
    abisInstanceRequirements: GroupRequirements$,
  },
};

const toComplaint = (field: RawField, { path, names, form }: Misfit): Complaint => {
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
export const rawFieldComplaints = (template: Template): readonly Complaint[] =>
  rawFields.flatMap((field) => {
    const schema = schemas[providerApiOf(template)][field];
    const isListed = field !== 'abisInstanceRequirements';
    return (schema === undefined ? [] : misfits(schema, template[field]))
      .filter(({ path, form }) => !isListed || path.length > 1 || form !== undefined)
      .map((misfit) => toComplaint(field, misfit));
  });
