import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, it } from 'vitest';
import { handedOnInEach } from '../../../../src/application/life-cycle/handed-on.ts';

const stream = { version: 1, events: [] };

it('what a command of one call has read is for that call alone, once, and outside of calls nothing is handed on', () => {
  const calls = new AsyncLocalStorage<object>();
  const { keep, take } = handedOnInEach(() => calls.getStore());
  const [one, other] = [{}, {}];
  calls.run(one, () => keep('req-1', stream));
  keep('req-2', stream);
  expect([take('req-1'), take('req-2')]).toEqual([undefined, undefined]);
  expect(calls.run(other, () => take('req-1'))).toBeUndefined();
  expect(calls.run(one, () => [take('req-1'), take('req-1')])).toEqual([stream, undefined]);
});
