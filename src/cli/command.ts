import type { ArgumentsCamelCase, Argv, PositionalOptions } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import type { AnyOperation, MessageOf } from '../application/bus/operation.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { fieldOf, isForPeople, recordsOf, rowFormats } from './formats.ts';
import { anyIdOf, idDescriptions, machineIdOf, requestIdOf } from './ids.ts';
import { expectationOf, isPage, pageText, withExpectation } from './listing.ts';
import { progressBar } from './progress.ts';
import { commandOptions, show, warn, withService } from './run.ts';
import { commandIdOption, pairs, verbMissing, whole } from './usage.ts';

/** A command, or a noun with its verbs. */
export interface Command {
  /** Its names, the first with its arguments. */
  readonly line: string | readonly string[];
  /** The operation that it is made from, and the options that its fields come to. */
  readonly made?: {
    readonly operation: AnyOperation;
    readonly options: Readonly<Record<string, Made>>;
    readonly leftOut: readonly string[];
  };
  readonly verbs?: readonly Command[];
  addTo(yargs: Argv<CommonOptions>, context: CliContext, done: Done): void;
}

/** A command of its own: `title` is false for a command that help leaves out. */
export const command = <O extends CommonOptions>(
  line: string | readonly string[],
  title: string | false,
  builder: (yargs: Argv<CommonOptions>) => Argv<O>,
  run: (context: CliContext, options: ArgumentsCamelCase<O>) => Promise<number>,
): Command => ({
  line,
  addTo: (yargs, context, done) => {
    yargs.command({ command: line, describe: title, builder, handler: (given) => done(run(context, given)) });
  },
});

const nameOf = ({ line }: Command): string => String([line].flat()[0]).replace(/ .*/, '');

export const noun = (name: string, title: string, verbs: readonly Command[]): Command => ({
  line: name,
  verbs,
  addTo: (yargs, context, done) => {
    yargs.command(name, title, (each) => {
      for (const verb of verbs) verb.addTo(each, context, done);
      return each.strict().demandCommand(1, verbMissing(name, ...verbs.map(nameOf)));
    });
  },
});

type Answer<O> = O extends { readonly name: infer N extends string }
  ? Uncapitalize<N> extends keyof ApplicationService
    ? ApplicationService[Uncapitalize<N>] extends (...given: never[]) => Promise<infer A>
      ? A
      : never
    : never
  : never;

type RowIn<A, K> = K extends keyof A ? (A[K] extends readonly (infer R extends object)[] ? R : never) : never;

/** How an option differs from the schema of its field. */
interface Form extends PositionalOptions {
  /** Its name. */
  readonly as?: string;
}

interface Presentation<Message, A, Row, Field extends string, Key extends string> {
  /** Fields that are not for people. */
  readonly leftOut?: readonly Field[];
  /** Fields that are always the same; no options either. */
  readonly sets?: { readonly [F in Field]?: unknown };
  readonly forms?: { readonly [F in Field]?: Form };
  /** Whether the command can be repeated, and what is then the same. */
  readonly repeats?: string;
  /** What options exclude each other, and the like. */
  readonly rules?: (yargs: Argv<CommonOptions>) => Argv<CommonOptions>;
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Where the answer has rows: in this field. */
  readonly rows?: Key;
  /** The field of a row that names it. */
  readonly id?: string & keyof Row;
  columns?(rows: readonly Row[], options: CommonOptions, answer: A): readonly Column<Row>[];
  /** Said in the place of the table where there is no row. */
  readonly empty?: string;
  /** The lines of the answer for people, the table among them; by itself the table. */
  text?(
    answer: A,
    table: string,
    message: Message,
    service: ApplicationService,
  ): readonly string[] | Promise<readonly string[]>;
  /** Lines for stderr besides the warnings of the answer. */
  warnings?(answer: A, message: Message): readonly string[];
  /** When the command ends with 1: in words, and in fact. */
  readonly failsIf?: string;
  fails?(answer: A, message: Message): boolean;
  /** The first step of long work, whose progress is shown. */
  readonly progress?: string;
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Options have shorter names than fields. */
const shortNames: Readonly<Record<string, string>> = {
  query: 'search',
  requestId: 'request',
  templateId: 'template',
  instanceType: 'type',
};

interface FieldSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** An option, or argument, as the schema of its field has it. Throws for a field that has no plain form. */
const optionOf = (
  name: string,
  { type, enum: choices, description, minimum, maximum }: FieldSchema,
): PositionalOptions => {
  const said = description === undefined ? {} : { describe: description };
  if (choices !== undefined) return { ...said, choices };
  if (type === 'string') return { ...said, type };
  if (type === 'boolean') return { ...said, type, default: false };
  if (type === 'integer' && minimum !== undefined && maximum !== undefined)
    return { ...said, ...whole(`--${name}`, minimum, maximum) };
  if (type === 'object') return { ...said, type: 'string', array: true, default: [], coerce: pairs(`--${name}`) };
  throw new Error(`the field of --${name} has no plain form`);
};

interface Made extends PositionalOptions {
  readonly field: string;
  readonly isArgument: boolean;
}

const argumentOf = (field: string, operation: AnyOperation): PositionalOptions => ({
  ...(operation.required?.includes(field) === true ? { demandOption: true } : {}),
  ...(field === 'requestId' || field === 'machineId' || field === 'id' ? { describe: idDescriptions[field] } : {}),
});

const optionsOf = (
  line: string,
  operation: AnyOperation,
  { forms = {}, repeats }: LoosePresentation,
  left: Set<string>,
) => {
  const options: Record<string, Made> = {};
  for (const [field, schema] of Object.entries(operation.input)) {
    if (left.has(field) || field === 'expected') continue;
    const { as = shortNames[field] ?? kebab(field), ...form } = forms[field] ?? {};
    const isArgument = new RegExp(`[[<]${field}[\\]>]`).test(line);
    const name = isArgument ? field : as;
    const plain = form.type === undefined ? optionOf(name, schema) : {};
    const ofArgument = isArgument ? argumentOf(field, operation) : {};
    options[name] = { ...plain, ...ofArgument, ...form, field, isArgument };
  }
  if (repeats !== undefined)
    options['command-id'] = { ...commandIdOption(repeats), field: 'commandId', isArgument: false };
  return options;
};

type Written = CommonOptions & Readonly<Record<string, unknown>>;

const withFullId = (service: ApplicationService, options: Written, field: string, value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  if (field === 'requestId') return requestIdOf(service, options, value);
  if (field === 'machineId') return machineIdOf(service, options, value);
  return field === 'id' ? anyIdOf(service, options, value) : value;
};

type LooseRow = Readonly<Record<string, unknown>>;
type LoosePresentation = Presentation<unknown, unknown, LooseRow, string, string>;

const rowsIn = (answer: unknown, key: string): readonly LooseRow[] => {
  const found = fieldOf(answer, key);
  return Array.isArray(found) ? found : [];
};

/** What a row of an answer declares. */
const rowSchema = ({ answer }: AnyOperation, key: string): object =>
  Object(fieldOf(fieldOf(fieldOf(answer, 'properties'), key), 'items'));

const textsOf = (value: unknown): readonly string[] => [value ?? []].flat().map(String);

const warningsOf = (options: Written, answer: unknown): readonly string[] => {
  const isCut = isPage(answer) && answer.total_pages > 1;
  const isTold = isForPeople(options) || options.json === true || options.output === 'yaml';
  const more =
    isCut && !isTold
      ? [`this is page ${answer.page} of ${answer.total_pages}, ${answer.total} in all: --limit shows more`]
      : [];
  return [...textsOf(fieldOf(answer, 'warnings')), ...textsOf(fieldOf(answer, '_warning')), ...more];
};

/**
 * A command made from an operation: each field of its messages is an option, or the argument of its name in `line`, with the
 * description, the values and the check that its schema has; `-o csv` shows the fields that the schema of a row declares.
 */
export function fromOperation<const O extends AnyOperation, const K extends string & keyof Answer<O> = never>(
  line: string,
  operation: O,
  presentation: Presentation<MessageOf<O>, Answer<O>, RowIn<Answer<O>, K>, string & keyof O['input'], K>,
): Command;
// TypeScript cannot follow options that are made from schemas: the bus checks the message, and the operation types its answer.
export function fromOperation(line: string, operation: AnyOperation, presentation: LoosePresentation): Command {
  const { leftOut = [], sets = {}, rows, id = '', empty = '', progress } = presentation;
  const left = new Set([...leftOut, ...Object.keys(sets)]);
  const options = optionsOf(line, operation, presentation, left);
  const entries = Object.entries(options);

  const builder = (yargs: Argv<CommonOptions>): Argv<CommonOptions> => {
    if ('expected' in operation.input) withExpectation(yargs);
    if (rows !== undefined) yargs.option('output', rowFormats);
    for (const [name, { field: _field, isArgument, ...option }] of entries)
      if (isArgument) yargs.positional(name, option);
      else yargs.option(name, option);
    for (const [example, what] of presentation.examples) yargs.example(example, what);
    return presentation.rules?.(yargs) ?? yargs;
  };

  const messageOf = async (service: ApplicationService, written: Written): Promise<Record<string, unknown>> => {
    const message: Record<string, unknown> = { ...sets, ...commandOptions(written) };
    for (const [name, { field }] of entries) message[field] = await withFullId(service, written, field, written[name]);
    if ('expected' in operation.input) message['expected'] = await expectationOf(service, written);
    return message;
  };

  const run = (context: CliContext, written: Written): Promise<number> => {
    const { tell, during } = progressBar(context, written, progress ?? '');
    const act = async (service: ApplicationService): Promise<number> => {
      const message = await messageOf(service, written);
      const asked = service.dispatch(operation.bus, { type: operation.name, ...message });
      const answer = await (progress === undefined ? asked : during(asked));
      warn(context, [...warningsOf(written, answer), ...(presentation.warnings?.(answer, message) ?? [])]);
      const found = rows === undefined ? [] : rowsIn(answer, rows);
      const render = async (): Promise<string> => {
        const table = columnTable(written, found, presentation.columns?.(found, written, answer) ?? [], empty);
        const lines = (await presentation.text?.(answer, table, message, service)) ?? [table];
        return pageText(answer, lines.join('\n'));
      };
      const named = (row: LooseRow): string => String(row[id] ?? '');
      const records = rows === undefined ? undefined : recordsOf(rowSchema(operation, rows), found, named);
      await show(context, written, answer, render, records);
      return presentation.fails?.(answer, message) === true ? 1 : 0;
    };
    return withService(context, written, act, progress === undefined ? {} : { progress: tell });
  };

  const title =
    presentation.failsIf === undefined ? operation.title : `${operation.title}; exit 1 if ${presentation.failsIf}`;
  return { ...command(line, title, builder, run), made: { operation, options, leftOut: [...left] } };
}
