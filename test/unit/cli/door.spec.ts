import { describe, expect, it } from 'vitest';
import { fold, table } from '../../../src/cli/door.ts';

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
  it('goes on in a line below on a narrow terminal', () => {
    expect(table(['ID', 'STATE', 'WHY'], rows, 18)).toBe('ID     STATE\n    WHY\nreq-1  running\n    why not');
    expect(table(['ID', 'STATE', 'WHY'], rows, 12)).toBe('ID\n    STATE\n    WHY\nreq-1\n    running\n    why not');
    expect(table(['ID', 'WHY'], [...rows, ['r', 'no']], 10)).toBe('ID     WHY\nreq-1\n    running\nr      no');
  });
});
