import type { Instance } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { toOwnedObservation } from '../../../../../src/providers/aws/instances/observation.ts';

const owner = 'hostfactory/awsinst';
const instance: Instance = {
  InstanceId: 'i-0123456789abcdef0',
  InstanceType: 'm5.large',
  State: { Code: 16, Name: 'running' },
  PrivateDnsName: 'ip-10-0-1-23.ec2.internal',
  PrivateIpAddress: '10.0.1.23',
  PublicIpAddress: '54.0.0.1',
  LaunchTime: new Date(1_734_619_942_900),
  Placement: { AvailabilityZone: 'us-east-1a' },
  Tags: [
    { Key: 'team', Value: 'quant' },
    { Key: 'hf-aws:owner', Value: owner },
    { Key: 'hf-aws:request-id', Value: 'req-1' },
    { Key: 'aws:ec2launchtemplate:id', Value: 'lt-1' },
    { Key: 'env', Value: 'prod' },
  ],
};

describe('an instance', () => {
  it('is seen with all Host Factory wants to know', () =>
    expect(toOwnedObservation(instance, { owner, store: 'store-1' })).toEqual({
      machineId: 'i-0123456789abcdef0',
      state: 'running',
      name: 'ip-10-0-1-23.ec2.internal',
      privateIpAddress: '10.0.1.23',
      publicIpAddress: '54.0.0.1',
      launchTime: 1_734_619_942,
      instanceType: 'm5.large',
      priceType: 'ondemand',
      zone: 'us-east-1a',
      instanceTags: 'team=quant;env=prod',
      ours: true,
      requestId: 'req-1',
    }));

  it('of which EC2 tells nothing is seen with nothing', () =>
    expect(toOwnedObservation({}, { owner, store: 'store-1' })).toEqual({
      machineId: '',
      state: 'pending',
      name: '',
      privateIpAddress: '',
      publicIpAddress: '',
      instanceType: '',
      priceType: 'ondemand',
      instanceTags: '',
      ours: false,
    }));

  it.each([
    [0, 'pending'],
    [16, 'running'],
    [32, 'shutting-down'],
    [48, 'terminated'],
    [64, 'stopping'],
    [80, 'stopped'],
    [256 + 16, 'running'],
    [65_280 + 48, 'terminated'],
  ])('with the state code %i is %s: only the low byte counts', (Code, state) =>
    expect(toOwnedObservation({ ...instance, State: { Code } }, { owner, store: 'store-1' }).state).toBe(state),
  );

  it.each([
    ['spot', 'spot'],
    ['scheduled', 'ondemand'],
    [undefined, 'ondemand'],
  ] as const)('of life cycle %s is priced as %s', (InstanceLifecycle, priceType) => {
    const { InstanceLifecycle: _none, ...rest } = instance;
    const one = InstanceLifecycle === undefined ? rest : { ...rest, InstanceLifecycle };
    expect(toOwnedObservation(one, { owner, store: 'store-1' }).priceType).toBe(priceType);
  });
});

describe('ownership', () => {
  it.each([
    [[], false],
    [[{ Key: 'hf-aws:owner', Value: 'other/awsinst' }], false],
    [[{ Key: 'hf-aws:owner', Value: 'hostfactory/awsinst2' }], false],
    [[{ Key: 'HF-AWS:OWNER', Value: owner }], false],
    [[{ Key: 'hf-aws:owner' }], false],
    [[{ Key: 'hf-aws:owner', Value: owner }], true],
  ])('by the tags %j is ours: %s', (Tags, ours) =>
    expect(toOwnedObservation({ ...instance, Tags }, { owner, store: 'store-1' }).ours).toBe(ours),
  );
});

describe('the primary address', () => {
  it('is that of the first device on the first card', () => {
    const NetworkInterfaces = [
      { PrivateIpAddress: '10.0.0.3', Attachment: { DeviceIndex: 1, NetworkCardIndex: 1 } },
      { PrivateIpAddress: '10.0.0.2', Attachment: { DeviceIndex: 0, NetworkCardIndex: 1 } },
      { PrivateIpAddress: '10.0.0.1', Attachment: { DeviceIndex: 0, NetworkCardIndex: 0 } },
    ];
    expect(toOwnedObservation({ ...instance, NetworkInterfaces }, { owner, store: 'store-1' }).privateIpAddress).toBe(
      '10.0.0.1',
    );
  });

  it('is that of the first device where EC2 tells no card', () => {
    const NetworkInterfaces = [{ PrivateIpAddress: '10.0.0.1', Attachment: { DeviceIndex: 0 } }];
    expect(toOwnedObservation({ ...instance, NetworkInterfaces }, { owner, store: 'store-1' }).privateIpAddress).toBe(
      '10.0.0.1',
    );
  });
});

describe('the reason', () => {
  it.each([
    [
      { Code: 'Client.UserInitiatedShutdown', Message: 'Client.UserInitiatedShutdown: User initiated shutdown' },
      '',
      'Client.UserInitiatedShutdown: User initiated shutdown',
    ],
    [{ Code: 'Server.InternalError', Message: 'died' }, '', 'Server.InternalError: died'],
    [{ Code: 'Server.InternalError' }, '', 'Server.InternalError'],
    [undefined, 'User initiated (2026-01-01 00:00:00 GMT)', 'User initiated (2026-01-01 00:00:00 GMT)'],
    [undefined, '', undefined],
  ])('of %j and %j is %j', (StateReason, StateTransitionReason, reason) => {
    const one = { ...instance, StateTransitionReason, ...(StateReason === undefined ? {} : { StateReason }) };
    expect(toOwnedObservation(one, { owner, store: 'store-1' }).reason).toBe(reason);
  });
});
