/** How a command answers. `csv` and `name` are for what has rows: lists, and one thing of a list. */
export const outputs = ['table', 'wide', 'json', 'yaml'] as const;
const rowOutputs = ['csv', 'name'] as const;

export type Output = (typeof outputs)[number] | (typeof rowOutputs)[number];

interface Asked {
  readonly output?: Output | undefined;
  readonly json?: boolean | undefined;
}

/** Whether people read it: then there may be more than the answer, such as signs of life. */
export const isForPeople = ({ output = 'table', json = false }: Asked): boolean =>
  !json && (output === 'table' || output === 'wide');

/** For commands that show rows: yargs adds these to the choices that every command has. */
export const rowFormats: { readonly choices: readonly Output[]; readonly describe: string } = {
  choices: rowOutputs,
  describe: 'Form of the answer; name: ids only, one per line',
};

type Cell = string | number | boolean | undefined;
export type CsvColumn<R> = readonly [name: string, of: (row: R) => Cell];

/** What of an answer are rows. */
export interface Records<R extends object> {
  readonly rows: readonly R[];
  readonly columns: readonly CsvColumn<R>[];
  /** What other commands call it by; empty where it has no name. */
  readonly id: (row: R) => string;
}

const isObjectSchema = (schema: object): schema is { readonly properties: Readonly<Record<string, object>> } =>
  'properties' in schema && typeof schema.properties === 'object';

export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;

const cellOf = (value: unknown): Cell => {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return JSON.stringify(value);
};

/** A column for each field that the schema of a row declares, so that no heading depends on the data; fields of fields as `counts.fail`. */
const declaredColumns = (schema: object): readonly CsvColumn<object>[] => {
  const properties = isObjectSchema(schema) ? Object.entries(schema.properties) : [];
  return properties.flatMap(([name, property]): readonly CsvColumn<object>[] =>
    isObjectSchema(property)
      ? declaredColumns(property).map(([inner, of]) => [
          `${name}.${inner}`,
          (row) => of(Object(fieldOf(row, name) ?? {})),
        ])
      : [[name, (row) => cellOf(fieldOf(row, name))]],
  );
};

/** Rows whose columns are the fields that their schema declares. */
export const recordsOf = <R extends object>(
  schema: object,
  rows: readonly R[],
  id: (row: R) => string,
): Records<R> => ({ rows, columns: declaredColumns(schema), id });

/** A spreadsheet takes such a text for a formula; behind an apostrophe it stays one (OWASP, "CSV Injection"). */
const asText = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

const quoted = (cell: Cell): string => {
  const text = typeof cell === 'string' ? asText(cell) : String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const csvLine = (cells: readonly Cell[]): string => cells.map(quoted).join(',');

/** RFC 4180, with a heading; what is not known is empty, and no text is a formula. Whoever prints it ends the last line. */
export const csvOf = <R extends object>({ rows, columns }: Records<R>): string =>
  [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, of]) => of(row)))]
    .map((cells) => `${csvLine(cells)}\r`)
    .join('\n');

/** Each once, in the order of the rows. */
export const namesOf = <R extends object>({ rows, id }: Records<R>): string =>
  [...new Set(rows.map(id))].filter((name) => name !== '').join('\n');
