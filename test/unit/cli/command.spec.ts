import { expect, it } from 'vitest';
import { operations } from '../../../src/application/operations.ts';
import { commands } from '../../../src/cli/cli.ts';
import { type Command, fromOperation } from '../../../src/cli/command.ts';

const leaves = (list: readonly Command[]): readonly Command[] =>
  list.flatMap((each) => (each.verbs === undefined ? [each] : leaves(each.verbs)));

const made = leaves(commands).flatMap(({ made: from }) => (from === undefined ? [] : [from]));

it('makes most commands with a verb of the table of operations', () => {
  expect(made.length).toBeGreaterThan(18);
});

it.each(made.map((each) => [each.operation.name, each] as const))(
  'has an option with a description for each field of %s that is not named as left out',
  (_name, { operation, options, leftOut }) => {
    const fields = Object.keys(operation.input).filter((field) => field !== 'expected');
    const offered = Object.values(options).map(({ field }) => field);
    expect([...offered, ...leftOut].filter((field) => field !== 'commandId').sort()).toEqual(fields.sort());
    expect(Object.keys(options).filter((name) => (options[name]?.describe ?? '') === '')).toEqual([]);
  },
);

const clear = operations.ClearOfferings;
const withField = (field: object) => ({ ...clear, input: { ...clear.input, newField: field } }) as const;

it('shows a new field of an operation without a line of its own', () => {
  const operation = withField({ enum: ['spot', 'ondemand'], description: 'Only of this market' });
  expect(fromOperation('clear', operation, { examples: [] }).made?.options['new-field']).toMatchObject({
    choices: ['spot', 'ondemand'],
    describe: 'Only of this market',
  });
});

it('refuses a field that has no plain form', () => {
  const operation = withField({ type: 'array', items: { type: 'object' } });
  expect(() => fromOperation('clear', operation, { examples: [] })).toThrow(
    'the field of --new-field has no plain form',
  );
  expect(() => fromOperation('clear', operation, { examples: [], leftOut: ['newField'] })).not.toThrow();
});
