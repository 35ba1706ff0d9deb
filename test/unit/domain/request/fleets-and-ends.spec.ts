import { describe, expect, it } from 'vitest';
import type { RequestCommand } from '../../../../src/domain/request/commands.ts';
import type { RequestEvent } from '../../../../src/domain/request/events.ts';
import { fillingResources, liveUnits, missingUnits, targetWithout } from '../../../../src/domain/request/units.ts';
import {
  completed,
  created,
  fleet,
  given,
  granted,
  intended,
  knownOf,
  launchOf,
  made,
  minute,
  observed,
  refusalOf,
  running,
  terminated,
} from './request-given.ts';

const maintained = { ...fleet, refills: true };
const returned: RequestEvent = { type: 'MachinesReturned', at: 4, returnId: 'ret-1', machineIds: ['i-1'] };
describe('the end of a search for capacity', () => {
  const { missing: _told, ...refusal } = refusalOf(2);
  const rest = launchOf(1, 2);
  const end: RequestCommand = { type: 'ChangeResource', now: 5, resourceId: 'fleet-1', stage: 'deleted', refusal };
  const events = [created, intended(), made()];
  const over: RequestEvent = { type: 'ResourceChanged', at: 5, resourceId: 'fleet-1', stage: 'deleted' };
  const short: RequestEvent = { type: 'CapacityRefused', at: 5, clientToken: 'req-1.0', refusal: refusalOf(2) };

  it('that is short is a refusal of what is missing', () =>
    given(...events)
      .when(end)
      .leadsTo(over, short));

  it('with all that was wanted refuses nothing', () =>
    given(...events, granted(running('i-1'), running('i-2')))
      .when(end)
      .leadsTo(over));

  it('asks for the rest elsewhere in the same breath', () =>
    given(...events)
      .when({ ...end, rest })
      .leadsTo(over, short, { type: 'LaunchIntended', at: 5, launch: rest }));

  it('is nothing where the rest is not that much any more', () =>
    given(...events, granted(running('i-1')))
      .when({ ...end, rest })
      .leadsTo());

  it('is nothing where a launch that brings the rest is under way', () =>
    given(...events, intended(1))
      .when({ ...end, rest })
      .leadsTo());

  it('is recorded once', () =>
    given(...events, over)
      .when(end)
      .leadsTo());
});

describe('a fleet or group', () => {
  it('looks for more where AWS goes on doing so after the launch', () =>
    expect([true, false].map((seeks) => fillingResources(knownOf(created, made({ ...fleet, seeks }))).length)).toEqual([
      1, 0,
    ]));

  it('keeps its request open while it looks for more', () => {
    given(created, intended(), made()).when({ type: 'Settle', now: 9 }).leadsTo();
    given(created, intended(), made({ ...fleet, seeks: false }))
      .when({ type: 'Settle', now: 9 })
      .leadsTo(completed);
  });

  it('has a place in the ledger for what it may still bring', () => {
    expect(liveUnits(knownOf(created, intended(), made(), granted(running('i-1'))))).toBe(2);
    expect(liveUnits(knownOf(created, intended(), made({ ...fleet, seeks: false }), granted(running('i-1'))))).toBe(1);
  });

  it('owes again what died and it replaces, and never what was returned', () => {
    const all = [created, intended(), made(maintained), granted(running('i-1'), running('i-2'))];
    expect(missingUnits(knownOf(...all))).toBe(0);
    expect(missingUnits(knownOf(...all, observed(terminated('i-1'))))).toBe(1);
    expect(missingUnits(knownOf(...all, returned, observed(terminated('i-1'))))).toBe(0);
  });

  it('that replaces nothing owes nothing for what died', () =>
    expect(
      missingUnits(
        knownOf(created, intended(), made(), granted(running('i-1'), running('i-2')), observed(terminated('i-1'))),
      ),
    ).toBe(0));

  it('is to hold what stays and what it owes', () => {
    const request = knownOf(created, intended(), made(maintained), granted(running('i-1')));
    const [resource] = request.resources;
    expect(resource && targetWithout(request, resource, new Set(['i-1']))).toEqual({ total: 1, onDemand: 1 });
    expect(resource && targetWithout(request, resource, new Set())).toEqual({ total: 2, onDemand: 2 });
  });

  it('is to hold what stays alone where it looks for nothing, or nothing more is wanted', () => {
    for (const end of [
      { type: 'ResourceChanged', at: 4, resourceId: 'fleet-1', stage: 'holding' },
      { type: 'RequestCancelled', at: 4, reason: 'enough' },
    ] as const) {
      const request = knownOf(created, intended(), made(maintained), granted(running('i-1')), end);
      const [resource] = request.resources;
      expect(resource && targetWithout(request, resource, new Set(['i-1']))).toEqual({ total: 0, onDemand: 0 });
    }
  });
});

describe('a launch', () => {
  it('is not intended for what another under way may bring', () =>
    given(created, intended())
      .when({ type: 'IntendLaunch', now: 2, launch: launchOf(1, 1) })
      .leadsTo());
});

describe('cancelling', () => {
  const cancel = { type: 'Cancel', now: minute, reason: 'enough' } as const;
  const unclaimed = { ...cancel, ifUnclaimed: true } as const;
  const cancelled: RequestEvent = { type: 'RequestCancelled', at: minute, reason: 'enough' };
  const claimed: RequestEvent = { type: 'RequestClaimed', at: 5 };
  const settled = [created, intended(), granted(running('i-1'), running('i-2')), completed];

  it('ends a request that runs, asked about or not', () => {
    given(created).when(cancel).leadsTo(cancelled);
    given(created, claimed).when(cancel).leadsTo(cancelled);
  });

  it('happens once', () => given(created, cancelled).when(cancel).leadsTo());

  it('leaves a request that has settled alone', () =>
    given(...settled)
      .when(cancel)
      .leadsTo());

  it('of a request nobody asked about ends one that has settled as well', () =>
    given(...settled)
      .when(unclaimed)
      .leadsTo(cancelled));

  it.each([
    ['runs', [created]],
    ['has settled', settled],
  ])('for want of an owner is nothing once somebody has asked about it, where it %s', (_, events) =>
    given(...events, claimed)
      .when(unclaimed)
      .leadsTo(),
  );

  it('keeps a request open until its machines have ended', () => {
    const events = [created, intended(), granted(running('i-1'), running('i-2')), cancelled];
    given(...events)
      .when({ type: 'Settle', now: 9 })
      .leadsTo();
    given(...events, observed(terminated('i-1'), terminated('i-2')))
      .when({ type: 'Settle', now: 9 })
      .leadsTo(completed);
  });
});

describe('claiming', () => {
  it('is recorded once, and not of a request that was cancelled', () => {
    const claimed: RequestEvent = { type: 'RequestClaimed', at: 5 };
    given(created).when({ type: 'Claim', now: 5 }).leadsTo(claimed);
    given(created, claimed).when({ type: 'Claim', now: 6 }).leadsTo();
    given(created, { type: 'RequestCancelled', at: 4, reason: 'x' }).when({ type: 'Claim', now: 6 }).leadsTo();
  });
});
