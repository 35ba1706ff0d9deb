import { describe, expect, it } from 'vitest';
import { excerpt, hasCode, isPluginError, messageOf, PluginError } from '../../../src/domain/errors.ts';

describe('a plug-in error', () => {
  it('is known by its shape, also when another bundle’s class made it', () => {
    const foreign = Object.assign(new Error('full'), { name: 'PluginError', code: 'storage.unwritable' });
    expect([isPluginError(foreign), hasCode(foreign, 'storage.unwritable')]).toEqual([true, true]);
  });

  it.each([new Error('plain'), Object.assign(new Error('node'), { code: 'ENOENT' }), 'text', undefined, null])(
    'is not %o',
    (error) => expect(isPluginError(error)).toBe(false),
  );

  it('keeps AWS’s words apart from our code', () => {
    const cause = new Error('why');
    const aws = { code: 'VcpuLimitExceeded', action: 'RunInstances' };
    expect(new PluginError('provider.quota', 'no', { aws, cause })).toMatchObject({
      code: 'provider.quota',
      aws,
      cause,
    });
  });

  it.each([
    ['storage.conflict', true],
    ['provider.capacity', true],
    ['provider.throttled', true],
    ['provider.transient', true],
    ['provider.unreachable', true],
    ['provider.quota', false],
    ['provider.denied', false],
    ['template.not-found', false],
    ['input.invalid', false],
    ['storage.unreadable', false],
  ] as const)('%s may be tried again: %s', (code, retryable) =>
    expect(new PluginError(code, 'text').retryable).toBe(retryable),
  );
});

it.each([
  [new Error('broken'), 'broken'],
  ['thrown text', 'thrown text'],
  [undefined, 'undefined'],
])('the text for people of %o is %j', (thrown, text) => expect(messageOf(thrown)).toBe(text));

it('of what others wrote a message quotes the beginning', () => {
  expect(excerpt('a'.repeat(200))).toBe('a'.repeat(200));
  expect(excerpt('a'.repeat(1_000_000))).toBe(`${'a'.repeat(200)}…`);
});
