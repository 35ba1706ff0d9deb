import { describe, expect, it } from 'vitest';
import { asCount, asList, asObject, asOptionalText, asText } from '../../../src/hostfactory/fields.ts';
import { readHosts } from '../../../src/hostfactory/hosts.ts';

const refusal = (message: string) => expect.objectContaining({ code: 'input.invalid', message });

describe('an object', () => {
  it('is taken as it is', () => expect(asObject({ a: 1 }, 'template')).toEqual({ a: 1 }));

  it.each([
    [undefined, 'it is missing'],
    [null, 'it is null'],
    [[], 'it is an array'],
    ['text', 'it is "text"'],
    [3, 'it is 3'],
  ])('is not %j', (value, why) =>
    expect(() => asObject(value, 'template')).toThrow(refusal(`template must be a JSON object: ${why}`)),
  );
});

describe('a text', () => {
  it('is trimmed', () => expect([asText(' a ', 'x'), asOptionalText(' a ', 'x')]).toEqual(['a', 'a']));

  it.each(['', '  ', undefined, null, 3, {}])('that is needed is not %j', (value) =>
    expect(() => asText(value, 'requestId')).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^requestId must be a non-empty string/) }),
    ),
  );

  it.each([undefined, null, ''])('that is not needed may be %j', (value) =>
    expect(asOptionalText(value, 'x')).toBe(''),
  );

  it.each([3, [], {}])('that is not needed is still not %j', (value) =>
    expect(() => asOptionalText(value, 'name')).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^name must be a string/) }),
    ),
  );
});

describe('a count', () => {
  it.each([1, 10_000])('may be %i', (value) => expect(asCount(value, 'x')).toBe(value));

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '3', true, null, undefined])(
    'is not %j',
    (value) =>
      expect(() => asCount(value, 'template.machineCount')).toThrow(
        expect.objectContaining({
          code: 'input.invalid',
          message: expect.stringMatching(/^template\.machineCount must be a whole number of at least 1/),
        }),
      ),
  );
});

describe('a list', () => {
  it.each([
    [
      [1, 2],
      [1, 2],
    ],
    [[], []],
    [{ a: 1 }, [{ a: 1 }]],
  ])('may be written %j', (value, list) => expect(asList(value, 'requests')).toEqual(list));

  it.each([undefined, null, 'text', 3])('is not %j', (value) =>
    expect(() => asList(value, 'requests')).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^requests must be an array/) }),
    ),
  );
});

describe('hosts', () => {
  it.each([
    ['by name and id', [{ name: 'host-1', machineId: 'i-1' }], { name: 'host-1', machineId: 'i-1' }],
    ['by name', [{ name: 'host-1' }], { name: 'host-1', machineId: '' }],
    ['by id', [{ machineId: 'i-1', name: null }], { name: '', machineId: 'i-1' }],
    ['by a plain name', ['host-1'], { name: 'host-1', machineId: '' }],
    ['as an object', { name: 'host-1', machineId: 'i-1' }, { name: 'host-1', machineId: 'i-1' }],
    ['with more than we know', [{ name: 'host-1', colour: 'red' }], { name: 'host-1', machineId: '' }],
  ])('may be given %s', (_, value, host) => expect(readHosts(value)).toEqual([host]));

  it.each([
    ['nothing', [{}], 'machines[0]'],
    ['empty strings', [{ name: 'a' }, { name: '', machineId: '' }], 'machines[1]'],
    ['an empty name', [''], 'machines[0]'],
    ['a number', [3], 'machines[0]'],
    ['null', [null], 'machines[0]'],
    ['a name that is no text', [{ name: 3 }], 'machines[0].name'],
    ['an id that is no text', [{ machineId: ['i-1'] }], 'machines[0].machineId'],
  ])('may not be %s', (_, value, path) =>
    expect(() => readHosts(value)).toThrow(
      expect.objectContaining({ code: 'input.invalid', message: expect.stringContaining(path) }),
    ),
  );
});
