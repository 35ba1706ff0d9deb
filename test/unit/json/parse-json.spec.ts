import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/json/parse-json.ts';

describe('parsing JSON', () => {
  it.each([
    ['{"a":1}', { a: 1 }],
    ['\uFEFF{"a":1}', { a: 1 }],
    ['\t{\n\t\t"a" :   1\n}\n\n  ', { a: 1 }],
    ['[]', []],
    ['null', null],
    ['{"a":1,}', { a: 1 }],
    ['{"a": 1 // why\n}', { a: 1 }],
  ])('takes %j', async (text, value) => expect(await parseJson(text)).toEqual(value));

  it.each([
    ['{\n  "a": 1\n  "b": 2\n}', 'line 3, column 3 (CommaExpected)'],
    ['{"a": tru}', 'line 1, column 7 (InvalidSymbol)'],
    ['{"a": 1 // why', 'line 1, column 15 (CloseBraceExpected)'],
    ['{"a": [1, 2', 'line 1, column 12 (CloseBracketExpected)'],
    ['\uFEFF{,}', 'line 1, column 2'],
  ])('says where %j stops being JSON', async (text, place) =>
    expect(parseJson(text)).rejects.toMatchObject({
      name: 'JsonSyntaxError',
      message: expect.stringContaining(`not JSON: ${place}`),
    }),
  );

  it('says that a text is nested too deeply', async () =>
    expect(parseJson('['.repeat(1_000_000))).rejects.toThrow('not JSON: it is nested too deeply'));

  it.each(['', ' \n\t', '\uFEFF'])('says that %j is empty', async (text) =>
    expect(parseJson(text)).rejects.toThrow('not JSON: it is empty'),
  );
});
