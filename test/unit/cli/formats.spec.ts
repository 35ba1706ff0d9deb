import { describe, expect, it } from 'vitest';
import { closed } from '../../../src/application/bus/json-schema.ts';
import { colourOf, isColoured, isUnicode, painted } from '../../../src/cli/colour.ts';
import { csvOf, isForPeople, namesOf, recordsOf } from '../../../src/cli/formats.ts';
import { shortMachineIds } from '../../../src/cli/ids.ts';
import { table } from '../../../src/cli/table.ts';
import { yamlOf } from '../../../src/cli/yaml.ts';

const schema = closed(
  {
    id: { type: 'string' },
    note: { type: 'string' },
    counts: closed({ fail: { type: 'integer' } }),
    tags: { type: 'array', items: {} },
  },
  ['note'],
);
const row = (id: string, note?: string) => ({
  id,
  ...(note === undefined ? {} : { note }),
  counts: { fail: 2 },
  tags: ['a', 'b'],
});
const records = (...rows: readonly ReturnType<typeof row>[]) => recordsOf(schema, rows, ({ id }) => id);

describe('rows of an answer', () => {
  it('have as CSV the columns that their schema declares, whatever the rows lack', () => {
    expect(csvOf(records())).toBe('id,note,counts.fail,tags\r');
    expect(csvOf(records(row('x')))).toBe('id,note,counts.fail,tags\r\nx,,2,"[""a"",""b""]"\r');
  });

  it('are quoted by RFC 4180 where a comma, quote or line end is in them', () => {
    expect(csvOf(records(row('a,b', 'say "no"\nor not'))).split('\r\n')[1]).toMatch(/^"a,b","say ""no""\nor not",2,/);
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])(
    'have no text in CSV that a spreadsheet takes for a formula: %j',
    (text) => expect(csvOf(records(row(text))).split('\r\n')[1]).toMatch(/^"?'/),
  );

  it('have numbers in CSV as they are, also negative ones', () =>
    expect(csvOf({ rows: [{}], columns: [['n', () => -2.5]], id: () => '' })).toBe('n\r\n-2.5\r'));

  it('are told by name once each, those without one not at all', () => {
    expect(namesOf(records(row('b'), row('a'), row('b'), row('')))).toBe('b\na');
    expect(namesOf(records())).toBe('');
  });

  it('quote in YAML what older readers would take for a time or a flag', () => {
    expect(yamlOf({ at: '2026-11-28T10:00:00.000Z', on: 'no', text: `long ${'word '.repeat(30)}end` })).toBe(
      `at: "2026-11-28T10:00:00.000Z"\n"on": "no"\ntext: long ${'word '.repeat(30)}end`,
    );
  });

  it('are for people as a table alone', () => {
    expect([{}, { output: 'table' }, { output: 'wide' }].map((each) => isForPeople(Object(each)))).toEqual([
      true,
      true,
      true,
    ]);
    expect([{ json: true }, { output: 'yaml' }, { output: 'name' }].map((each) => isForPeople(Object(each)))).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('a table', () => {
  it('is coloured on a terminal alone, and never where NO_COLOR is set or the terminal is dumb', () => {
    expect(isColoured({ env: {}, isTerminal: true })).toBe(true);
    expect(isColoured({ env: { NO_COLOR: '' }, isTerminal: true })).toBe(true);
    expect(isColoured({ env: {}, isTerminal: false })).toBe(false);
    expect(isColoured({ env: { NO_COLOR: '1' }, isTerminal: true })).toBe(false);
    expect(isColoured({ env: { TERM: 'dumb' }, isTerminal: true })).toBe(false);
  });

  it('is coloured where FORCE_COLOR says so, and not where it is 0; NO_COLOR wins', () => {
    const [on, off] = [{ FORCE_COLOR: '1', TERM: 'dumb' }, { FORCE_COLOR: '0' }];
    expect(isColoured({ env: on, isTerminal: false })).toBe(true);
    expect(isColoured({ env: off, isTerminal: true })).toBe(false);
    expect(isColoured({ env: { FORCE_COLOR: '' }, isTerminal: false })).toBe(false);
    expect(isColoured({ env: { ...on, NO_COLOR: '1' }, isTerminal: true })).toBe(false);
  });

  it.each([
    [{}, true],
    [{ LANG: 'de_DE.UTF-8' }, true],
    [{ LANG: 'C.utf8', LC_ALL: '' }, true],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, false],
    [{ LANG: 'en_US.UTF-8', LC_CTYPE: 'en_US.ISO-8859-1' }, false],
    [{ LANG: 'POSIX' }, false],
    [{ LANG: 'POSIX', LC_ALL: 'en_US.UTF-8' }, true],
  ])('in the locale %j may be drawn with more than ASCII: %s', (env, expected) => {
    expect(isUnicode(env)).toBe(expected);
  });

  it('keeps its columns where words are coloured', () => {
    const finish = (text: string): string => painted(text, colourOf(text));
    const coloured = table(
      ['STATE', 'N'],
      [
        ['fail', '1'],
        ['complete', '2'],
      ],
      { finish },
    );
    expect(coloured).toBe('STATE     N\n\u001b[31mfail\u001b[0m      1\n\u001b[32mcomplete\u001b[0m  2');
  });

  it('shows machines by eight digits, or as many as tell them apart', () => {
    expect(shortMachineIds(['i-0123456789abcdef0', 'i-1123456789abcdef0'])('i-0123456789abcdef0')).toBe('i-01234567');
    expect(shortMachineIds(['i-0123456789abcdef0', 'i-0123456789abcdef1'])('i-0123456789abcdef0')).toBe(
      'i-0123456789abcdef0',
    );
    expect(shortMachineIds([''])('')).toBe('');
  });
});
