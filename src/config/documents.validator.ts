import { ajv } from '../json/ajv.ts';
import { templateSchema } from '../templates/template.schema.ts';
import { providerConfigSchema } from './provider-config.schema.ts';

export const validateProviderConfig = ajv.compile(providerConfigSchema);
export const validateTemplate = ajv.compile(templateSchema);
