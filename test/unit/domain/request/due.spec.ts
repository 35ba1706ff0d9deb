import { describe, it } from 'vitest';
import type { RequestEvent } from '../../../../src/domain/request/events.ts';
import { onDemandTemplate } from '../template/template-fixture.ts';
import {
  completed,
  created,
  fleet,
  given,
  granted,
  intended,
  launchOf,
  lookAt,
  made,
  minute,
  ours,
  pending,
  refusalOf,
  refused,
  running,
  sharedGroup,
  sightOf,
  terminated,
} from './request-given.ts';

const cancelled: RequestEvent = { type: 'RequestCancelled', at: 3, reason: 'nobody asked' };
const returned = (...machineIds: readonly string[]): RequestEvent => ({
  type: 'MachinesReturned',
  at: 4,
  returnId: 'ret-1',
  machineIds,
});
const refusedHere: RequestEvent = {
  type: 'CapacityRefused',
  at: 2,
  clientToken: 'req-1.0',
  refusal: { ...refusalOf(2), tryNextPool: true },
};
const makesFleet: RequestEvent = { type: 'LaunchIntended', at: 1, launch: { ...launchOf(0), makesResource: true } };
const repeated: RequestEvent = { type: 'LaunchRepeated', at: 5 * minute, clientToken: 'req-1.0' };
const heterogeneous = { ...created, template: { ...onDemandTemplate, priceType: 'heterogeneous' as const } };
const maintained = { ...fleet, refills: true };
/** AWS has been asked as often as it ever is. */
const explained: readonly RequestEvent[] = [1, 2, 3, 4].map(() => ({
  type: 'SearchExplained',
  at: 3,
  resourceId: 'fleet-1',
}));
const filling = (resource = fleet): readonly RequestEvent[] => [created, intended(), made(resource), ...explained];
const looksAgain = { do: 'look-again', when: 'before' };
const lost = { sought: new Set(['req-1.0']) };

describe('a launch that was put on record', () => {
  it('is sent by whoever put it there', () =>
    given(created, intended())
      .lookedAt(lookAt(1, { prepared: new Set(['req-1.0']) }))
      .isDue({ do: 'send', launch: launchOf(0) }));

  it('is not sent by a look that did not seek what it brought', () =>
    given(created, intended())
      .lookedAt(lookAt(5 * minute))
      .isDue());
});

describe('a launch whose answer was lost', () => {
  it('rests until EC2 must show what it brought', () =>
    given(created, intended())
      .lookedAt(lookAt(2 * minute, lost))
      .isDue());

  it('is sent again after that', () =>
    given(created, intended())
      .lookedAt(lookAt(2 * minute + 1, lost))
      .isDue({ do: 'resend', launch: launchOf(0), otherwise: [] }));

  it('is not sent again where all of it is there', () =>
    given(created, intended())
      .lookedAt(lookAt(5 * minute, { ...lost, launched: [ours(pending('i-1')), ours(pending('i-2'))] }))
      .isDue());

  it('is sent once more after the deadline: before that its time is that of a clock that may be wrong', () =>
    given(created, intended())
      .lookedAt(lookAt(16 * minute, lost))
      .isDue({ do: 'resend', otherwise: [] }));

  it('is given up after the deadline without another call where it has been sent again', () =>
    given(created, intended(), repeated)
      .lookedAt(lookAt(20 * minute + 1, lost))
      .teaches({ type: 'RecordLaunch', refusal: { code: 'LaunchUnconfirmed' } }, { type: 'Observe' }));

  it('of a fleet is sent again even after the deadline, and given up where that is lost as well', () =>
    given(created, makesFleet, repeated)
      .lookedAt(lookAt(20 * minute + 1, lost))
      .isDue({
        do: 'resend',
        otherwise: [{ type: 'RecordLaunch', refusal: { code: 'LaunchUnconfirmed', missing: 2 } }],
      }));

  it('is not given up by the clock of this host', () =>
    given(created, intended(), repeated)
      .lookedAt(lookAt(21 * minute, { ...lost, isAwsTime: false }))
      .isDue({ do: 'resend', otherwise: [] }));

  it('is given up at once where its request was cancelled', () =>
    given(created, intended(), cancelled)
      .lookedAt(lookAt(5 * minute, lost))
      .isDue());

  it('is sent again at once, even then, where only its answer tells the id of the fleet it made', () =>
    given(created, makesFleet, cancelled).lookedAt(lookAt(2, lost)).isDue({ do: 'resend', otherwise: [] }));

  it.each([
    [1, 10_000],
    [2, 20_000],
    [9, 2 * minute],
  ])('that AWS turned away %i times rests for %i ms', (times, pause) => {
    const turnedAway: RequestEvent = { type: 'LaunchThrottled', at: 1, clientToken: 'req-1.0', times };
    given(created, intended(), turnedAway).lookedAt(lookAt(pause, lost)).isDue();
    given(created, intended(), turnedAway)
      .lookedAt(lookAt(pause + 1, lost))
      .isDue({ do: 'resend' });
  });
});

describe('what one pool did not have', () => {
  it('is asked of the next', () =>
    given(created, intended(), refusedHere)
      .lookedAt(lookAt(3))
      .isDue({ do: 'launch', attempt: 1, api: 'RunInstances', count: 2 }));

  it('is asked of no other where that would not help', () =>
    given(created, intended(), refused(2)).lookedAt(lookAt(3)).isDue());

  it('is not asked for where no pool is left', () =>
    given(created, intended(), refusedHere)
      .lookedAt(lookAt(3, { noPoolLeft: true }))
      .isDue());

  it('is not asked for once nobody waits for it', () =>
    given(created, intended(), refusedHere)
      .lookedAt(lookAt(15 * minute + 3))
      .isDue());

  it('is not asked for where the request was cancelled', () =>
    given(created, intended(), refusedHere, cancelled).lookedAt(lookAt(3)).isDue());
});

describe('machines without our tags', () => {
  const unmarked = { ...ours(running('i-1')), ours: false };

  it('of a fleet that looks for capacity are marked', () =>
    given(...filling())
      .lookedAt(lookAt(3, sightOf({ machineIds: ['i-1'] }), unmarked))
      .isDue({ do: 'tag', resource: fleet, machineIds: ['i-1'] }));

  it('of a group of the administrator’s are marked even after the request has settled', () =>
    given(...filling(sharedGroup), granted(running('i-1')), completed)
      .lookedAt(lookAt(3, {}, unmarked))
      .isDue({ do: 'tag', resource: sharedGroup, machineIds: ['i-1'] }));

  it('that carry another’s tags are left alone', () =>
    given(...filling())
      .lookedAt(lookAt(3, sightOf({ machineIds: ['i-1'] }), { ...unmarked, ofOtherOwner: true }))
      .isDue());

  it('that have ended are left alone', () =>
    given(...filling())
      .lookedAt(lookAt(3, sightOf({ machineIds: ['i-1'] }), { ...unmarked, state: 'terminated' }))
      .isDue());
});

describe('a search for capacity', () => {
  it('goes on while something is missing', () =>
    given(...filling())
      .lookedAt(lookAt(minute, sightOf()))
      .isDue());

  it('ends with what was wanted', () =>
    given(...filling(), granted(running('i-1'), running('i-2')))
      .lookedAt(lookAt(minute, sightOf()))
      .isDue({ do: 'end-search', hold: { total: 2, onDemand: 2 }, isShort: false, mayStay: true }));

  it('ends when its time is over', () =>
    given(...filling(), granted(running('i-1')))
      .lookedAt(lookAt(30 * minute, sightOf()))
      .isDue(looksAgain, { do: 'end-search', hold: { total: 1, onDemand: 1 }, isShort: true, mayStay: true }));

  it('is not over by the clock of this host', () =>
    given(...filling())
      .lookedAt(lookAt(30 * minute, { ...sightOf(), isAwsTime: false }))
      .isDue());

  it('ends where AWS has ended it', () =>
    given(...filling())
      .lookedAt(lookAt(minute, { ...sightOf({ state: 'ended' }), isAwsTime: false }))
      .isDue(looksAgain, { do: 'end-search' }));

  it('ends with its request, and holds nothing then', () =>
    given(...filling(), granted(running('i-1')), cancelled)
      .lookedAt(lookAt(minute, { ...sightOf(), tried: new Set(['terminate']) }))
      .isDue(looksAgain, { do: 'end-search', hold: { total: 0, onDemand: 0 } }));

  it('of a fleet that AWS does not know yet is waited for', () => {
    given(...filling())
      .lookedAt(lookAt(2 * minute + 1, sightOf({ state: 'missing' })))
      .isDue();
    given(...filling())
      .lookedAt(lookAt(2 * minute + 2, sightOf({ state: 'missing' })))
      .isDue(looksAgain, { do: 'end-search' });
  });

  it('for spot turns to on demand a minute before its end, with half of a short time at least', () => {
    const search = (minutes: number) =>
      given(heterogeneous, intended(), made({ ...fleet, expiresAt: 2 + minutes * minute }), ...explained);
    search(30)
      .lookedAt(lookAt(2 + 29 * minute - 1, sightOf()))
      .isDue();
    search(30)
      .lookedAt(lookAt(2 + 29 * minute, sightOf()))
      .isDue(looksAgain, { do: 'end-search' });
    search(1)
      .lookedAt(lookAt(2 + minute / 2 - 1, sightOf()))
      .isDue();
    search(1)
      .lookedAt(lookAt(2 + minute / 2, sightOf()))
      .isDue(looksAgain, { do: 'end-search' });
  });

  it('that AWS does not let us look at is left alone', () =>
    given(...filling(), granted(running('i-1'), running('i-2')))
      .lookedAt(lookAt(minute))
      .isDue());

  it('that is short may stay as it is only once its time is over', () => {
    const search = given(heterogeneous, intended(), made(), ...explained);
    search.lookedAt(lookAt(29.5 * minute, sightOf())).isDue(looksAgain, { do: 'end-search', mayStay: false });
    search.lookedAt(lookAt(30 * minute, sightOf())).isDue(looksAgain, { do: 'end-search', mayStay: true });
  });
});

describe('while a search ends', () => {
  const over = 30 * minute;

  it('waits where AWS does not say what its machines are', () =>
    given(...filling())
      .lookedAt(lookAt(over, { ...sightOf({ unshown: 'unknown' }), tried: new Set(['look-again before fleet-1']) }))
      .isDue());

  it('waits for machines that EC2 does not show yet', () =>
    given(...filling())
      .lookedAt(lookAt(over, { ...sightOf({ unshown: ['i-9'] }), tried: new Set(['look-again before fleet-1']) }))
      .isDue());

  it('takes those that EC2 has not shown for long on record by their ids', () =>
    given(...filling())
      .lookedAt(lookAt(over + 2 * minute, sightOf({ unshown: ['i-9'] })))
      .teaches({ type: 'RecordLaunch', granted: [{ machineId: 'i-9', state: 'pending' }] }, { type: 'Observe' }));

  it('takes nothing on record that EC2 may yet show', () =>
    given(...filling())
      .lookedAt(lookAt(over, sightOf({ unshown: ['i-9'] })))
      .teaches({ type: 'Observe' }));

  it('looks once more for what has arrived in between', () =>
    given(...filling())
      .lookedAt(lookAt(over, sightOf({ ended: { stage: 'deleted' } })))
      .isDue(
        { do: 'look-again', when: 'after' },
        { do: 'close', end: { resourceId: 'fleet-1', stage: 'deleted', refusal: { code: 'Expired' } } },
      ));

  it('has machines that arrive meanwhile adopted', () =>
    given(...filling())
      .lookedAt(lookAt(over, { ...sightOf({ ended: { stage: 'deleted' } }), launched: [ours(running('i-1'))] }))
      .teaches({ type: 'RecordLaunch', clientToken: 'req-1.0', granted: [{ machineId: 'i-1' }] }, { type: 'Observe' }));

  it('tells AWS’s reason for what is missing', () => {
    const why = { code: 'MaxSpotInstanceCountExceeded', fault: 'provider.quota', message: 'too many' } as const;
    given(...filling())
      .lookedAt(lookAt(over, sightOf({ ended: { stage: 'holding', why } })))
      .isDue({ do: 'look-again' }, { do: 'close', end: { stage: 'holding', refusal: why } });
  });

  it('asks for what is missing of a heterogeneous request on demand', () =>
    given(heterogeneous, intended(), made(), granted(running('i-1')))
      .lookedAt(lookAt(over, sightOf({ ended: { stage: 'deleted' } })))
      .isDue(
        { do: 'look-again' },
        { do: 'launch', api: 'EC2Fleet', count: 1, template: { priceType: 'ondemand' }, instead: { stage: 'deleted' } },
      ));

  it('asks for nothing more where the request was cancelled', () =>
    given(heterogeneous, intended(), made(), cancelled)
      .lookedAt(lookAt(over, sightOf({ ended: { stage: 'deleted' } })))
      .isDue({ do: 'look-again' }, { do: 'close' }));
});

describe('the target of a fleet that replaces what it loses', () => {
  const three = { ...created, wanted: 3 };

  it('comes down to what the request holds and is owed', () =>
    given(three, intended(0, 3), made(maintained), granted(running('i-1'), running('i-2')), returned('i-1'))
      .lookedAt(lookAt(minute, sightOf({ target: 3 })))
      .isDue({ do: 'aim', hold: { total: 2, onDemand: 2 } }));

  it('is left alone where it is no more than that', () =>
    given(three, intended(0, 3), made(maintained), granted(running('i-1')), returned('i-1'))
      .lookedAt(lookAt(minute, sightOf({ target: 2 })))
      .isDue());

  it('is left alone where it replaces nothing', () =>
    given(three, intended(0, 3), made(), granted(running('i-1')), returned('i-1'))
      .lookedAt(lookAt(minute, sightOf({ target: 3 })))
      .isDue());
});

describe('a cancelled request', () => {
  const held: RequestEvent = { type: 'ResourceChanged', at: 3, resourceId: 'fleet-1', stage: 'holding' };

  it('has its fleets removed before its machines go', () =>
    given(...filling(), granted(running('i-1')), held, cancelled)
      .lookedAt(lookAt(minute))
      .isDue(
        { do: 'remove', resource: { id: 'fleet-1' } },
        { do: 'terminate', late: ['i-1'], reason: 'Cancelled: nobody asked' },
      ));

  it('never has a group of the administrator’s removed', () =>
    given(...filling({ ...sharedGroup, id: 'fleet-1' }), held, cancelled)
      .lookedAt(lookAt(minute))
      .isDue());
});

describe('a machine that died in a group of the administrator’s', () => {
  const events = [...filling(sharedGroup), granted(running('i-1'), terminated('i-2'))];
  const leaves = { do: 'leave-group', resource: { id: 'group-1' }, machineIds: ['i-2'] };

  it('is taken out of what the group counts, while its request is open and after', () => {
    given(...events)
      .lookedAt(lookAt(minute))
      .isDue(leaves);
    given(...events, completed)
      .lookedAt(lookAt(minute))
      .isDue(leaves);
  });

  it('is taken out once', () =>
    given(...events, { type: 'MachinesLeftGroup', at: 5, machineIds: ['i-2'] })
      .lookedAt(lookAt(minute))
      .isDue());

  it('stays where it was found to be another’s', () =>
    given(...events, { type: 'MachinesDisowned', at: 5, machineIds: ['i-2'], reason: 'foreign' })
      .lookedAt(lookAt(minute))
      .isDue());

  it('is nobody’s business in a group of ours, which replaces nothing', () =>
    given(...filling(), granted(running('i-1'), terminated('i-2')))
      .lookedAt(lookAt(minute))
      .isDue());

  it('may just have stopped: then it is for the sweep to end', () =>
    given(...filling(sharedGroup), granted(running('i-1'), { ...running('i-2'), state: 'stopped' }))
      .lookedAt(lookAt(minute))
      .isDue());
});

it('a machine that has stopped is marked still, or no sweep would find it', () => {
  const stopped = { ...running('i-1'), state: 'stopped' } as const;
  const unmarked = { ...ours(stopped), ours: false };
  given(...filling(sharedGroup), granted(stopped), completed)
    .lookedAt(lookAt(minute, {}, unmarked))
    .isDue({ do: 'tag', resource: { id: 'group-1' }, machineIds: ['i-1'] });
});

describe('the search of a group of the administrator’s that ended short', () => {
  it('is not left to itself, however late: the group would go on launching', () =>
    given(...filling(sharedGroup), granted(running('i-1')))
      .lookedAt(lookAt(31 * minute, sightOf({}, 'group-1')))
      .isDue({ do: 'look-again', when: 'before' }, { do: 'end-search', isShort: true, mayStay: false }));
});

describe('a host that does not become usable', () => {
  const events = [created, intended(), granted(pending('i-1'), running('i-2'))];

  it('is given up and terminated', () =>
    given(...events)
      .lookedAt(lookAt(10 * minute + 1))
      .isDue({ do: 'terminate', machines: [{ machineId: 'i-1' }], late: ['i-1'] }));

  it('is waited for until then', () =>
    given(...events)
      .lookedAt(lookAt(10 * minute))
      .isDue());

  it('is not given up by the clock of this host', () =>
    given(...events)
      .lookedAt(lookAt(11 * minute, { isAwsTime: false }))
      .isDue());

  it('is not given up while EC2 does not show it', () =>
    given(...events, { type: 'MachinesMissed', at: 9 * minute, machineIds: ['i-1'] })
      .lookedAt(lookAt(11 * minute))
      .isDue());

  it('is asked for again until EC2 shows its end', () => {
    const late: RequestEvent = { type: 'MachinesGivenUp', at: 5, machineIds: ['i-1'], reason: 'late' };
    given(...events, late)
      .lookedAt(lookAt(11 * minute))
      .isDue({ do: 'terminate', machines: [{ machineId: 'i-1' }], late: [] });
    given(...events, late, { type: 'MachinesObserved', at: 6, machines: [terminated('i-1')] })
      .lookedAt(lookAt(11 * minute))
      .isDue();
  });

  it('is left alone once it is known to be another’s', () =>
    given(
      ...events,
      { type: 'MachinesGivenUp', at: 5, machineIds: ['i-1'], reason: 'late' },
      { type: 'MachinesDisowned', at: 6, machineIds: ['i-1'], reason: 'foreign' },
    )
      .lookedAt(lookAt(11 * minute))
      .isDue());
});

describe('a host that has become usable', () => {
  const events = [created, intended(), granted(running('i-1'), pending('i-2'))];
  const before = new Map([['i-1', pending('i-1')]]);

  it('is tagged with its own id, where that is configured', () => {
    given(...events)
      .lookedAt(lookAt(4, { known: before }), { tagInstanceId: true })
      .isDue({ do: 'tag-with-id', machineIds: ['i-1'] });
    given(...events)
      .lookedAt(lookAt(4, { known: before }))
      .isDue();
  });

  it('is tagged once', () =>
    given(...events)
      .lookedAt(lookAt(4, { known: new Map([['i-1', running('i-1')]]) }), { tagInstanceId: true })
      .isDue());
});

describe('why a search finds no more', () => {
  it('is asked of AWS when it is two minutes old', () => {
    given(created, intended(), made())
      .lookedAt(lookAt(2 * minute + 1, sightOf()))
      .isDue();
    given(created, intended(), made())
      .lookedAt(lookAt(2 * minute + 2, sightOf()))
      .isDue({ do: 'explain', resource: fleet });
  });

  it('is asked once of a look, and not of a search that has ended', () =>
    given(created, intended(), made())
      .lookedAt(lookAt(3 * minute, sightOf({ ended: { stage: 'deleted' } })))
      .isDue({ do: 'look-again' }, { do: 'close' }));

  it('is not asked where it has just found some', () =>
    given(created, intended(), made(), granted(running('i-1')))
      .lookedAt(lookAt(3 * minute, sightOf()))
      .isDue());

  it('is not asked by the clock of this host', () =>
    given(created, intended(), made())
      .lookedAt(lookAt(3 * minute, { ...sightOf(), isAwsTime: false }))
      .isDue());
});

describe('what a look tells', () => {
  it('of a launch is that all of it is there', () =>
    given(created, intended())
      .lookedAt(lookAt(3, { ...lost, launched: [ours(pending('i-1')), ours(pending('i-2'))] }))
      .teaches({ type: 'RecordLaunch', granted: [{ machineId: 'i-1' }, { machineId: 'i-2' }] }, { type: 'Observe' }));

  it('is nothing of machines with another’s tags', () =>
    given(created, intended(), made())
      .lookedAt(
        lookAt(3, sightOf({ machineIds: ['i-1'] }), { ...ours(running('i-1')), ours: false, ofOtherOwner: true }),
      )
      .teaches({ type: 'Observe' }));
});
