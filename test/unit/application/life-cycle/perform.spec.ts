import { describe, expect, it } from 'vitest';
import { perform } from '../../../../src/application/life-cycle/perform.ts';
import { PluginError } from '../../../../src/domain/errors.ts';
import type { RefusalFault, RequestEvent } from '../../../../src/domain/request/events.ts';
import type { Step } from '../../../../src/domain/request/step.ts';
import {
  created,
  duePolicy,
  fleet,
  granted,
  intended,
  knownOf,
  launchOf,
  lookAt,
  made,
  refusalOf,
  running,
  sharedGroup,
  sightOf,
} from '../../domain/request/request-given.ts';
import { createFakeCapacity } from '../../fake-capacity.ts';
import { createFakeHosts } from '../../fake-hosts.ts';
import { createRecordingLog } from '../../recording-log.ts';

const id = 'req-1';
const fault = (code: 'provider.throttled' | 'provider.denied') => new PluginError(code, 'not now');

const given = (...events: readonly RequestEvent[]) => {
  const request = knownOf(created, intended(), ...events);
  const hosts = createFakeHosts();
  const capacity = createFakeCapacity(hosts, () => 0);
  const log = createRecordingLog();
  const clock = () => 0;
  const ports = {
    clock,
    log,
    hosts: async () => hosts,
    providers: async () => capacity,
    policy: duePolicy,
  };
  const [resource = { ...fleet, stage: 'filling' as const, clientToken: '', createdAt: 0 }] = request.resources;
  return {
    hosts,
    capacity,
    log,
    resource,
    perform: (step: Step, look = lookAt(0, sightOf())) => perform(ports, id, request, step, look),
  };
};

describe('sending a launch again', () => {
  const launch = { ...launchOf(0), intendedAt: 0, sentAt: 0, resolved: false };
  const lost = { type: 'RecordLaunch', now: 0, clientToken: 'req-1.0', granted: [] } as const;
  const resend: Step = { do: 'resend', launch, otherwise: [lost] };

  it.each<[RefusalFault, boolean]>([
    ['provider.capacity', true],
    ['provider.quota', true],
    ['provider.misconfigured', true],
    ['provider.denied', false],
    ['provider.unreachable', false],
  ])('tells by %s that the earlier send brought nothing either: %s', async (kind, isCertain) => {
    const { perform, capacity } = given();
    const refusal = { ...refusalOf(2), fault: kind };
    capacity.launch = async () => ({ machines: [], refusal, tryNextPool: false });
    expect((await perform(resend)).commands).toEqual([isCertain ? { ...lost, refusal } : lost]);
  });

  it('counts on how often AWS turned it away, where it did nothing else with it', async () => {
    const { perform, capacity } = given();
    capacity.launch = async () => {
      throw fault('provider.throttled');
    };
    const again: Step = { ...resend, launch: { ...launch, throttled: 2 } };
    expect((await perform(again)).commands).toMatchObject([{ type: 'ThrottleLaunch', times: 3 }]);
    expect((await perform(resend)).commands).toEqual([lost]);
  });
});

describe('preparing the next launch', () => {
  const launch: Step = { do: 'launch', attempt: 1, template: created.template, api: 'RunInstances', count: 2 };

  it('fails where that may pass', async () => {
    const { perform, capacity } = given();
    capacity.onPrepare = async () => {
      throw fault('provider.throttled');
    };
    await expect(perform(launch)).rejects.toMatchObject({ code: 'provider.throttled' });
  });

  it('leaves no pool otherwise: no machine that is there is withheld', async () => {
    const { perform, capacity, log } = given();
    capacity.onPrepare = async () => {
      throw fault('provider.denied');
    };
    expect(await perform(launch)).toMatchObject({ commands: [], look: { noPoolLeft: true } });
    expect(log.lines).toMatchObject([{ code: 'launch.unprepared' }]);
  });

  it('tells the trouble as the reason why a search ended short', async () => {
    const { perform, capacity } = given();
    capacity.onPrepare = async () => {
      throw fault('provider.denied');
    };
    const { missing: _none, ...refusal } = refusalOf(2);
    const instead = { resourceId: 'fleet-1', stage: 'deleted', refusal } as const;
    expect((await perform({ ...launch, instead })).commands).toMatchObject([
      { type: 'ChangeResource', ...instead, refusal: { ...refusal, message: 'not now' } },
    ]);
  });
});

describe('ending a search', () => {
  const end = async (step: { readonly isShort: boolean; readonly mayStay: boolean }, error?: Error) => {
    const world = given(made());
    world.capacity.onEnd = async () => {
      if (error !== undefined) throw error;
    };
    const hold = { total: 1, onDemand: 1 };
    const { look } = await world.perform({ do: 'end-search', resource: world.resource, hold, ...step });
    return look.resources.get('fleet-1')?.ended;
  };

  it('tells what is left of it', async () =>
    expect(await end({ isShort: false, mayStay: true })).toEqual({ stage: 'deleted' }));

  it('that is short is tried again after a fault that passes', () =>
    expect(end({ isShort: true, mayStay: true }, fault('provider.throttled'))).rejects.toMatchObject({
      code: 'provider.throttled',
    }));

  it.each([
    [true, { stage: 'holding' }],
    [false, undefined],
  ])('that AWS refuses leaves it as it is only where it may stay: %s', async (mayStay, ended) =>
    expect(await end({ isShort: true, mayStay }, fault('provider.denied'))).toEqual(ended),
  );
});

describe('terminating machines of a fleet or group that is in trouble', () => {
  const terminated = async (resource: typeof fleet) => {
    const machineId = 'i-00000000000000001';
    const world = given(made(resource), granted(running(machineId)));
    world.hosts.add({ machineId });
    world.capacity.keeper.terminate = async () => {
      throw fault('provider.throttled');
    };
    await world.perform({ do: 'terminate', machines: [running(machineId)], late: [], reason: 'late' });
    return world.hosts.calls.some(([method]) => method === 'terminate');
  };

  it('goes on by EC2 alone', async () => expect(await terminated(fleet)).toBe(true));

  it('waits where the group is the administrator’s: it would replace them', async () =>
    expect(await terminated(sharedGroup)).toBe(false));
});
