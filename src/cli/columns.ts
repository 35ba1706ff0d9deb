import { age, localTime } from '../domain/time-text.ts';
import { colourOf, isColoured, painted } from './colour.ts';
import type { CommonOptions } from './context.ts';
import { table } from './table.ts';

/** A column of a table: its heading, its cell, and whether it is only shown by --wide, or is never cut. */
export type Column<T> = readonly [heading: string, cell: (item: T) => string, how?: 'wide' | 'whole'];

/** A time of an answer for people, and how long ago it was. */
export const timeOf = (iso?: string): string => (iso === undefined ? '-' : localTime(Date.parse(iso)));
export const ageOf = (iso?: string): string => (iso === undefined ? '-' : age(Date.now() - Date.parse(iso)));

/** Columns whose words have a colour. */
const stateHeadings: readonly string[] = ['STATE', 'STATUS', 'RESULT'];

/**
 * A table for people, or the words where there is nothing to show. On a terminal cells that do not fit are cut; with --wide, and
 * where no terminal is, all is there.
 */
export const columnTable = <T>(
  { wide = false }: CommonOptions,
  items: readonly T[],
  columns: readonly Column<T>[],
  nothing: string,
): string => {
  if (items.length === 0) return nothing;
  const shown = columns.filter(([, , how]) => wide || how !== 'wide');
  const whole = shown.flatMap(([, , how], index) => (how === 'whole' ? [index] : []));
  const headings = shown.map(([heading]) => heading);
  const isState = headings.map((heading) => isColoured() && stateHeadings.includes(heading));
  const finish = (text: string, column: number): string =>
    isState[column] === true ? painted(text, colourOf(text)) : text;
  const rows = items.map((item) => shown.map(([, cell]) => cell(item)));
  return table(headings, rows, { whole, finish, ...(wide ? { columns: Number.POSITIVE_INFINITY } : {}) });
};
