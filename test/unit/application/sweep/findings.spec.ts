import { describe, expect, it } from 'vitest';
import { type Found, findingsOf } from '../../../../src/application/sweep/findings.ts';
import type { Owned } from '../../../../src/application/sweep/orphans.ts';
import type { RequestEvent } from '../../../../src/domain/request/events.ts';
import { absentRequest } from '../../../../src/domain/request/state.ts';
import {
  completed,
  created,
  granted,
  intended,
  knownOf,
  made,
  minute,
  running,
  sharedGroup,
  terminated,
} from '../../domain/request/request-given.ts';

const now = 100 * minute;
const policy = { unclaimed: 60 * minute, orphanAge: 15 * minute };
const instance: Owned = {
  kind: 'instance',
  id: 'i-1',
  name: 'host-1',
  requestId: 'req-1',
  ofOtherStore: false,
  madeAt: 0,
};
const settled = [created, intended(), granted(running('i-1'), running('i-2')), completed];
const claimed: RequestEvent = { type: 'RequestClaimed', at: 5 };

/** What a look shows: by default the request is not on record and nothing was seen before. */
const found = (changes: Partial<Found>): Found => ({
  now,
  claims: [],
  owned: [],
  requests: new Map([['req-1', absentRequest]]),
  openReturns: new Set(),
  seenBefore: new Map(),
  warnings: [],
  ...changes,
});
const verdicts = (changes: Partial<Found>, held: Parameters<typeof findingsOf>[1] = []) =>
  findingsOf(found(changes), held, policy).findings.map(({ id, verdict }) => `${id}: ${verdict}`);

describe('an instance that no request knows', () => {
  const seenAt = (since: number) => ({ owned: [instance], seenBefore: new Map([['i-1', since]]) });

  it('waits when it is seen for the first time, however old it is', () =>
    expect(verdicts({ owned: [instance] })).toEqual(['i-1: wait']));

  it('is released when an earlier sweep saw it so long ago', () => {
    expect(verdicts(seenAt(now - 15 * minute + 1))).toEqual(['i-1: wait']);
    expect(verdicts(seenAt(now - 15 * minute))).toEqual(['i-1: release']);
  });

  it('waits as long from its launch, where that was noted as seen before it was made', () => {
    const made = (madeAt: number) => verdicts({ ...seenAt(now - 60 * minute), owned: [{ ...instance, madeAt }] });
    expect(made(now - 15 * minute + 1)).toEqual(['i-1: wait']);
    expect(made(now - 15 * minute)).toEqual(['i-1: release']);
  });

  it('is left alone where its record cannot be read, and where another installation launched it', () => {
    expect(verdicts({ owned: [instance], requests: new Map([['req-1', undefined]]) })).toEqual(['i-1: leave']);
    expect(verdicts({ owned: [{ ...instance, ofOtherStore: true }] })).toEqual(['i-1: leave']);
  });

  it.each([
    { machineId: 'i-1', name: '' },
    { machineId: '', name: 'host-1' },
  ])('is none where the caller holds it: %j', (host) => expect(verdicts({ owned: [instance] }, [host])).toEqual([]));

  it('is not judged while AWS does not tell the time', () =>
    expect(verdicts({ owned: [instance], now: undefined })).toEqual([]));
});

describe('a request nobody asked about', () => {
  const requests = (...events: readonly RequestEvent[]) => ({ requests: new Map([['req-1', knownOf(...events)]]) });
  const before = { seenBefore: new Map([['req-1', now - 15 * minute]]) };

  it('is released when a later sweep finds it so again, running or settled', () => {
    expect(verdicts(requests(...settled))).toEqual(['req-1: wait']);
    expect(verdicts({ ...requests(...settled), ...before })).toEqual(['req-1: release']);
    expect(verdicts({ ...requests(created), ...before })).toEqual(['req-1: release']);
  });

  it('is none once somebody has', () => expect(verdicts({ ...requests(...settled, claimed), ...before })).toEqual([]));

  it('is known where the caller holds a machine of it', () =>
    expect(
      findingsOf(found({ ...requests(...settled), ...before }), [{ machineId: 'i-2', name: '' }], policy),
    ).toMatchObject({ findings: [], known: ['req-1'] }));

  it('is followed up where it was cancelled and still holds something', () =>
    expect(
      findingsOf(found(requests(created, { type: 'RequestCancelled', at: 5, reason: 'x' })), [], policy),
    ).toMatchObject({ unfinished: ['req-1'] }));

  it('is followed up where a group of the administrator’s still counts a machine of it that died', () => {
    const inGroup = requests(created, made(sharedGroup), granted(terminated('i-1')), completed);
    expect(findingsOf(found(inGroup), [], policy)).toMatchObject({ unfinished: ['req-1'] });
    expect(findingsOf(found(requests(...settled)), [], policy)).toMatchObject({ unfinished: [] });
  });
});
