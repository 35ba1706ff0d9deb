import type { ErrorObject } from 'ajv';
import { excerpt } from '../domain/errors.ts';
import type { TemplateProblem } from '../domain/template/template.ts';

type Params = Readonly<Record<string, unknown>>;

const fieldOf = ({ instancePath, params }: ErrorObject): string => {
  const path = instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const below = params['missingProperty'] ?? params['propertyName'] ?? params['additionalProperty'];
  return excerpt([path, below].filter((part) => part !== undefined && part !== '').join('.'));
};

const size = (bound: string, what: string) => (params: Params) =>
  `must have at ${bound} ${String(params['limit'])} ${what}`;

/** By ajv's keywords. */
const rules: Readonly<Record<string, (params: Params) => string>> = {
  required: () => 'is required',
  type: ({ type }) => `must be ${String(type).replaceAll(',', ' or ')}`,
  enum: ({ allowedValues }) => `must be one of ${String(allowedValues).replaceAll(',', ', ')}`,
  minimum: ({ limit }) => `must be at least ${String(limit)}`,
  maximum: ({ limit }) => `must be at most ${String(limit)}`,
  pattern: ({ pattern }) => `must have the form ${String(pattern)}`,
  propertyNames: () => 'has a name that is not allowed here',
  additionalProperties: () => 'is not known here',
  minLength: size('least', 'characters'),
  maxLength: size('most', 'characters'),
  minItems: size('least', 'items'),
  maxItems: size('most', 'items'),
  minProperties: size('least', 'fields'),
  maxProperties: size('most', 'fields'),
};

const ruleOf = ({ keyword, params }: ErrorObject): string => rules[keyword]?.(params) ?? `is not valid (${keyword})`;

const isChoice = ({ keyword }: ErrorObject): boolean => keyword === 'anyOf' || keyword === 'oneOf';

/** What ajv says of the branches of a choice, none of which fits. */
const branchesOf = (choice: ErrorObject, errors: readonly ErrorObject[]): readonly ErrorObject[] =>
  errors.filter(
    ({ schemaPath, instancePath }) =>
      schemaPath.startsWith(`${choice.schemaPath}/`) && instancePath.startsWith(choice.instancePath),
  );

/** One problem per fault: of a choice the branch that was meant, or all of them in one. */
const ofChoice = (choice: ErrorObject, branches: readonly ErrorObject[]): readonly TemplateProblem[] => {
  const meant = branches.filter(({ keyword }) => keyword !== 'type');
  if (meant.length > 0) return meant.map((error) => ({ field: fieldOf(error), rule: ruleOf(error) }));
  return [{ field: fieldOf(choice), rule: branches.map(ruleOf).join(', or ') }];
};

/** ajv's errors in words: the field's path with dots, and its rule. */
export const problemsOf = (errors: readonly ErrorObject[] | null | undefined): readonly TemplateProblem[] => {
  const all = (errors ?? []).filter(({ propertyName }) => propertyName === undefined);
  const choices = all.filter(isChoice).map((choice) => ({ choice, branches: branchesOf(choice, all) }));
  const inChoices = new Set(choices.flatMap(({ choice, branches }) => [choice, ...branches]));
  return [
    ...all.filter((error) => !inChoices.has(error)).map((error) => ({ field: fieldOf(error), rule: ruleOf(error) })),
    ...choices.flatMap(({ choice, branches }) => ofChoice(choice, branches)),
  ];
};
