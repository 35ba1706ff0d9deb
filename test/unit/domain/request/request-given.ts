import { expect } from 'vitest';
import type { Sighting } from '../../../../src/domain/machine.ts';
import type { RequestCommand } from '../../../../src/domain/request/commands.ts';
import { decideRequest } from '../../../../src/domain/request/decide.ts';
import type { PreparedLaunch, Refusal, RequestEvent } from '../../../../src/domain/request/events.ts';
import { absentRequest, evolveRequest, type KnownRequest, type Request } from '../../../../src/domain/request/state.ts';
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

export const pending = (machineId: string): Sighting => ({
  machineId,
  state: 'pending',
  name: '',
  privateIpAddress: '',
  publicIpAddress: '',
  launchTime: 0,
  instanceType: 'm5.large',
  priceType: 'ondemand',
});

export const running = (machineId: string): Sighting => ({
  ...pending(machineId),
  state: 'running',
  name: `${machineId}.ec2.internal`,
  privateIpAddress: '10.0.0.1',
});

export const terminated = (machineId: string): Sighting => ({ ...pending(machineId), state: 'terminated' });

export const granted = (...machines: readonly Sighting[]): RequestEvent => ({
  type: 'CapacityGranted',
  at: 2,
  clientToken: 'req-1.0',
  machines,
});

export const observed = (...machines: readonly Sighting[]): RequestEvent => ({
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

/** Events, then a command, then the events that must follow. */
export const given = (...events: readonly RequestEvent[]) => ({
  when: (command: RequestCommand) => ({
    leadsTo: (...expected: readonly RequestEvent[]) =>
      expect(decideRequest(command, foldOf(...events))).toEqual(expected),
  }),
});
