import type { ErrorObject } from 'ajv';
import type { TemplateProblem } from '../domain/template.ts';

const fieldOf = ({ instancePath, keyword, params }: ErrorObject): string => {
  const path = instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  if (keyword !== 'required') return path;
  return [path, String(params['missingProperty'])].filter((part) => part !== '').join('.');
};

const ruleOf = ({ keyword, params, message = 'is not valid' }: ErrorObject): string => {
  if (keyword === 'required') return 'is required';
  if (keyword === 'enum') return `must be one of ${String(params['allowedValues']).replaceAll(',', ', ')}`;
  return message;
};

/** ajv's errors in words: the field's path with dots, and its rule. */
export const problemsOf = (errors: readonly ErrorObject[] | null | undefined): readonly TemplateProblem[] =>
  (errors ?? []).map((error) => ({ field: fieldOf(error), rule: ruleOf(error) }));
