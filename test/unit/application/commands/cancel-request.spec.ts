import { describe, expect, it } from 'vitest';
import { startWorld, uuid } from '../../provider-world.ts';

const asked = async (maxNumber = 2) => {
  const world = await startWorld();
  const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber });
  return { world, requestId };
};

describe('cancelling a request', () => {
  it('terminates what it got, and settles only when all of it has ended', async () => {
    const { world, requestId } = await asked();
    expect(await world.service.cancelRequest({ requestId, reason: 'mistake' })).toMatchObject({ status: 'cancelled' });
    expect(await world.eventsOf(requestId)).not.toContain('RequestCompleted');
    for (const machineId of world.hosts.ids()) world.hosts.end(machineId);
    await world.service.syncRequests({ requestIds: [requestId] });
    expect((await world.eventsOf(requestId)).at(-1)).toBe('RequestCompleted');
    expect(await world.live.list()).toEqual([]);
  });

  it('terminates also machines that come up at that very look', async () => {
    const { world, requestId } = await asked();
    world.hosts.boot();
    await world.service.cancelRequest({ requestId, reason: 'mistake' });
    const { machines = [] } = await world.service.getRequestStatus({ requestId, includeMachines: true });
    expect(machines.map(({ result, message }) => [result, message])).toEqual([
      ['fail', 'Cancelled: mistake'],
      ['fail', 'Cancelled: mistake'],
    ]);
  });

  it('is one event however often it is asked for', async () => {
    const { world, requestId } = await asked();
    for (let round = 0; round < 3; round++) await world.service.cancelRequest({ requestId, reason: 'mistake' });
    expect((await world.eventsOf(requestId)).filter((type) => type === 'RequestCancelled')).toHaveLength(1);
  });

  it('is refused when the request has come to its end', async () => {
    const { world, requestId } = await asked();
    world.hosts.boot();
    await world.service.syncRequests({ requestIds: [requestId] });
    await expect(world.service.cancelRequest({ requestId, reason: 'late' })).rejects.toMatchObject({
      code: 'request.settled',
    });
  });

  it('is refused for a return and for a request nobody knows', async () => {
    const { service } = await startWorld();
    const cancel = (requestId: string) => service.cancelRequest({ requestId, reason: 'x' });
    await expect(cancel(`ret-${uuid(9)}`)).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(cancel(`req-${uuid(9)}`)).rejects.toMatchObject({ code: 'request.not-found' });
  });
});
