import type { Complaint } from '../../../domain/finding.ts';
import { providerApiOf, type Template } from '../../../domain/template/template.ts';
import { type Misfit, misfits } from '../wire/misfits.ts';
import { rawFieldNames } from './raw-field-names.computed.ts';

const rawFields = ['launchTemplateSpec', 'providerApiSpec', 'abisInstanceRequirements'] as const;
type RawField = (typeof rawFields)[number];

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
export const rawFieldComplaints = (template: Template, meantBy: MeantBy = () => undefined): readonly Complaint[] => {
  const known = rawFieldNames[providerApiOf(template)];
  return rawFields.flatMap((field) => {
    const names = known[field];
    const isListed = field !== 'abisInstanceRequirements';
    return (names === undefined ? [] : misfits(names, template[field]))
      .filter(({ path, form }) => !isListed || path.length > 1 || form !== undefined)
      .map((misfit) => toComplaint(field, misfit, meantBy));
  });
};
