import { Ajv } from 'ajv';

/**
 * `code.source` lets the build replace compiled validators by their source, so that a script never loads ajv itself. The words come from
 * `problemsOf`: a validator that every call loads has none.
 */
export const ajv = new Ajv({
  allErrors: true,
  allowUnionTypes: true,
  messages: false,
  code: { source: true, esm: true },
});
