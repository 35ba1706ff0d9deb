import { describe, expect, it } from 'vitest';
import type { RequestCommand } from '../../../../src/domain/request/commands.ts';
import { liveMachines, liveUnits, unresolvedLaunches } from '../../../../src/domain/request/units.ts';
import { onDemandTemplate } from '../template/template-fixture.ts';
import {
  completed,
  created,
  foldOf,
  given,
  granted,
  intended,
  knownOf,
  launchOf,
  observed,
  pending,
  refusalOf,
  refused,
  running,
  terminated,
} from './request-given.ts';

const window = 100;
const create: RequestCommand = {
  type: 'Create',
  now: 0,
  template: onDemandTemplate,
  providerApi: 'RunInstances',
  wanted: 2,
  attributes: {},
};
const observe = (now: number, seen: readonly ReturnType<typeof pending>[], ...asked: string[]): RequestCommand => ({
  type: 'Observe',
  now,
  asked,
  seen,
  consistencyWindow: window,
});

describe('creating', () => {
  it('begins the request', () => given().when(create).leadsTo(created));

  it('of what exists already does nothing', () => given(created).when(create).leadsTo());

  it.each<RequestCommand>([
    { type: 'IntendLaunch', now: 1, launch: launchOf(0) },
    { type: 'RecordLaunch', now: 1, clientToken: 'req-1.0', granted: [running('i-1')] },
    observe(1, [running('i-1')], 'i-1'),
    { type: 'GiveUp', now: 1, machineIds: ['i-1'], reason: 'late' },
    { type: 'ReportStatus', now: 1, machineId: 'i-1', status: 'stopped', metadata: {} },
    { type: 'MarkReturned', now: 1, returnId: 'ret-1', machineIds: ['i-1'] },
    { type: 'Settle', now: 1 },
  ])('comes first: before it $type leads to nothing', (command) => given().when(command).leadsTo());

  it.each([granted(running('i-1')), completed, intended()])('comes first: a stray $type folds to nothing', (event) =>
    expect(foldOf(event)).toEqual({ stage: 'absent' }),
  );

  it('twice on a stream keeps the first', () =>
    expect(foldOf(created, { ...created, wanted: 9 })).toEqual(foldOf(created)));
});

describe('a launch', () => {
  it('is not intended any more once the request has settled', () => {
    given(created, intended(), refused(2), completed)
      .when({ type: 'IntendLaunch', now: 9, launch: launchOf(1) })
      .leadsTo();
  });

  it('is intended once per client token', () => {
    given(created)
      .when({ type: 'IntendLaunch', now: 1, launch: launchOf(0) })
      .leadsTo(intended());
    given(created, intended())
      .when({ type: 'IntendLaunch', now: 5, launch: launchOf(0) })
      .leadsTo();
  });

  it('is unresolved until its outcome is on record', () => {
    expect(unresolvedLaunches(knownOf(created, intended()))).toMatchObject([{ clientToken: 'req-1.0', sentAt: 1 }]);
    expect(unresolvedLaunches(knownOf(created, intended(), granted(pending('i-1'))))).toEqual([]);
    expect(unresolvedLaunches(knownOf(created, intended(), refused(2)))).toEqual([]);
  });

  it('that is sent again is dated anew and stays unresolved', () => {
    const repeated = { type: 'LaunchRepeated', at: 50, clientToken: 'req-1.0' } as const;
    given(created, intended()).when({ type: 'RepeatLaunch', now: 50, clientToken: 'req-1.0' }).leadsTo(repeated);
    expect(unresolvedLaunches(knownOf(created, intended(), repeated))).toMatchObject([{ sentAt: 50 }]);
  });

  it('that AWS turned away is dated anew and stays unresolved; sent again, it is a launch like any other', () => {
    const turnedAway = { type: 'LaunchThrottled', at: 40, clientToken: 'req-1.0', times: 2 } as const;
    expect(unresolvedLaunches(knownOf(created, intended(), turnedAway))).toMatchObject([{ sentAt: 40, throttled: 2 }]);
    const again = { type: 'LaunchRepeated', at: 50, clientToken: 'req-1.0' } as const;
    expect(unresolvedLaunches(knownOf(created, intended(), turnedAway, again))[0]).not.toHaveProperty('throttled');
  });

  it('that got all is a grant', () =>
    given(created, intended())
      .when({ type: 'RecordLaunch', now: 2, clientToken: 'req-1.0', granted: [pending('i-1'), pending('i-2')] })
      .leadsTo(granted(pending('i-1'), pending('i-2'))));

  it('that got part is a grant and a refusal', () =>
    given(created, intended())
      .when({
        type: 'RecordLaunch',
        now: 2,
        clientToken: 'req-1.0',
        granted: [pending('i-1')],
        refusal: refusalOf(1),
      })
      .leadsTo(granted(pending('i-1')), refused(1)));

  it('that got nothing is a refusal', () =>
    given(created, intended())
      .when({ type: 'RecordLaunch', now: 2, clientToken: 'req-1.0', granted: [], refusal: refusalOf(2) })
      .leadsTo(refused(2)));

  it('adds no machine twice and no refusal after it is resolved', () =>
    given(created, intended(), granted(pending('i-1')))
      .when({
        type: 'RecordLaunch',
        now: 5,
        clientToken: 'req-1.0',
        granted: [pending('i-1')],
        refusal: refusalOf(1),
      })
      .leadsTo());

  it('given up and turned up late is granted after all and opens the request again', () => {
    const late: RequestCommand = { type: 'RecordLaunch', now: 2, clientToken: 'req-1.0', granted: [pending('i-9')] };
    given(created, intended(), refused(2), completed)
      .when(late)
      .leadsTo(granted(pending('i-9')));
    const reopened = knownOf(created, intended(), refused(2), completed, granted(pending('i-9')));
    expect([reopened.stage, [...reopened.machines.keys()]]).toEqual(['open', ['i-9']]);
  });
});

describe('a look at EC2', () => {
  const launched = [created, intended(), granted(pending('i-1'), pending('i-2'))] as const;

  it('records what changed and nothing else', () =>
    given(...launched)
      .when(observe(3, [running('i-1'), pending('i-2')], 'i-1', 'i-2'))
      .leadsTo(observed(running('i-1'))));

  it('that shows nothing new records nothing', () =>
    given(...launched)
      .when(observe(3, [pending('i-1'), pending('i-2')], 'i-1', 'i-2'))
      .leadsTo());

  it('ignores machines of others', () =>
    given(...launched)
      .when(observe(3, [running('i-7')], 'i-7'))
      .leadsTo());

  it('notes the first miss and believes nothing yet', () =>
    given(...launched)
      .when(observe(3, [pending('i-2')], 'i-1', 'i-2'))
      .leadsTo({ type: 'MachinesMissed', at: 3, machineIds: ['i-1'] }));

  const missedAt = (at: number) => ({ type: 'MachinesMissed', at, machineIds: ['i-1'] }) as const;

  it.each([4, 3 + window - 1])('that misses a machine again at %i, within the window, changes nothing', (now) =>
    given(...launched, missedAt(3))
      .when(observe(now, [], 'i-1'))
      .leadsTo(),
  );

  it('that misses a machine again after the window declares it gone and says why', () => {
    const gone = {
      ...pending('i-1'),
      state: 'terminated',
      reason: 'Client.InstanceUnknown: no longer known to EC2',
    } as const;
    given(...launched, missedAt(3))
      .when(observe(3 + window, [], 'i-1'))
      .leadsTo({ type: 'MachinesObserved', at: 3 + window, machines: [gone] });
  });

  it('that misses a machine whose first miss lies ahead notes it anew', () => {
    given(...launched, missedAt(3 + 10 * window))
      .when(observe(3, [], 'i-1'))
      .leadsTo(missedAt(3));
    expect(knownOf(...launched, missedAt(3 + 10 * window), missedAt(3)).machines.get('i-1')?.missedSince).toBe(3);
  });

  it.each([3, 3 + 10 * window])('whose time %i is not AWS’s misses no machine', (now) =>
    given(...launched, missedAt(3))
      .when({ type: 'Observe', now, asked: ['i-1', 'i-2'], seen: [running('i-2')], consistencyWindow: undefined })
      .leadsTo({ type: 'MachinesObserved', at: now, machines: [running('i-2')] }),
  );

  it('counts the window from the launch where that is later than the first miss', () => {
    const young = { ...pending('i-1'), launchTime: 1 };
    given(created, intended(), granted(young), missedAt(3))
      .when(observe(3 + window, [], 'i-1'))
      .leadsTo();
  });

  it('does not declare gone again what has ended', () =>
    given(...launched, observed(terminated('i-1')), missedAt(3))
      .when(observe(3 + window, [], 'i-1'))
      .leadsTo());

  it('that finds a missed machine starts the window anew', () => {
    const found = knownOf(...launched, missedAt(3), observed(pending('i-1')));
    expect(found.machines.get('i-1')).toEqual(pending('i-1'));
    given(...launched, missedAt(3))
      .when(observe(3, [pending('i-1')], 'i-1'))
      .leadsTo(observed(pending('i-1')));
  });

  it('keeps the first miss when a later one is folded', () =>
    expect(knownOf(...launched, missedAt(3), missedAt(50)).machines.get('i-1')?.missedSince).toBe(3));

  it('of a terminated machine keeps the name, addresses and launch time Host Factory knows it by', () => {
    const known = { ...running('i-1'), publicIpAddress: '54.0.0.1', launchTime: 77 };
    const { launchTime: _forgotten, ...ended } = { ...terminated('i-1'), reason: 'Client.UserInitiatedShutdown' };
    const { machines } = knownOf(created, granted(known), observed(ended));
    expect(machines.get('i-1')).toEqual({ ...known, state: 'terminated', reason: 'Client.UserInitiatedShutdown' });
  });
});

describe('settling', () => {
  const settle: RequestCommand = { type: 'Settle', now: 9 };
  const named = { ...running('i-1'), privateIpAddress: '' };

  it.each([
    ['all machines are usable', [granted(running('i-1'), running('i-2'))]],
    ['one is usable and one is lost', [granted(running('i-1'), terminated('i-2'))]],
    ['one is usable and the rest was refused', [granted(running('i-1')), refused(1)]],
    ['all are lost', [granted(terminated('i-1'), terminated('i-2'))]],
    ['nothing was to be had', [refused(2)]],
    ['a host is stopped, for that is no use either', [granted({ ...running('i-1'), state: 'stopped' })]],
  ])('follows when %s', (_, events) =>
    given(created, intended(), ...events)
      .when(settle)
      .leadsTo(completed),
  );

  it.each([
    ['a launch is unresolved', []],
    ['a machine is pending', [granted(running('i-1'), pending('i-2'))]],
    ['a running machine has no address yet', [granted(named)]],
    ['a running machine has no name yet', [granted({ ...running('i-1'), name: '' })]],
    [
      'a machine we gave up still stands',
      [granted(pending('i-1')), { type: 'MachinesGivenUp', at: 3, machineIds: ['i-1'], reason: 'late' } as const],
    ],
  ])('does not follow while %s', (_, events) =>
    given(created, intended(), ...events)
      .when(settle)
      .leadsTo(),
  );

  it('happens once', () =>
    given(created, intended(), granted(running('i-1')), completed)
      .when(settle)
      .leadsTo());

  it('keeps the machines as they stood, whatever becomes of them', () => {
    const settled = knownOf(created, intended(), granted(running('i-1')), completed, observed(terminated('i-1')));
    expect([settled.settledMachines?.get('i-1')?.state, settled.machines.get('i-1')?.state, settled.settledAt]).toEqual(
      ['running', 'terminated', 9],
    );
  });
});

describe('giving up', () => {
  const giveUp: RequestCommand = { type: 'GiveUp', now: 4, machineIds: ['i-1'], reason: 'late' };
  const gaveUp = { type: 'MachinesGivenUp', at: 4, machineIds: ['i-1'], reason: 'late' } as const;

  it('is recorded with its reason', () => {
    given(created, intended(), granted(pending('i-1')))
      .when(giveUp)
      .leadsTo(gaveUp);
    expect(knownOf(created, granted(pending('i-1')), gaveUp).machines.get('i-1')?.givenUp).toBe('late');
  });

  it('of nobody is nothing', () =>
    given(created, granted(pending('i-1')))
      .when({ ...giveUp, machineIds: [] })
      .leadsTo());

  it('twice is once', () =>
    given(created, granted(pending('i-1')), gaveUp)
      .when(giveUp)
      .leadsTo());

  it('lets the request settle once EC2 shows the end', () =>
    given(created, intended(), granted(pending('i-1')), gaveUp, observed(terminated('i-1')))
      .when({ type: 'Settle', now: 9 })
      .leadsTo(completed));
});

describe('a reported status', () => {
  const report: RequestCommand = {
    type: 'ReportStatus',
    now: 4,
    machineId: 'i-1',
    status: 'stopped',
    metadata: { by: 'me' },
  };
  const reported = {
    type: 'MachineStatusReported',
    at: 4,
    machineId: 'i-1',
    status: 'stopped',
    metadata: { by: 'me' },
  } as const;

  it('changes the state and nothing else', () => {
    given(created, granted(running('i-1')))
      .when(report)
      .leadsTo(reported);
    expect(knownOf(created, granted(running('i-1')), reported).machines.get('i-1')).toEqual({
      ...running('i-1'),
      state: 'stopped',
    });
  });

  it('that is known is nothing', () =>
    given(created, granted(running('i-1')), reported)
      .when(report)
      .leadsTo());

  it('of a machine the request does not hold is nothing', () =>
    given(created, granted(running('i-2')))
      .when(report)
      .leadsTo());
});

describe('machines given back', () => {
  const mark: RequestCommand = { type: 'MarkReturned', now: 4, returnId: 'ret-1', machineIds: ['i-1'] };
  const returned = { type: 'MachinesReturned', at: 4, returnId: 'ret-1', machineIds: ['i-1'] } as const;

  it('are marked with the return', () =>
    given(created, granted(running('i-1')))
      .when(mark)
      .leadsTo(returned));

  it('are marked once per return', () =>
    given(created, granted(running('i-1')), returned)
      .when(mark)
      .leadsTo());

  it('that the request does not hold are not marked', () =>
    given(created, granted(running('i-2')))
      .when(mark)
      .leadsTo());
});

describe('what counts against maxNumber', () => {
  const both = granted(running('i-1'), pending('i-2'));

  it.each([
    ['machines up and coming', [intended(), both], 2],
    ['what an unresolved launch may still bring', [intended(0, 2)], 2],
    ['nothing for what was refused', [intended(), refused(2)], 0],
    ['not a machine that ended', [intended(), both, observed(terminated('i-1'))], 1],
    [
      'not a machine given back',
      [intended(), both, { type: 'MachinesReturned', at: 4, returnId: 'ret-1', machineIds: ['i-1'] } as const],
      1,
    ],
    [
      'a machine given up, until EC2 shows its end',
      [intended(), both, { type: 'MachinesGivenUp', at: 4, machineIds: ['i-2'], reason: 'late' } as const],
      2,
    ],
  ])('is %s', (_, events, units) => expect(liveUnits(knownOf(created, ...events))).toBe(units));

  it('is the machines that may run', () =>
    expect(liveMachines(knownOf(created, both)).map(({ machineId }) => machineId)).toEqual(['i-1', 'i-2']));
});

describe('a search for capacity', () => {
  const minute = 60_000;
  const resource = {
    kind: 'EC2Fleet',
    id: 'fleet-1',
    refills: false,
    seeks: true,
    ours: true,
    expiresAt: 30 * minute,
  } as const;
  const made = { type: 'ResourceCreated', at: 0, clientToken: 'req-1.0', resource } as const;
  const shortage = { code: 'InsufficientInstanceCapacity', fault: 'provider.capacity', message: 'none left' } as const;
  const explained = { type: 'SearchExplained', at: 2 * minute, resourceId: 'fleet-1', shortage } as const;
  const explain = (now: number): RequestCommand => ({ type: 'ExplainSearch', now, resourceId: 'fleet-1', shortage });

  it.each([
    ['as it was to', 30 * minute, 30 * minute],
    ['no later, though a clock that was ahead has dated its end', 8760 * 60 * minute, 30 * minute],
    ['no sooner, though a clock that was behind has', -minute, 30 * minute],
  ])('ends %s', (_, expiresAt, end) => {
    const known = foldOf(created, intended(), { ...made, resource: { ...resource, expiresAt } });
    expect(known).toMatchObject({ resources: [{ expiresAt: end }] });
  });

  it('is explained when it is two minutes old', () => {
    given(created, intended(), made)
      .when(explain(2 * minute - 1))
      .leadsTo();
    given(created, intended(), made)
      .when(explain(2 * minute))
      .leadsTo(explained);
  });

  it('is explained once by two processes that ask at the same time', () =>
    given(created, intended(), made, explained)
      .when(explain(2 * minute + 1))
      .leadsTo());

  it('that is over is not explained', () =>
    given(created, intended(), made, { type: 'ResourceChanged', at: minute, resourceId: 'fleet-1', stage: 'deleted' })
      .when(explain(2 * minute))
      .leadsTo());

  it('keeps the reason it has where no new one is to be had', () =>
    expect(
      knownOf(created, intended(), made, explained, { type: 'SearchExplained', at: 4 * minute, resourceId: 'fleet-1' })
        .resources,
    ).toMatchObject([{ explained: { at: 4 * minute, times: 2, shortage } }]));
});
