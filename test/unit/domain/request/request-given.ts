import { expect } from 'vitest';
import type { Observation, OwnedObservation } from '../../../../src/domain/machine.ts';
import type { RequestCommand } from '../../../../src/domain/request/commands.ts';
import { decideRequest } from '../../../../src/domain/request/decide.ts';
import { type DuePolicy, due } from '../../../../src/domain/request/due.ts';
import type { PreparedLaunch, Refusal, RequestEvent, Resource } from '../../../../src/domain/request/events.ts';
import { learn } from '../../../../src/domain/request/learn.ts';
import { type Look, noLook, type ResourceSight } from '../../../../src/domain/request/look.ts';
import { absentRequest, evolveRequest, type KnownRequest, type Request } from '../../../../src/domain/request/state.ts';
import { type Step, withTried } from '../../../../src/domain/request/step.ts';
import { onDemandTemplate } from '../template/template-fixture.ts';

export const created: Extract<RequestEvent, { type: 'RequestCreated' }> = {
  type: 'RequestCreated',
  at: 0,
  template: onDemandTemplate,
  providerApi: 'RunInstances',
  wanted: 2,
  attributes: {},
};

export const launchOf = (n: number, count = 2): PreparedLaunch => ({
  clientToken: `req-1.${n}`,
  count,
  pool: `m5.large in subnet-${n}`,
  call: { MaxCount: count },
});

export const intended = (n = 0, count = 2): RequestEvent => ({
  type: 'LaunchIntended',
  at: 1,
  launch: launchOf(n, count),
});

export const pending = (machineId: string): Observation => ({
  machineId,
  state: 'pending',
  name: '',
  privateIpAddress: '',
  publicIpAddress: '',
  launchTime: 0,
  instanceType: 'm5.large',
  priceType: 'ondemand',
});

export const running = (machineId: string): Observation => ({
  ...pending(machineId),
  state: 'running',
  name: `${machineId}.ec2.internal`,
  privateIpAddress: '10.0.0.1',
});

export const terminated = (machineId: string): Observation => ({ ...pending(machineId), state: 'terminated' });

export const granted = (...machines: readonly Observation[]): RequestEvent => ({
  type: 'CapacityGranted',
  at: 2,
  clientToken: 'req-1.0',
  machines,
});

export const observed = (...machines: readonly Observation[]): RequestEvent => ({
  type: 'MachinesObserved',
  at: 3,
  machines,
});

export const refusalOf = (missing: number, code = 'InsufficientInstanceCapacity'): Refusal => ({
  missing,
  code,
  fault: 'provider.capacity',
  message: 'no room',
  pool: 'm5.large in subnet-0',
});

export const refused = (missing: number, n = 0): RequestEvent => ({
  type: 'CapacityRefused',
  at: 2,
  clientToken: `req-1.${n}`,
  refusal: refusalOf(missing),
});

export const completed: RequestEvent = { type: 'RequestCompleted', at: 9 };

export const foldOf = (...events: readonly RequestEvent[]): Request => events.reduce(evolveRequest, absentRequest);

/** The folded request, which must be there. */
export const knownOf = (...events: readonly RequestEvent[]): KnownRequest => {
  const request = foldOf(...events);
  if (request.stage === 'absent') throw new Error('there is no request');
  return request;
};

export const minute = 60_000;

/** A fleet of ours that looks for capacity for half an hour. */
export const fleet: Resource = {
  kind: 'EC2Fleet',
  id: 'fleet-1',
  refills: false,
  seeks: true,
  ours: true,
  expiresAt: 30 * minute,
};

/** A group of the administrator's, whose members are picked out and marked. */
export const sharedGroup: Resource = {
  ...fleet,
  kind: 'ASG',
  id: 'group-1',
  refills: true,
  ours: false,
  adoption: { requestId: 'req-1', tags: [] },
};

export const made = (resource: Resource = fleet): RequestEvent => ({
  type: 'ResourceCreated',
  at: 2,
  clientToken: 'req-1.0',
  resource,
});

/** As a look shows a machine of ours. */
export const ours = (observation: Observation): OwnedObservation => ({ ...observation, ours: true, instanceTags: '' });

/** A look that AWS has dated and that shows these machines. */
export const lookAt = (at: number, changes: Partial<Look> = {}, ...machines: readonly OwnedObservation[]): Look => ({
  ...noLook(at),
  isAwsTime: true,
  seen: new Map(machines.map((machine) => [machine.machineId, machine])),
  ...changes,
});

/** A look at a fleet or group, by default one that still looks for capacity. */
export const sightOf = (sight: Partial<ResourceSight> = {}, id = 'fleet-1'): Pick<Look, 'resources'> => ({
  resources: new Map([[id, { state: 'active', machineIds: [], ...sight }]]),
});

export const duePolicy: DuePolicy = {
  consistencyWindow: 2 * minute,
  pendingTimeout: 10 * minute,
  launchDeadline: 15 * minute,
  tagInstanceId: false,
};

/** The steps that are due one after the other where none changes anything. */
const stepsOf = (request: KnownRequest, look: Look, policy: DuePolicy): readonly Step[] => {
  const step = due(request, look, policy);
  return step === undefined ? [] : [step, ...stepsOf(request, withTried(look, step), policy)];
};

/** Events, then a look, then the steps that are due; or a command, then the events that must follow. */
export const given = (...events: readonly RequestEvent[]) => ({
  lookedAt: (look: Look, policy: Partial<DuePolicy> = {}) => {
    const steps = () => stepsOf(knownOf(...events), look, { ...duePolicy, ...policy });
    return {
      isDue: (...expected: readonly object[]) => expect(steps()).toMatchObject(expected),
      teaches: (...expected: readonly object[]) =>
        expect(learn(knownOf(...events), look, { ...duePolicy, ...policy })).toMatchObject(expected),
    };
  },
  when: (command: RequestCommand) => ({
    leadsTo: (...expected: readonly RequestEvent[]) =>
      expect(decideRequest(command, foldOf(...events))).toEqual(expected),
  }),
});
