import { ajv } from '../json/ajv.ts';
import { providerConfigSchema } from './provider-config.schema.ts';
import { templateSchema } from './template.schema.ts';

export const validateProviderConfig = ajv.compile(providerConfigSchema);
export const validateTemplate = ajv.compile(templateSchema);
