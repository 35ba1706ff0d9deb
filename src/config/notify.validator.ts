import { ajv } from '../json/ajv.ts';
import { withoutProse } from '../json/without-prose.ts';
import { notifySchema } from './notify.schema.ts';

export const validateNotify = ajv.compile(withoutProse(notifySchema));
