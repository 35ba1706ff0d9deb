import { StartInstancesCommand, StopInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { expectRefusal, idsOf, startRegion } from './region.ts';

describe('the life of an instance', () => {
  it('goes from pending to running as time passes', async () => {
    const { run, describe, pass } = await startRegion({ settings: { pendingMs: 1000 } });

    expect(await run()).toMatchObject([{ State: { Code: 0, Name: 'pending' } }]);
    pass(999);
    expect(await describe()).toMatchObject([{ State: { Name: 'pending' } }]);
    pass(1);
    expect(await describe()).toMatchObject([{ State: { Code: 16, Name: 'running' } }]);
  });

  it('goes through shutting-down to terminated, tells why, and keeps its tags but neither name, address nor interface', async () => {
    const { run, describe, pass, client } = await startRegion();
    const tags = [{ ResourceType: 'instance' as const, Tags: [{ Key: 'Name', Value: 'a <b> & "c"' }] }];
    const InstanceIds = idsOf(await run({ TagSpecifications: tags }));
    pass(1000);

    const answer = await client.send(new TerminateInstancesCommand({ InstanceIds }));
    expect(answer.TerminatingInstances).toEqual([
      {
        InstanceId: InstanceIds[0],
        PreviousState: { Code: 16, Name: 'running' },
        CurrentState: { Code: 32, Name: 'shutting-down' },
      },
    ]);
    pass(1000);
    const [gone] = await describe();
    expect(gone).toMatchObject({
      State: { Code: 48, Name: 'terminated' },
      PrivateDnsName: '',
      NetworkInterfaces: [],
      BlockDeviceMappings: [],
      StateReason: { Code: 'Client.UserInitiatedShutdown' },
      StateTransitionReason: 'User initiated (2026-01-01 00:00:01 GMT)',
      Tags: [{ Key: 'Name', Value: 'a <b> & "c"' }],
    });
    expect(gone?.PrivateIpAddress).toBeUndefined();
  });

  it('is forgotten an hour after termination, by id and by filter, along with its client token', async () => {
    const { run, describe, pass, client } = await startRegion({ settings: { shuttingDownMs: 0 } });
    const InstanceIds = idsOf(await run({ ClientToken: 'one' }));
    await client.send(new TerminateInstancesCommand({ InstanceIds }));

    pass(3_599_999);
    expect(await describe({ InstanceIds })).toHaveLength(1);
    pass(1);
    await expectRefusal(describe({ InstanceIds }), 'InvalidInstanceID.NotFound', 400);
    expect(await describe()).toEqual([]);
    expect(idsOf(await run({ ClientToken: 'one' }))).not.toEqual(InstanceIds);
  });

  it('shows private name and address only after a while', async () => {
    const { run, describe, pass } = await startRegion({ settings: { nameAfterMs: 500 } });

    expect((await run())[0]).toMatchObject({ PrivateDnsName: '' });
    pass(499);
    expect((await describe())[0]?.PrivateIpAddress).toBeUndefined();
    pass(1);
    expect(await describe()).toMatchObject([
      {
        PrivateDnsName: expect.stringMatching(/^ip-10-\d+-\d+-\d+\.ec2\.internal$/),
        PrivateIpAddress: expect.stringMatching(/^10\./),
      },
    ]);
  });

  it('names hosts after the Region outside us-east-1', async () => {
    const { emulator, run } = await startRegion({ settings: { region: 'eu-west-1' } });
    const [instance] = await run({ Placement: {} });
    expect(instance?.PrivateDnsName).toMatch(/^ip-10-\d+-\d+-\d+\.eu-west-1\.compute\.internal$/);
    expect(instance?.Placement?.AvailabilityZone).toBe('eu-west-1a');
    expect(emulator.instances()).toHaveLength(1);
  });

  it('stops and starts again', async () => {
    const { run, describe, pass, client } = await startRegion();
    const InstanceIds = idsOf(await run());
    pass(1000);

    await client.send(new StopInstancesCommand({ InstanceIds }));
    expect(await describe()).toMatchObject([{ State: { Code: 64, Name: 'stopping' } }]);
    pass(1000);
    expect(await describe()).toMatchObject([{ State: { Code: 80, Name: 'stopped' } }]);
    await client.send(new StartInstancesCommand({ InstanceIds }));
    expect(await describe()).toMatchObject([{ State: { Name: 'pending' } }]);
  });

  it('is absent from the first describes after its launch, by filter and by id alike', async () => {
    const { run, describe } = await startRegion({ settings: { invisibleForCalls: 2 } });
    const InstanceIds = idsOf(await run());

    expect(await describe()).toEqual([]);
    await expectRefusal(describe({ InstanceIds }), 'InvalidInstanceID.NotFound', 400);
    expect(await describe({ InstanceIds })).toHaveLength(1);
  });

  it('can be ended from outside, for a reason', async () => {
    const { emulator, run, describe } = await startRegion();
    const [id = ''] = idsOf(await run());

    emulator.setInstance(id, { state: 'terminated', reasonCode: 'Client.InternalError', reasonMessage: 'no KMS key' });

    expect(await describe()).toMatchObject([
      { State: { Name: 'terminated' }, StateReason: { Code: 'Client.InternalError', Message: 'no KMS key' } },
    ]);
  });
});

describe('terminating', () => {
  it('does nothing at all if one id is unknown, and names it', async () => {
    const { run, describe, client } = await startRegion();
    const ids = idsOf(await run({ MaxCount: 2 }));
    const call = client.send(new TerminateInstancesCommand({ InstanceIds: [...ids, 'i-0123456789abcdef0'] }));

    await expectRefusal(call, 'InvalidInstanceID.NotFound', 400, /'i-0123456789abcdef0' does not exist/);
    expect((await describe()).map(({ State }) => State?.Name)).toEqual(['pending', 'pending']);
  });

  it('succeeds on what is terminated already', async () => {
    const { run, client, pass } = await startRegion();
    const InstanceIds = idsOf(await run());
    await client.send(new TerminateInstancesCommand({ InstanceIds }));
    pass(1000);
    const { TerminatingInstances } = await client.send(new TerminateInstancesCommand({ InstanceIds }));
    expect(TerminatingInstances).toMatchObject([{ PreviousState: { Name: 'terminated' } }]);
  });

  it('spares the whole zone of a protected instance, ends the others, and fails', async () => {
    const { run, describe, client } = await startRegion();
    const held = await run({ DisableApiTermination: true });
    const beside = await run();
    const elsewhere = await run({ Placement: { AvailabilityZone: 'us-east-1b' } });

    const InstanceIds = idsOf([...held, ...beside, ...elsewhere]);
    const call = client.send(new TerminateInstancesCommand({ InstanceIds }));

    await expectRefusal(
      call,
      'OperationNotPermitted',
      400,
      new RegExp(`'${held[0]?.InstanceId}' may not be terminated`),
    );
    expect((await describe()).map(({ State }) => State?.Name)).toEqual(['pending', 'pending', 'shutting-down']);
  });

  it('takes at most 1000 ids', async () => {
    const { client } = await startRegion();
    const InstanceIds = Array.from({ length: 1001 }, (_, n) => `i-${n.toString(16).padStart(17, '0')}`);
    await expectRefusal(client.send(new TerminateInstancesCommand({ InstanceIds })), 'InvalidParameterValue', 400);
  });
});
