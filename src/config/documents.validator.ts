import { ajv } from '../json/ajv.ts';
import { withoutProse } from '../json/without-prose.ts';
import { templateSchema } from '../templates/template.schema.ts';
import { providerConfigSchema } from './provider-config.schema.ts';

export const validateProviderConfig = ajv.compile(withoutProse(providerConfigSchema));
export const validateTemplate = ajv.compile(templateSchema);
