import { describe, expect, it } from 'vitest';
import type { AwsExchange } from '../../../src/application/ports/recording.ts';
import { createIdMap } from '../../../src/recording/id-map.ts';
import { createKnownIds } from '../../../src/recording/known-ids.ts';
import { failureIn, fleetAnswerIn, instancesIn, placesIn, toldLater } from '../../../src/recording/observations.ts';
import type { RecordedCall } from '../../../src/recording/record-form.ts';

const uuid = '0f0f0f0f-1111-2222-3333-444444444444';

it('recorded ids are put into those of the replay wherever they stand', () => {
  const ids = createIdMap();
  ids.learn(`req-${uuid}`, 'req-new');
  ids.learn('i-0a', 'i-0b');
  ids.learn('ip-10-0-0-1.ec2.internal', 'ip-10-9-9-9.ec2.internal');
  ids.learn('i-0a', 'i-0c');
  const text = `hf-aws-req-${uuid} holds i-0a, ip-10-0-0-1.ec2.internal; i-0abc stays.`;
  expect(ids.translate({ text, list: ['i-0a', 5] })).toEqual({
    text: 'hf-aws-req-new holds i-0b, ip-10-9-9-9.ec2.internal; i-0abc stays.',
    list: ['i-0b', 5],
  });
  expect([ids.isTaken('i-0b'), ids.isTaken('i-0c')]).toEqual([true, false]);
});

describe('what is older than a recording', () => {
  const call = (operation: string, input: unknown, answer: object): RecordedCall => ({
    ...{ call: 'c', at: '2026-11-28T12:00:00Z', ms: 1, host: 'h', version: '1', way: 'process', settings: 's' },
    ...{ operation, input, status: 0, answer, aws: [] },
  });
  const asked = (...ids: readonly string[]) => ({ requests: ids.map((requestId) => ({ requestId })) });
  const told = (...ids: readonly string[]) => ({
    requests: ids.map((requestId) => ({
      requestId,
      status: 'complete',
      machines: [{ machineId: `i-${requestId}`, name: 'n' }],
    })),
  });

  it('is left out of questions and answers, and machines count as known once their request was told', () => {
    const known = createKnownIds();
    known.learn(call('requestMachines', {}, { requestId: 'req-new', message: '' }));
    const status = call('getRequestStatus', asked('req-old', 'req-new'), told('req-old', 'req-new'));
    expect(known.partOf(status)).toEqual({
      input: asked('req-new'),
      answer: told('req-new'),
      isPart: true,
      isEmpty: false,
    });
    known.learn(status);
    const machines = [
      { machineId: 'i-req-old', name: '' },
      { machineId: 'i-req-new', name: 'n' },
    ];
    expect(known.partOf(call('requestReturnMachines', { machines }, {}))).toMatchObject({
      input: { machines: [{ machineId: 'i-req-new' }] },
      isPart: true,
    });
    expect(known.partOf(call('getRequestStatus', asked('req-old'), told('req-old')))).toMatchObject({ isEmpty: true });
    expect(known.partOf(call('getReturnRequests', { machines: [] }, {}))).toMatchObject({
      isPart: false,
      isEmpty: false,
    });
  });
});

const exchange = (action: string, came: Partial<AwsExchange>): AwsExchange => ({
  action,
  at: 0,
  ms: 1,
  input: {},
  ...came,
});

describe('what recorded answers of AWS tell', () => {
  const Tags = [{ Key: 'hf-aws:request-id', Value: 'req-1' }];
  const State = { Name: 'terminated' };
  const StateReason = { Code: 'Server.InternalError', Message: 'why' };

  it('is which instances there are, of which request and in which state', () => {
    const Instances = [{ InstanceId: 'i-1', InstanceType: 'm5.large', SubnetId: 'subnet-1', State, StateReason, Tags }];
    const described = exchange('DescribeInstances', { answer: { Reservations: [{ Instances }] } });
    expect(instancesIn(described)).toEqual([
      {
        ...{ id: 'i-1', type: 'm5.large', subnetId: 'subnet-1', requestId: 'req-1', state: 'terminated' },
        ...{ reasonCode: 'Server.InternalError', reasonMessage: 'why' },
      },
    ]);
    const Placement = { AvailabilityZone: 'us-east-1d' };
    const placed = exchange('RunInstances', { answer: { Instances: [{ SubnetId: 'subnet-1', Placement }] } });
    expect(placesIn([placed]).zones).toEqual(new Map([['subnet-1', 'us-east-1d']]));
  });

  it('is which pools gave a fleet what, and which refused it', () => {
    const at = (SubnetId: string) => ({ Overrides: { InstanceType: 'm5.large', SubnetId } });
    const Instances = [
      { InstanceIds: ['i-1', 'i-2'], InstanceType: 'm5.large', LaunchTemplateAndOverrides: at('s-1') },
    ];
    const Errors = [{ ErrorCode: 'Unsupported', LaunchTemplateAndOverrides: at('s-2') }];
    expect(fleetAnswerIn(exchange('CreateFleet', { answer: { Instances, Errors } }))).toEqual({
      granted: [{ type: 'm5.large', subnetId: 's-1', zone: '', count: 2 }],
      refused: [{ type: 'm5.large', subnetId: 's-2', zone: '', code: 'Unsupported' }],
    });
    const later = exchange('DescribeSpotFleetRequestHistory', {
      answer: { HistoryRecords: [{ EventType: 'error' }, { EventType: 'fleetRequestChange' }] },
    });
    expect(toldLater(later)).toBe(1);
  });

  it.each([
    [
      'InsufficientInstanceCapacity',
      'RunInstances failed. Error Code: InsufficientInstanceCapacity: none left',
      { kind: 'refused', code: 'InsufficientInstanceCapacity', message: 'none left' },
    ],
    ['ECONNRESET', 'RunInstances failed. Error Code: ECONNRESET: socket hang up', { kind: 'broken', reached: true }],
    ['TimeoutError', 'RunInstances failed. Error Code: TimeoutError: late', { kind: 'broken', reached: true }],
    [
      'ECONNREFUSED',
      'RunInstances failed. Error Code: ECONNREFUSED: no (check the network)',
      { kind: 'broken', reached: false },
    ],
  ])('is how a call failed: %s', (aws, message, failure) => {
    expect(failureIn(exchange('RunInstances', { error: { code: 'x', aws, message } }))).toMatchObject(failure);
  });
});
