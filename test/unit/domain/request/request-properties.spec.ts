import { describe, expect, it } from 'vitest';
import type { Observation } from '../../../../src/domain/machine.ts';
import type { RequestCommand } from '../../../../src/domain/request/commands.ts';
import { decideRequest } from '../../../../src/domain/request/decide.ts';
import { absentRequest, evolveRequest, type Request } from '../../../../src/domain/request/state.ts';
import { fc } from '../../../random.ts';
import { onDemandTemplate } from '../template/template-fixture.ts';
import { launchOf, refusalOf } from './request-given.ts';

const states = ['pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped'] as const;
const machineId = fc.constantFrom('i-1', 'i-2', 'i-3', 'i-4');
const machineIds = fc.uniqueArray(machineId);
const now = fc.integer({ min: 0, max: 500 });
const launchNumber = fc.integer({ min: 0, max: 2 });

const observation: fc.Arbitrary<Observation> = fc.record({
  machineId,
  state: fc.constantFrom(...states),
  name: fc.constantFrom('', 'host-1'),
  privateIpAddress: fc.constantFrom('', '10.0.0.1'),
  publicIpAddress: fc.constantFrom('', '54.0.0.1'),
  launchTime: fc.constantFrom(0, 1),
  instanceType: fc.constant('m5.large'),
  priceType: fc.constant('ondemand' as const),
});
const observations = fc.uniqueArray(observation, { selector: (seen) => seen.machineId });

const command: fc.Arbitrary<RequestCommand> = fc.oneof(
  fc.record({
    type: fc.constant('Create' as const),
    now,
    template: fc.constant(onDemandTemplate),
    providerApi: fc.constant('RunInstances' as const),
    wanted: fc.integer({ min: 1, max: 4 }),
    attributes: fc.constant({}),
  }),
  fc.record({ type: fc.constant('IntendLaunch' as const), now, launch: launchNumber.map((n) => launchOf(n)) }),
  fc.record(
    {
      type: fc.constant('RecordLaunch' as const),
      now,
      clientToken: launchNumber.map((n) => launchOf(n).clientToken),
      granted: observations,
      refusal: fc.constant(refusalOf(1)),
    },
    { requiredKeys: ['type', 'now', 'clientToken', 'granted'] },
  ),
  fc.record({
    type: fc.constant('Observe' as const),
    now,
    asked: machineIds,
    seen: observations,
    consistencyWindow: fc.constantFrom(0, 100),
  }),
  fc.record({ type: fc.constant('GiveUp' as const), now, machineIds, reason: fc.constant('late') }),
  fc.record({
    type: fc.constant('ReportStatus' as const),
    now,
    machineId,
    status: fc.constantFrom(...states),
    metadata: fc.constant({}),
  }),
  fc.record({
    type: fc.constant('MarkReturned' as const),
    now,
    returnId: fc.constantFrom('ret-1', 'ret-2'),
    machineIds,
  }),
  fc.record({ type: fc.constant('Settle' as const), now }),
);
const history = fc.array(command, { maxLength: 25 });

const carryOut = (request: Request, next: RequestCommand): Request =>
  decideRequest(next, request).reduce(evolveRequest, request);

const tokensOf = (request: Request): readonly string[] =>
  request.stage === 'absent' ? [] : request.launches.map(({ clientToken }) => clientToken);

/** What Host Factory knows the machines by, where EC2 has told. */
const factsOf = (request: Request): readonly string[] =>
  request.stage === 'absent'
    ? []
    : [...request.machines.values()].flatMap(({ machineId: id, name, privateIpAddress }) => [
        ...(name === '' ? [] : [`${id} has a name`]),
        ...(privateIpAddress === '' ? [] : [`${id} has an address`]),
      ]);

const machineIdsOf = (request: Request): readonly string[] =>
  request.stage === 'absent' ? [] : [...request.machines.keys()];

describe('whatever happens', () => {
  it('no machine is ever lost from a request', () => {
    fc.assert(
      fc.property(history, (commands) => {
        let request = absentRequest;
        for (const next of commands) {
          const before = machineIdsOf(request);
          request = carryOut(request, next);
          expect(machineIdsOf(request)).toEqual(expect.arrayContaining([...before]));
        }
      }),
    );
  });

  it('a name or an address once known stays known', () => {
    fc.assert(
      fc.property(history, command, (commands, last) => {
        const request = commands.reduce(carryOut, absentRequest);
        expect(factsOf(carryOut(request, last))).toEqual(expect.arrayContaining([...factsOf(request)]));
      }),
    );
  });

  it('a command carried out before leads to nothing more', () => {
    fc.assert(
      fc.property(history, command, (commands, last) => {
        // A look that misses machines is another story each time.
        if (last.type === 'Observe') return;
        const before = commands.reduce(carryOut, absentRequest);
        if (last.type === 'RecordLaunch') fc.pre(tokensOf(before).includes(last.clientToken));
        const after = carryOut(before, last);
        expect(decideRequest(last, after)).toEqual([]);
      }),
    );
  });

  it('a look that found all it asked for leads to nothing more when repeated', () => {
    fc.assert(
      fc.property(history, observations, now, (commands, seen, at) => {
        const look: RequestCommand = {
          type: 'Observe',
          now: at,
          asked: seen.map(({ machineId: id }) => id),
          seen,
          consistencyWindow: 100,
        };
        const after = [...commands, look].reduce(carryOut, absentRequest);
        expect(decideRequest(look, after)).toEqual([]);
      }),
    );
  });

  it('a settled answer stays as it was, unless a late grant opens the request again', () => {
    fc.assert(
      fc.property(history, command, (commands, last) => {
        const request = commands.reduce(carryOut, absentRequest);
        if (request.stage !== 'settled') return;
        const after = carryOut(request, last);
        if (after.stage === 'settled') expect(after.settledMachines).toEqual(request.settledMachines);
        else expect(last.type).toBe('RecordLaunch');
      }),
    );
  });
});
