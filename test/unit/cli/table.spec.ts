import { describe, expect, it } from 'vitest';
import { fieldTable, fold, table } from '../../../src/cli/table.ts';

describe('fold', () => {
  it('breaks between words where the terminal ends, and goes on further right', () => {
    expect(fold('ok      one two three', 8, 14)).toBe('ok      one\n        two\n        three');
  });
  it('leaves what fits, what has no blank, and everything where there is no terminal', () => {
    expect(fold('short', 2, 10)).toBe('short');
    expect(fold('/a/path/longer/than/the/line', 2, 10)).toBe('/a/path/longer/than/the/line');
    expect(fold('      /a/path/longer/than/the/line and more', 6, 10)).toBe(
      '      /a/path/longer/than/the/line\n      and\n      more',
    );
    expect(fold('one two three', 2)).toBe('one two three');
  });
});

describe('table', () => {
  const rows = [['req-1', 'running', 'why not']];
  it('has columns as wide as their widest cell', () => {
    expect(table(['ID', 'STATE', 'WHY'], rows)).toBe('ID     STATE    WHY\nreq-1  running  why not');
  });
  it('cuts the widest cells where the terminal ends, and never what must be whole', () => {
    const long = [
      ['i-0123456789abcdef0', 'a-very-long-template-name', 'why not'],
      ['i-1', 'b', 'c'],
    ];
    expect(table(['ID', 'TEMPLATE', 'WHY'], long, { columns: 40, whole: [0] })).toBe(
      [
        'ID                   TEMPLATE    WHY',
        'i-0123456789abcdef0  a-very-lo…  why not',
        'i-1                  b           c',
      ].join('\n'),
    );
    const lines = table(['ID', 'TEMPLATE', 'WHY'], long, { columns: 30 }).split('\n');
    expect(lines.map((line) => line.length <= 30)).toEqual([true, true, true]);
  });
  it('is wider than the terminal rather than unreadable', () => {
    expect(table(['ID', 'STATE', 'WHY'], rows, { columns: 12 })).toBe('ID     STATE    WHY\nreq-1  running  why not');
  });
});

describe('fieldTable', () => {
  it('goes on below where a value is longer than the terminal', () => {
    expect(fieldTable({ id: 'i-1', tags: [['a', 'b']], why: 'one two three' }, 16)).toBe(
      ['FIELD  VALUE', 'id     i-1', 'tags   [ [ "a",', '       "b" ] ]', 'why    one two', '       three'].join('\n'),
    );
  });
});
