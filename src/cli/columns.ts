import type { CommonOptions } from './context.ts';
import { table } from './table.ts';

/** A column of a table: its heading, its cell, and whether it is only shown by --wide, or is never cut. */
export type Column<T> = readonly [heading: string, cell: (item: T) => string, how?: 'wide' | 'whole'];

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
  const rows = items.map((item) => shown.map(([, cell]) => cell(item)));
  return table(
    shown.map(([heading]) => heading),
    rows,
    { whole, ...(wide ? { columns: Number.POSITIVE_INFINITY } : {}) },
  );
};
