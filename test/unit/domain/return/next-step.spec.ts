import { expect, it } from 'vitest';
import type { ReturnItem } from '../../../../src/domain/return/events.ts';
import { nextReturnStep } from '../../../../src/domain/return/next-step.ts';
import type { KnownReturn } from '../../../../src/domain/return/state.ts';
import { running } from '../request/request-given.ts';

const item = (changes: Partial<ReturnItem>): ReturnItem => ({
  key: 'i-1',
  machineId: 'i-1',
  name: '',
  verdict: 'unseen',
  message: '',
  instanceTags: '',
  ...changes,
});
const last = running('i-1');

it.each<[string, KnownReturn['stage'], ReturnItem, ReturnType<typeof nextReturnStep>]>([
  [
    'asks again for a host that stands',
    'open',
    item({ verdict: 'terminating', last }),
    { do: 'terminate', text: 'terminate i-1' },
  ],
  [
    'waits for one that is going',
    'open',
    item({ verdict: 'terminating', last: { ...last, state: 'shutting-down' } }),
    { do: 'look', text: 'nothing, unless AWS shows a change' },
  ],
  [
    'waits for one that EC2 does not show',
    'open',
    item({}),
    { do: 'look', text: 'nothing, unless AWS shows a change' },
  ],
  ['has nothing to do once it is over', 'settled', item({ verdict: 'gone' }), undefined],
])('a return %s', (_, stage, host, expected) =>
  expect(nextReturnStep({ stage, createdAt: 1, items: new Map([['i-1', host]]) })).toEqual(expected),
);
