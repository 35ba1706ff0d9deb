import { RunInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { startEmulator } from '../../../src/emulator/server.ts';
import { clientOf, expectRefusal, startRegion } from './region.ts';

describe('a fault', () => {
  it('of kind error answers in place of the action', async () => {
    const { emulator, run } = await startRegion();
    emulator.addFault({ action: 'RunInstances', effect: { kind: 'error', code: 'InternalError', message: 'oops' } });
    await expectRefusal(run(), 'InternalError', 500, /^oops$/);
    expect(emulator.instances()).toEqual([]);
    expect(await run()).toHaveLength(1);
  });

  it('of kind error may bring its own status', async () => {
    const { emulator, run } = await startRegion();
    const effect = { kind: 'error', code: 'InsufficientInstanceCapacity', httpStatus: 400 } as const;
    emulator.addFault({ effect });
    await expectRefusal(run(), 'InsufficientInstanceCapacity', 400);
  });

  it('of kind drop-before cuts the connection and does nothing', async () => {
    const { emulator, run } = await startRegion();
    emulator.addFault({ action: 'RunInstances', effect: { kind: 'drop-before' } });
    await expect(run()).rejects.toThrow(/hang up|ECONNRESET/);
    expect(emulator.instances()).toEqual([]);
    expect(emulator.calls()).toMatchObject([{ action: 'RunInstances', fault: 'drop-before' }]);
  });

  it('of kind drop-after does the action and cuts the connection', async () => {
    const { emulator, run } = await startRegion();
    emulator.addFault({ action: 'RunInstances', effect: { kind: 'drop-after' } });
    await expect(run({ ClientToken: 'req-1.0' })).rejects.toThrow(/hang up|ECONNRESET/);
    expect(emulator.instances()).toMatchObject([{ clientToken: 'req-1.0' }]);
    expect(await run({ ClientToken: 'req-1.0' })).toMatchObject([{ InstanceId: emulator.instances()[0]?.id }]);
  });

  it('of kind delay does the action later', async () => {
    const { emulator, run } = await startRegion();
    emulator.addFault({ effect: { kind: 'delay', ms: 1 } });
    expect(await run()).toHaveLength(1);
    expect(emulator.calls()).toMatchObject([{ fault: 'delay', httpStatus: 200 }]);
  });

  it('of kind hang is silent until the caller gives up or the emulator closes', async () => {
    const emulator = await startEmulator();
    const client = clientOf(emulator.url);
    emulator.addFault({ times: 'always', effect: { kind: 'hang' } });
    const launch = () => new RunInstancesCommand({ ImageId: 'ami-12345678', MinCount: 1, MaxCount: 1 });
    const patience = new AbortController();
    const given = expect(client.send(launch(), { abortSignal: patience.signal })).rejects.toThrow(/abort/i);
    await expect.poll(() => emulator.calls().length).toBe(1);
    patience.abort();
    await given;
    const hanging = expect(client.send(launch())).rejects.toThrow(/hang up|ECONNRESET/);
    await expect.poll(() => emulator.calls().length).toBe(2);
    expect(emulator.instances()).toEqual([]);
    await emulator.close();
    await hanging;
    client.destroy();
  });

  it('fires on the nth matching call since it was made, as often as it says', async () => {
    const { emulator, run, describe } = await startRegion();
    await run();
    emulator.addFault({ action: 'RunInstances', nth: 2, times: 2, effect: { kind: 'error', code: 'Unavailable' } });

    await run();
    await describe();
    await expectRefusal(run(), 'Unavailable', 503);
    await expectRefusal(run(), 'Unavailable', 503);
    await run();
    expect(emulator.faults()).toMatchObject([{ matched: 4, fired: 2 }]);
  });

  it('that is always there goes when the faults are cleared', async () => {
    const { emulator, describe } = await startRegion();
    emulator.addFault({ times: 'always', effect: { kind: 'error', code: 'Unavailable' } });
    for (let n = 0; n < 3; n++) await expectRefusal(describe(), 'Unavailable', 503);
    emulator.clearFaults();
    expect(await describe()).toEqual([]);
  });
});
