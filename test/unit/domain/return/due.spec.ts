import { describe, expect, it } from 'vitest';
import { due, newReturn, type ReturnLook, type ReturnStep } from '../../../../src/domain/return/due.ts';
import type { ReturnItem } from '../../../../src/domain/return/events.ts';
import type { KnownReturn } from '../../../../src/domain/return/state.ts';

const item = (machineId: string, changes: Partial<ReturnItem>): ReturnItem => ({
  key: machineId,
  machineId,
  name: '',
  verdict: 'unseen',
  message: '',
  instanceTags: '',
  ...changes,
});
const last = (state: 'running' | 'shutting-down') => ({
  machineId: 'i-1',
  state,
  name: '',
  privateIpAddress: '',
  publicIpAddress: '',
  instanceType: 'm5.large',
  priceType: 'ondemand' as const,
});
const known = (stage: KnownReturn['stage'], ...items: readonly ReturnItem[]): KnownReturn => ({
  stage,
  createdAt: 1,
  items: new Map(items.map((each) => [each.key, each])),
});
const standing = item('i-1', { verdict: 'terminating', last: last('running') });
const going = item('i-1', { verdict: 'terminating', last: last('shutting-down') });
const gone = item('i-1', { verdict: 'gone', last: last('shutting-down') });
const foreign = item('i-1', { verdict: 'foreign', last: last('running') });
const unseen = item('i-1', { verdict: 'unseen' });

const knowing = (...items: readonly ReturnItem[]): ReturnLook => ({
  ...newReturn,
  known: new Map(items.map((each) => [each.key, each])),
});

/** All that is done one after the other, where EC2 takes each of its calls. */
const course = (request: KnownReturn, look: ReturnLook): readonly ReturnStep[] => {
  const step = due(request, look);
  if (step === undefined) return [];
  const accepted = step.do === 'terminate' ? step.items : look.accepted;
  return [step, ...course(request, { ...look, accepted, tried: new Set([...look.tried, step.do]) })];
};

describe('what is due about a return', () => {
  it('that is new: its record, before its hosts go, and then a note on their requests', () =>
    expect(course(known('open', standing), newReturn)).toEqual([
      { do: 'record' },
      { do: 'terminate', items: [standing] },
      { do: 'tell-requests', items: [standing] },
    ]));

  it('that the disk does not take: its hosts go all the same, and nothing is noted of it elsewhere', () => {
    const unrecorded = { ...newReturn, isUnrecorded: true, tried: new Set(['record'] as const) };
    expect(course(known('open', standing), unrecorded)).toEqual([{ do: 'terminate', items: [standing] }]);
    expect(course(known('settled', gone), unrecorded)).toEqual([]);
  });

  it('that is over at once: what its hosts leave behind goes now, since nobody asks again', () =>
    expect(course(known('settled', gone), newReturn)).toEqual([
      { do: 'record' },
      { do: 'tell-requests', items: [gone] },
      { do: 'leave', items: [gone] },
    ]));

  it('whose hosts show no tag of ours though a record has them: they are tagged, and nothing else is done to them', () => {
    const untagged = item('i-1', { requestId: 'req-1', isUntagged: true, last: last('running') });
    expect(course(known('open', untagged), knowing(untagged))).toEqual([
      { do: 'record' },
      { do: 'tag', items: [untagged] },
    ]);
  });

  it('whose hosts still stand: EC2 is asked again', () =>
    expect(course(known('open', standing), knowing(standing))).toContainEqual({ do: 'terminate', items: [standing] }));

  it.each([
    ['that EC2 does not show yet', unseen],
    ['that are not ours', foreign],
    ['that are going', going],
  ])('with hosts %s: EC2 is asked for none of them', (_which, host) =>
    expect(course(known('open', host), knowing(unseen)).map((step) => step.do)).not.toContain('terminate'),
  );

  it.each([going, gone, foreign])('notes once what has become of a host: $verdict', (host) => {
    expect(course(known('open', host), knowing(standing))).toContainEqual({ do: 'tell-requests', items: [host] });
    expect(course(known('open', host), knowing(host))).toEqual([{ do: 'record' }]);
  });

  it('that is over: the record comes last, since nobody asks about it afterwards', () =>
    expect(course(known('settled', gone), knowing(standing)).map((step) => step.do)).toEqual([
      'tell-requests',
      'leave',
      'record',
    ]));
});
