import { expect, it } from 'vitest';
import { table } from '../../../src/cli/table.ts';
import { visible, visibleLines } from '../../../src/cli/visible.ts';

const colour = '\u001b[31mred\u001b[0m';
const title = '\u001b]0;owned\u0007';

it('control characters of others are written out, and reach no terminal', () => {
  expect(visible(`a${title}b\nc\u009b`)).toBe('a\\u001b]0;owned\\u0007b\\u000ac\\u009b');
  expect(visibleLines(`a${title}b\u009b1m`)).toBe('a\\u001b]0;owned\\u0007b\\u009b1m');
  expect(visibleLines('a\rb')).toBe('a\\u000db');
});

it('lines, tabs and our own colours stay as they are', () => {
  const text = `one\ttwo\r\n${colour}\n`;
  expect(visibleLines(text)).toBe(text);
  expect(visibleLines('a,b\r\n1,2\r')).toBe('a,b\r\n1,2\r');
});

it('a cell of a table cannot even have a colour of its own', () =>
  expect(table(['NAME'], [[colour]], { columns: 80 })).toBe('NAME\n\\u001b[31mred\\u001b[0m'));
