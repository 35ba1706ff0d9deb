import type { TemplateField } from './template-field.ts';

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

/** What Host Factory is offered; AWS never hears of it. */
export const offerFields = {
  templateId: {
    meaning: 'Unique name',
    form: { type: 'string', pattern: '^[0-9A-Za-z_-]{1,64}$' },
  },
  maxNumber: {
    meaning: 'Most hosts at a time; -1 no limit, 0 none',
    form: { type: 'integer', minimum: -1, maximum: 10000 },
    names: ['maxInstances', 'maxMachines'],
    decides: 'money',
  },
  attributes: {
    meaning:
      'What Host Factory selects by: type, ncpus, nram (MB), ncores, rank, priceInfo, and any of yours; type, ncpus and nram left out are those of the instance types, and so is ncores where it is `auto` (else 1)',
    form: { type: 'object', additionalProperties: attribute },
  },
} as const satisfies Readonly<Record<string, TemplateField>>;
