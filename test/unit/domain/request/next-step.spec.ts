import { expect, it } from 'vitest';
import type { RequestEvent } from '../../../../src/domain/request/events.ts';
import { nextStep } from '../../../../src/domain/request/next-step.ts';
import {
  completed,
  created,
  duePolicy,
  granted,
  intended,
  knownOf,
  made,
  minute,
  pending,
  refusalOf,
  running,
} from './request-given.ts';

const refusedHere: RequestEvent = {
  type: 'CapacityRefused',
  at: 2,
  clientToken: 'req-1.0',
  refusal: { ...refusalOf(2), tryNextPool: true },
};
const both = granted(running('i-1'), pending('i-2'));

it.each<[string, number, readonly RequestEvent[], string | undefined]>([
  ['waits while a launch may only not be shown yet', minute, [intended()], 'nothing, unless AWS shows a change'],
  [
    'sends a lost launch again',
    3 * minute,
    [intended()],
    'repeat the launch of 2, m5.large in subnet-0; its token keeps anything from being launched twice',
  ],
  ['asks the next pool', 3, [intended(), refusedHere], 'ask the next pool of RunInstances for 2'],
  [
    'ends a search whose time is over',
    30 * minute,
    [intended(), made()],
    'look for machines that EC2Fleet fleet-1 has brought by now, then end its search',
  ],
  [
    'gives up what is late',
    11 * minute,
    [intended(), both],
    'terminate i-2: not usable within 600 s of its launch (AWS_INSTANCE_PENDING_TIMEOUT_SEC)',
  ],
  ['looks while machines start', 3, [intended(), both], 'nothing, unless AWS shows a change'],
  ['does nothing once it is over', 30 * minute, [intended(), both, completed], undefined],
])('%s', (_, now, events, text) => expect(nextStep(knownOf(created, ...events), now, duePolicy)?.text).toBe(text));
