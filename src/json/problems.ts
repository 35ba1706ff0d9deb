import type { ErrorObject } from 'ajv';
import type { TemplateProblem } from '../domain/template.ts';

const fieldOf = ({ instancePath, keyword, params }: ErrorObject): string => {
  const path = instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const below = keyword === 'required' ? params['missingProperty'] : params['propertyName'];
  return [path, below].filter((part) => part !== undefined && part !== '').join('.');
};

const ruleOf = ({ keyword, params, message = 'is not valid' }: ErrorObject): string => {
  if (keyword === 'required') return 'is required';
  if (keyword === 'enum') return `must be one of ${String(params['allowedValues']).replaceAll(',', ', ')}`;
  if (keyword === 'minimum') return `must be at least ${String(params['limit'])}`;
  if (keyword === 'maximum') return `must be at most ${String(params['limit'])}`;
  if (keyword === 'pattern') return `must have the form ${String(params['pattern'])}`;
  if (keyword === 'propertyNames') return 'has a name that is not allowed here';
  return message.replaceAll(/(?<=\w),(?=\w)/g, ' or ');
};

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
