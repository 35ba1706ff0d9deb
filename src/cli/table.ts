import { visible } from './visible.ts';

/** Columns. Without a terminal, or with one that does not tell (0), nothing is broken. */
const widthOfTerminal = (): number => process.stdout.columns || Number.POSITIVE_INFINITY;

/** Breaks a line between words where the terminal ends, going on `hang` columns from the left; other outputs keep it whole. */
export const fold = (line: string, hang: number, columns = widthOfTerminal()): string => {
  if (line.length <= columns) return line;
  const before = line.lastIndexOf(' ', columns);
  const cut = before > hang ? before : line.indexOf(' ', Math.max(columns, hang + 1));
  if (cut < 0) return line;
  return `${line.slice(0, cut)}\n${fold(' '.repeat(hang) + line.slice(cut + 1), hang, columns)}`;
};

/** `1 machine`, `2 machines`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const gap = 2;
/** No column is cut below this. */
const leastWidth = 8;

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`);

interface TableLook {
  readonly columns?: number;
  /** Columns that are never cut, by their index. */
  readonly whole?: readonly number[];
  /** What becomes of a cell of the rows when its width is settled, e.g. a colour. */
  readonly finish?: (text: string, column: number) => string;
}

/** Widths that fit: the widest column gives way first. */
const fitted = (wanted: readonly number[], heading: readonly string[], { columns, whole = [] }: TableLook) => {
  const widths = [...wanted];
  const least = heading.map((text, index) => (whole.includes(index) ? Infinity : Math.max(text.length, leastWidth)));
  let over = widths.reduce((sum, width) => sum + width, gap * (widths.length - 1)) - (columns ?? widthOfTerminal());
  while (over > 0) {
    const mayShrink = widths.map((width, index) => (width > (least[index] ?? 0) ? width : 0));
    const widest = mayShrink.indexOf(Math.max(...mayShrink));
    if ((mayShrink[widest] ?? 0) === 0) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over--;
  }
  return widths;
};

/** A table for people: columns as wide as their widest cell; on a narrow terminal the widest cells are cut. */
export const table = (
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  look: TableLook = {},
): string => {
  const all = [heading, ...rows.map((row) => row.map(visible))];
  const wanted = heading.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const widths = fitted(wanted, heading, look);
  const { finish = String } = look;
  const rowText = (row: readonly string[], index: number): string =>
    widths
      .map((width, column) => {
        const cell = cut(row[column] ?? '', width);
        const gap = ' '.repeat(width - cell.length);
        return index === 0 ? cell + gap : finish(cell, column) + gap;
      })
      .join(' '.repeat(gap))
      .trimEnd();
  return all.map(rowText).join('\n');
};

/** All fields of one thing; values go on below where the terminal ends. */
export const fieldTable = (fields: object, columns = widthOfTerminal()): string => {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(fields);
  const width = Math.max(...entries.map(([field]) => field.length), 'FIELD'.length);
  const textOf = (value: unknown): string => {
    if (typeof value === 'string') return value;
    return Number.isFinite(columns) ? JSON.stringify(value, null, 1).replaceAll(/\n\s*/g, ' ') : JSON.stringify(value);
  };
  return [['FIELD', 'VALUE'] as const, ...entries]
    .map(([field, value]) => fold(`${field.padEnd(width)}  ${textOf(value)}`.trimEnd(), width + gap, columns))
    .join('\n');
};
