/** A part of its own: only `-o yaml` loads the library. */

import { stringify } from 'yaml';

/** One document, nothing folded or by reference. What readers of YAML 1.1 would take for a date or a flag is quoted. */
export const yamlOf = (value: unknown): string =>
  stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' }).trimEnd();
