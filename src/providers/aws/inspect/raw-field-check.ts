import type { Complaint } from '../../../domain/finding.ts';
import { providerApiOf, type Template } from '../../../domain/template/template.ts';
import { launchTemplateFields, providerApiFields } from '../launch/raw-fields.ts';
import { type Misfit, misfits } from '../wire/misfits.ts';
import { rawFieldNames } from './raw-field-names.computed.ts';

const rawFields = ['launchTemplateSpec', 'providerApiSpec', 'abisInstanceRequirements'] as const;
type RawField = (typeof rawFields)[number];

/** Of the names, the one that was probably meant. */
type ClosestName = (written: string, names: readonly string[]) => string | undefined;

const toComplaint = (field: RawField, { path, names, form }: Misfit, closestName: ClosestName): Complaint => {
  const place = [field, ...path].join('.');
  if (form !== undefined) return { severity: 'error', field: place, rule: `must be ${form}` };
  const closest = closestName(path.at(-1) ?? '', names);
  const rule = `is not a field AWS has there; it has ${names.join(', ')}`;
  return {
    severity: 'error',
    field: place,
    rule,
    ...(closest === undefined ? {} : { hint: `did you mean ${closest}?` }),
  };
};

const namesIn = (template: Template, field: RawField): readonly string[] => Object.keys(template[field] ?? {});

/** Fields that templates may not set. */
const unlisted = (template: Template): readonly Complaint[] =>
  (
    [
      ['launchTemplateSpec', launchTemplateFields],
      ['providerApiSpec', providerApiFields[providerApiOf(template)]],
    ] as const
  ).flatMap(([field, allowed]: readonly [RawField, readonly string[]]) =>
    namesIn(template, field)
      .filter((name) => !allowed.includes(name))
      .map((name): Complaint => {
        const rule = `cannot be given raw; ${allowed.join(', ')} can`;
        return { severity: 'error', field: `${field}.${name}`, rule };
      }),
  );

const reservation = 'CapacityReservationSpecification';

/** What a field of the template says as well. */
const twice = (template: Template): readonly Complaint[] => {
  const { capacityReservation, launchTemplateSpec } = template;
  const reservations =
    capacityReservation === undefined
      ? []
      : rawFields
          .filter((field) => namesIn(template, field).includes(reservation))
          .map((field): Complaint => {
            const rule = `is said by ${field}.${reservation} too: write one of them`;
            return { severity: 'error', field: 'capacityReservation', rule };
          });
  const isWired = [launchTemplateSpec?.['NetworkInterfaces'] ?? []].flat().length > 0;
  const interfaces = (['interfaceType', 'efaCount'] as const)
    .filter((field) => isWired && template[field] !== undefined)
    .map((field): Complaint => {
      const rule = 'has no effect beside launchTemplateSpec.NetworkInterfaces';
      return { severity: 'warning', field, rule };
    });
  return [...reservations, ...interfaces];
};

/**
 * Fields in AWS's own words that are not for templates to set, that AWS does not have, or has in another form: they would be left
 * out of the call without a word. A warning for fields of the template that count for nothing beside them.
 */
export const rawFieldComplaints = (
  template: Template,
  closestName: ClosestName = () => undefined,
): readonly Complaint[] => {
  const known = rawFieldNames[providerApiOf(template)];
  const misfitting = rawFields.flatMap((field) => {
    const names = known[field];
    const isListed = field !== 'abisInstanceRequirements';
    return (names === undefined ? [] : misfits(names, template[field]))
      .filter(({ path, form }) => !isListed || path.length > 1 || form !== undefined)
      .map((misfit) => toComplaint(field, misfit, closestName));
  });
  return [...unlisted(template), ...misfitting, ...twice(template)];
};
