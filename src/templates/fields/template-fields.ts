import { capacityFields } from './capacity-fields.ts';
import { hostFields } from './host-fields.ts';
import { offerFields } from './offer-fields.ts';
import type { TemplateField } from './template-field.ts';

/** Every field of a template, in the order of the reference. */
export const templateFields = { ...offerFields, ...capacityFields, ...hostFields };

export const fieldEntries: readonly (readonly [name: string, field: TemplateField])[] = Object.entries(templateFields);

export const fieldOf = (name: string): TemplateField | undefined => fieldEntries.find(([each]) => each === name)?.[1];
