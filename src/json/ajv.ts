import { Ajv } from 'ajv';

/** `code.source` lets the build replace compiled validators by their source, so that a script never loads ajv itself. */
export const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, code: { source: true, esm: true } });
