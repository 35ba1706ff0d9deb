import { isObject } from '../invalid-input.ts';
import { ServiceError } from '../wire/service-error.ts';

/** A value as DynamoDB's JSON has it: `{"S": "text"}`, `{"N": "1"}`, `{"B": "..."}`, `{"SS": ["a"]}`. */
export type Attribute = Readonly<Record<string, string | readonly string[]>>;
export type Item = Readonly<Record<string, Attribute>>;

/** What an expression refers to beside the item: `:value` and `#name`. */
export interface References {
  readonly values: Item;
  readonly names: Readonly<Record<string, string>>;
}

export const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);

const tokenForm = /\s+|(<=|>=|<>|[=<>(),]|[#:]?[A-Za-z_]\w*)/y;

const tokensOf = (expression: string): readonly string[] => {
  const tokens: string[] = [];
  tokenForm.lastIndex = 0;
  while (tokenForm.lastIndex < expression.length) {
    const [part, token] = tokenForm.exec(expression) ?? [];
    if (part === undefined) throw invalid(`Invalid expression: Syntax error in "${expression}"`);
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
};

/** One expression, read token by token. */
const readerOf = (expression: string, { values, names }: References) => {
  const tokens = tokensOf(expression);
  let next = 0;
  const peek = (): string | undefined => tokens[next];
  const take = (): string => {
    const token = tokens[next];
    next += 1;
    if (token === undefined) throw invalid(`Invalid expression: "${expression}" ends too early`);
    return token;
  };
  const takeIf = (token: string): boolean => {
    if (peek()?.toUpperCase() !== token) return false;
    next += 1;
    return true;
  };
  const expect = (token: string): void => {
    if (!takeIf(token)) throw invalid(`Invalid expression: "${token}" is missing in "${expression}"`);
  };
  const path = (): string => {
    const token = take();
    if (!token.startsWith('#')) return token;
    const name = names[token];
    if (name === undefined)
      throw invalid(`An expression attribute name used in the document path is not defined: ${token}`);
    return name;
  };
  const operand = (item: Item | undefined): Attribute | undefined => {
    if (peek()?.startsWith(':') !== true) {
      const name = path();
      return item?.[name];
    }
    const token = take();
    const value = values[token];
    if (value === undefined) throw invalid(`An expression attribute value used in expression is not defined: ${token}`);
    return value;
  };
  return { peek, take, takeIf, expect, path, operand };
};

type Reader = ReturnType<typeof readerOf>;

const textOf = (value: Attribute | undefined): string | undefined => {
  const text = value?.['S'] ?? value?.['B'];
  return typeof text === 'string' ? text : undefined;
};

/** Negative, 0 or positive; undefined where the two cannot be compared. */
export const compare = (one: Attribute | undefined, other: Attribute | undefined): number | undefined => {
  if (one?.['N'] !== undefined && other?.['N'] !== undefined) return Number(one['N']) - Number(other['N']);
  const [left, right] = [textOf(one), textOf(other)];
  if (left === undefined || right === undefined) return undefined;
  return left < right ? -1 : Number(left > right);
};

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

const functionOf = (reader: Reader, name: string, item: Item | undefined): boolean => {
  reader.expect('(');
  const attribute = reader.path();
  const value = item?.[attribute];
  const prefix = name === 'begins_with' && reader.takeIf(',') ? textOf(reader.operand(item)) : undefined;
  reader.expect(')');
  if (name === 'attribute_exists') return value !== undefined;
  if (name === 'attribute_not_exists') return value === undefined;
  return prefix !== undefined && textOf(value)?.startsWith(prefix) === true;
};

const isFunction = (token = ''): boolean => /^(attribute_exists|attribute_not_exists|begins_with)$/.test(token);

const primary = (reader: Reader, item: Item | undefined): boolean => {
  if (reader.takeIf('NOT')) return !primary(reader, item);
  if (reader.takeIf('(')) {
    const holds = either(reader, item);
    reader.expect(')');
    return holds;
  }
  if (isFunction(reader.peek())) return functionOf(reader, reader.take(), item);
  const left = reader.operand(item);
  const comparison = comparisons[reader.take()];
  if (comparison === undefined) throw invalid('Invalid expression: a comparison is missing');
  const order = compare(left, reader.operand(item));
  return order !== undefined && comparison(order);
};

const both = (reader: Reader, item: Item | undefined): boolean => {
  let holds = primary(reader, item);
  // Each part is read, whatever the others say.
  while (reader.takeIf('AND')) holds = primary(reader, item) && holds;
  return holds;
};

const either = (reader: Reader, item: Item | undefined): boolean => {
  let holds = both(reader, item);
  while (reader.takeIf('OR')) holds = both(reader, item) || holds;
  return holds;
};

/** Whether a condition holds of an item; an absent item has no attributes. */
export const holds = (expression: string, item: Item | undefined, references: References): boolean => {
  const reader = readerOf(expression, references);
  const result = either(reader, item);
  if (reader.peek() !== undefined) throw invalid(`Invalid expression: unexpected "${reader.peek()}"`);
  return result;
};

const assigned = (reader: Reader, item: Item): Attribute | undefined => {
  if (reader.peek() !== 'if_not_exists') return reader.operand(item);
  reader.take();
  reader.expect('(');
  const present = item[reader.path()];
  reader.expect(',');
  const otherwise = reader.operand(item);
  reader.expect(')');
  return present ?? otherwise;
};

const textsOf = (value: Attribute | undefined): readonly string[] => [value?.['SS'] ?? []].flat();

const added = (before: Attribute | undefined, more: Attribute | undefined): Attribute => {
  if (more?.['N'] !== undefined) return { N: String(Number(before?.['N'] ?? 0) + Number(more['N'])) };
  return { SS: [...new Set([...textsOf(before), ...textsOf(more)])] };
};

/** The item after an update of the clauses SET, ADD and REMOVE. */
export const updated = (expression: string, item: Item, references: References): Item => {
  const reader = readerOf(expression, references);
  const after = new Map(Object.entries(item));
  const each = (work: () => void): void => {
    do work();
    while (reader.takeIf(','));
  };
  while (reader.peek() !== undefined) {
    const clause = reader.take().toUpperCase();
    if (clause === 'SET')
      each(() => {
        const name = reader.path();
        reader.expect('=');
        const value = assigned(reader, item);
        if (value !== undefined) after.set(name, value);
      });
    else if (clause === 'ADD')
      each(() => {
        const name = reader.path();
        after.set(name, added(item[name], reader.operand(item)));
      });
    else if (clause === 'REMOVE') each(() => void after.delete(reader.path()));
    else throw invalid(`Invalid UpdateExpression: unexpected "${clause}"`);
  }
  return Object.fromEntries(after);
};

const isAttribute = (value: unknown): value is Attribute =>
  isObject(value) &&
  Object.keys(value).length === 1 &&
  Object.entries(value).every(
    ([type, each]) =>
      (/^[SNB]$/.test(type) && typeof each === 'string') ||
      (type === 'SS' && Array.isArray(each) && each.length > 0 && each.every((text) => typeof text === 'string')),
  );

export const isItem = (value: unknown): value is Item => isObject(value) && Object.values(value).every(isAttribute);
