import { describe, expect, it } from 'vitest';
import { createIdOf } from '../../../../src/domain/ids.ts';
import { startWorld, uuid, type World } from '../../provider-world.ts';

const request = async (world: World): Promise<{ readonly requestId: string; readonly machineId: string }> => {
  const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 2 });
  return { requestId, machineId: world.hosts.ids()[0] ?? '' };
};

describe('a transition somebody saw', () => {
  it('is recorded on the request that holds the machine, found by the machine', async () => {
    const world = await startWorld();
    const { requestId, machineId } = await request(world);
    const answer = await world.service.updateMachineStatus({ machineId, status: 'stopped' });
    expect(answer).toMatchObject({ requestId, version: (await world.streams.load(requestId)).version });
    expect(await world.service.listMachines({ status: 'stopped' })).toMatchObject({
      items: [{ machineId, requestId }],
    });
  });

  it('keeps what the caller adds', async () => {
    const world = await startWorld();
    const { requestId, machineId } = await request(world);
    const metadata = { reason: 'Client.UserInitiatedShutdown' };
    await world.service.updateMachineStatus({ machineId, status: 'terminated', requestId, metadata });
    expect((await world.streams.load(requestId)).events.at(-1)).toMatchObject({ machineId, metadata });
  });

  it('of a machine that ended takes it out of the ledger', async () => {
    const world = await startWorld();
    const { requestId, machineId } = await request(world);
    await world.service.updateMachineStatus({ machineId, status: 'terminated', requestId });
    expect(await world.live.list()).toMatchObject([{ requestId, units: 1 }]);
  });

  it('may be what the request waited for', async () => {
    const world = await startWorld();
    const { requestId } = await request(world);
    for (const machineId of world.hosts.ids()) {
      await world.service.updateMachineStatus({ machineId, status: 'terminated', requestId });
    }
    expect(await world.service.getRequestStatus({ requestId })).toMatchObject({ status: 'complete_with_error' });
  });

  it('that is on record already is not recorded again', async () => {
    const world = await startWorld();
    const { requestId, machineId } = await request(world);
    const first = await world.service.updateMachineStatus({ machineId, status: 'stopped', requestId });
    expect(await world.service.updateMachineStatus({ machineId, status: 'stopped', requestId })).toEqual(first);
  });
});

describe('a machine nobody holds', () => {
  it('is not found', async () => {
    const world = await startWorld();
    await request(world);
    await expect(world.service.updateMachineStatus({ machineId: 'i-1', status: 'stopped' })).rejects.toMatchObject({
      code: 'machine.not-found',
    });
  });

  it('is not found in a request that does not exist', async () => {
    const world = await startWorld();
    const { machineId } = await request(world);
    const requestId = createIdOf(uuid(99));
    await expect(world.service.updateMachineStatus({ machineId, status: 'stopped', requestId })).rejects.toMatchObject({
      code: 'machine.not-found',
    });
    expect((await world.streams.load(requestId)).version).toBe(0);
  });

  it('leaves the request it is not of unchanged', async () => {
    const world = await startWorld();
    const { requestId } = await request(world);
    const before = await world.streams.load(requestId);
    await expect(
      world.service.updateMachineStatus({ machineId: 'i-1', status: 'stopped', requestId }),
    ).rejects.toMatchObject({ code: 'machine.not-found' });
    expect(await world.streams.load(requestId)).toEqual(before);
  });
});
