import { describe, expect, it } from 'vitest';
import type { MachineState, OwnedObservation } from '../../../../src/domain/machine.ts';
import { decideReturn, judge, type ReturnCommand } from '../../../../src/domain/return/decide.ts';
import { needsTermination } from '../../../../src/domain/return/due.ts';
import type { ReturnEvent, ReturnItem } from '../../../../src/domain/return/events.ts';
import { absentReturn, evolveReturn, type KnownReturn, openItems } from '../../../../src/domain/return/state.ts';

const window = 100;
const time = { now: 1_000_000, consistencyWindow: window };

const item = (machineId: string, changes: Partial<ReturnItem> = {}): ReturnItem => ({
  key: machineId,
  machineId,
  name: `${machineId}.ec2.internal`,
  verdict: 'unseen',
  message: '',
  instanceTags: '',
  ...changes,
});

const seen = (machineId: string, state: MachineState, changes: Partial<OwnedObservation> = {}): OwnedObservation => ({
  machineId,
  state,
  name: state === 'terminated' ? '' : `${machineId}.ec2.internal`,
  privateIpAddress: state === 'terminated' ? '' : '10.0.0.1',
  publicIpAddress: '',
  instanceType: 'm5.large',
  priceType: 'ondemand',
  ours: true,
  requestId: 'req-1',
  instanceTags: 'team=quant',
  ...changes,
});

const fold = (...events: readonly ReturnEvent[]) => events.reduce(evolveReturn, absentReturn);
const known = (...events: readonly ReturnEvent[]): KnownReturn => {
  const state = fold(...events);
  if (state.stage === 'absent') throw new Error('there is no return request');
  return state;
};
const requested = (...items: readonly ReturnItem[]): ReturnEvent => ({ type: 'ReturnRequested', at: 1, items });
const observe = (now: number, ...observations: readonly OwnedObservation[]): ReturnCommand => ({
  type: 'Observe',
  now,
  seen: observations,
  consistencyWindow: window,
});
const stateAfter = (state: ReturnEvent[], ...commands: readonly ReturnCommand[]): KnownReturn => {
  const events = [...state];
  for (const command of commands) events.push(...decideReturn(command, fold(...events)));
  return known(...events);
};

describe('asking for a return', () => {
  const request: ReturnCommand = { type: 'Request', now: 1, items: [item('i-1')] };

  it('records it', () => expect(decideReturn(request, absentReturn)).toEqual([requested(item('i-1'))]));

  it('twice is once', () => expect(decideReturn(request, fold(requested(item('i-1'))))).toEqual([]));

  it('for nothing is complete at once', () =>
    expect(decideReturn({ ...request, items: [] }, absentReturn)).toEqual([
      requested(),
      { type: 'ReturnCompleted', at: 1 },
    ]));

  it('for what is gone already is complete at once', () => {
    const gone = item('i-1', { verdict: 'gone' });
    expect(decideReturn({ ...request, items: [gone] }, absentReturn)).toEqual([
      requested(gone),
      { type: 'ReturnCompleted', at: 1 },
    ]);
  });

  it.each<ReturnCommand>([observe(2, seen('i-1', 'running')), { type: 'Refuse', now: 2, refused: new Map() }])(
    'comes first: before it $type leads to nothing',
    (command) => expect(decideReturn(command, absentReturn)).toEqual([]),
  );

  it('comes first: stray events fold to nothing', () =>
    expect(fold({ type: 'ReturnProgressed', at: 1, items: [item('i-1')] }, { type: 'ReturnCompleted', at: 1 })).toEqual(
      absentReturn,
    ));
});

describe('a look at a host', () => {
  it('without our ownership tag leaves it alone for good', () => {
    const foreign = judge(item('i-1'), seen('i-1', 'running', { ours: false }), time);
    expect(foreign).toMatchObject({ verdict: 'foreign', message: expect.stringContaining('ownership tag') });
    expect(needsTermination(foreign)).toBe(false);
  });

  it.each([
    ['pending', 'terminating', true],
    ['running', 'terminating', true],
    ['stopping', 'terminating', true],
    ['stopped', 'terminating', true],
    ['shutting-down', 'terminating', false],
    ['terminated', 'gone', false],
  ] as const)('in state %s makes it %s, to be asked for: %s', (state, verdict, asks) => {
    const judged = judge(item('i-1'), seen('i-1', state), time);
    expect([judged.verdict, needsTermination(judged)]).toEqual([verdict, asks]);
  });

  it('a machine whose ownership tag is not visible may be ours for a while', () => {
    const untagged = seen('i-1', 'running', { ours: false, launchTime: 1 });
    const judged = (changes: Partial<ReturnItem>, observation: OwnedObservation, now: number) =>
      judge(item('i-1', changes), observation, { now, consistencyWindow: window }).verdict;
    const recorded = { requestId: 'req-1' };
    expect([judged({}, untagged, 1000 + window - 1), judged({}, untagged, 1000 + window)]).toEqual([
      'unseen',
      'foreign',
    ]);
    expect(judged(recorded, untagged, 5000)).toBe('unseen');
    expect(judged({ ...recorded, missedSince: 5000 }, untagged, 5000 + window - 1)).toBe('unseen');
    expect(judged({ ...recorded, missedSince: 5000 }, untagged, 5000 + window)).toBe('foreign');
    expect(judged(recorded, { ...untagged, ofOtherOwner: true }, 1000)).toBe('foreign');
    expect(judge(item('i-1'), untagged, { now: 5000, consistencyWindow: undefined }).verdict).toBe('unseen');
  });

  it('learns who launched it and what tags it carries', () =>
    expect(judge(item('i-1'), seen('i-1', 'running'), time)).toMatchObject({
      requestId: 'req-1',
      instanceTags: 'team=quant',
    }));

  it('keeps the name Host Factory used', () =>
    expect(judge(item('i-1', { name: 'as-asked' }), seen('i-1', 'running'), time).name).toBe('as-asked'));

  it('keeps name and address when EC2 has emptied them', () => {
    const running = judge(item('i-1', { name: '' }), seen('i-1', 'running'), time);
    const gone = judge(running, seen('i-1', 'terminated'), time);
    expect(gone.last).toMatchObject({ state: 'terminated', name: 'i-1.ec2.internal', privateIpAddress: '10.0.0.1' });
  });
});

describe('a return', () => {
  it('runs while EC2 has not confirmed the end, and completes when it has', () => {
    const open = stateAfter(
      [requested(item('i-1'))],
      observe(2, seen('i-1', 'running')),
      observe(3, seen('i-1', 'shutting-down')),
    );
    expect([open.stage, openItems(open).length]).toEqual(['open', 1]);
    const done = stateAfter(
      [requested(item('i-1'))],
      observe(2, seen('i-1', 'running')),
      observe(4, seen('i-1', 'terminated')),
    );
    expect([done.stage, done.settledAt]).toEqual(['settled', 4]);
  });

  it('waits for the last of several', () => {
    const state = stateAfter(
      [requested(item('i-1'), item('i-2'))],
      observe(2, seen('i-1', 'terminated'), seen('i-2', 'running')),
    );
    expect([state.stage, openItems(state).map(({ machineId }) => machineId)]).toEqual(['open', ['i-2']]);
  });

  it('notes a host EC2 does not show, and believes it gone only after the window', () => {
    const miss = [requested(item('i-1'))];
    expect(stateAfter(miss, observe(5)).items.get('i-1')).toMatchObject({ verdict: 'unseen', missedSince: 5 });
    expect(stateAfter(miss, observe(5), observe(5 + window - 1)).stage).toBe('open');
    expect(stateAfter(miss, observe(5), observe(5 + window)).items.get('i-1')).toMatchObject({
      verdict: 'gone',
      message: 'no longer known to EC2',
    });
  });

  it('starts the window anew when the first miss was noted by a clock that was ahead', () => {
    const ahead = stateAfter([requested(item('i-1'))], observe(5 + 10 * window), observe(5));
    expect(ahead.items.get('i-1')).toMatchObject({ verdict: 'unseen', missedSince: 5 });
  });

  it('misses no host at a look whose time is not AWS’s', () => {
    const untimed = (now: number): ReturnCommand => ({
      type: 'Observe',
      now,
      seen: [],
      consistencyWindow: undefined,
    });
    const miss = [requested(item('i-1'))];
    expect(decideReturn(untimed(5), fold(...miss))).toEqual([]);
    expect(stateAfter(miss, observe(5), untimed(5 + 10 * window)).stage).toBe('open');
  });

  it('starts the window anew when EC2 shows the host again', () => {
    const state = stateAfter(
      [requested(item('i-1'))],
      observe(5),
      observe(6, seen('i-1', 'running')),
      observe(5 + window),
    );
    expect(state.items.get('i-1')).toMatchObject({ verdict: 'terminating', missedSince: 5 + window });
  });

  it('records what EC2 refused, and goes on asking', () => {
    const refused = new Map([['i-1', 'OperationNotPermitted']]);
    const state = stateAfter([requested(item('i-1'))], observe(2, seen('i-1', 'running')), {
      type: 'Refuse',
      now: 3,
      refused,
    });
    expect(openItems(state)).toMatchObject([{ message: 'OperationNotPermitted', verdict: 'terminating' }]);
    expect(openItems(state).filter(needsTermination)).toHaveLength(1);
    expect(decideReturn({ type: 'Refuse', now: 4, refused }, state)).toEqual([]);
  });

  it('says why a host is still refused at the next look', () => {
    const refused = new Map([['i-1', 'OperationNotPermitted']]);
    const state = stateAfter(
      [requested(item('i-1'))],
      observe(2, seen('i-1', 'running')),
      { type: 'Refuse', now: 3, refused },
      observe(4, seen('i-1', 'running')),
    );
    expect(state.items.get('i-1')?.message).toBe('OperationNotPermitted');
  });

  it('is told nothing new by the same look again', () => {
    const look = observe(2, seen('i-1', 'running'));
    expect(decideReturn(look, stateAfter([requested(item('i-1'))], look))).toEqual([]);
  });

  it('that is done with changes no more', () => {
    const done = stateAfter([requested(item('i-1'))], observe(2, seen('i-1', 'terminated')));
    expect(decideReturn(observe(3, seen('i-1', 'running')), done)).toEqual([]);
    expect(decideReturn({ type: 'Refuse', now: 3, refused: new Map([['i-1', 'no']]) }, done)).toEqual([]);
  });
});
