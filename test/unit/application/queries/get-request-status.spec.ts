import { describe, expect, it } from 'vitest';
import { createIdOf, returnIdOf } from '../../../../src/domain/ids.ts';
import { damage } from '../../damaged-document.ts';
import { nameOf } from '../../fake-hosts.ts';
import { startWorld, uuid, type World } from '../../provider-world.ts';

const create = async (world: World, maxNumber: number): Promise<string> =>
  (await world.service.createRequest({ templateId: 'od-a', maxNumber })).requestId;
const sync = (world: World, requestId: string) => world.service.syncRequests({ requestIds: [requestId] });

describe('the status of a create request', () => {
  it('asks AWS nothing', async () => {
    const world = await startWorld();
    const requestId = await create(world, 1);
    const before = world.hosts.calls.length;
    await world.service.getRequestStatus({ requestId });
    expect(world.hosts.calls.length).toBe(before);
  });

  it('tells the machines only when asked for', async () => {
    const world = await startWorld();
    const requestId = await create(world, 2);
    expect(await world.service.getRequestStatus({ requestId })).not.toHaveProperty('machines');
    const { machines } = await world.service.getRequestStatus({ requestId, includeMachines: true });
    expect(machines).toHaveLength(2);
  });

  it('is running while a machine is on its way', async () => {
    const world = await startWorld();
    const requestId = await create(world, 2);
    expect(await world.service.getRequestStatus({ requestId })).toMatchObject({
      kind: 'create',
      status: 'running',
      templateId: 'od-a',
      wanted: 2,
      counts: { executing: 2, succeed: 0, fail: 0 },
      createdAt: new Date(world.now()).toISOString(),
    });
  });

  it('is complete when all are usable, each with what Host Factory needs', async () => {
    const world = await startWorld();
    const requestId = await create(world, 1);
    world.hosts.boot();
    await sync(world, requestId);
    const [machineId = ''] = world.hosts.ids();
    expect(await world.service.getRequestStatus({ requestId, includeMachines: true })).toMatchObject({
      status: 'complete',
      settledAt: new Date(world.now()).toISOString(),
      machines: [
        {
          machineId,
          requestId,
          name: nameOf(machineId),
          result: 'succeed',
          status: 'running',
          privateIpAddress: '10.0.0.1',
          publicIpAddress: '',
          launchTime: new Date(world.now()).toISOString(),
          message: '',
          priceType: 'ondemand',
          instanceType: 'm5.large',
          instanceTags: 'team=quant',
        },
      ],
    });
  });

  it('is complete as soon as one is usable and no more will come, with the others as failed', async () => {
    const world = await startWorld();
    const requestId = await create(world, 2);
    world.hosts.boot();
    world.hosts.end(world.hosts.ids()[1] ?? '', 'Server.InternalError: died at start');
    await sync(world, requestId);
    const { status, machines } = await world.service.getRequestStatus({ requestId, includeMachines: true });
    expect([status, machines?.map(({ result, message }) => [result, message])]).toEqual([
      'complete',
      [
        ['succeed', ''],
        ['fail', 'Server.InternalError: died at start'],
      ],
    ]);
  });

  it('is complete_with_error when none is usable', async () => {
    const world = await startWorld();
    const requestId = await create(world, 1);
    world.hosts.end(world.hosts.ids()[0] ?? '');
    await sync(world, requestId);
    expect((await world.service.getRequestStatus({ requestId })).status).toBe('complete_with_error');
  });

  it('gives every failed machine a message', async () => {
    const world = await startWorld();
    const requestId = await create(world, 1);
    world.hosts.end(world.hosts.ids()[0] ?? '', '');
    await sync(world, requestId);
    const { machines } = await world.service.getRequestStatus({ requestId, includeMachines: true });
    expect(machines).toMatchObject([{ result: 'fail', message: expect.stringMatching(/./) }]);
  });

  it('stays the same once it is final, though the hosts end later', async () => {
    const world = await startWorld();
    const requestId = await create(world, 1);
    world.hosts.boot();
    await sync(world, requestId);
    const before = await world.service.getRequestStatus({ requestId, includeMachines: true });
    world.hosts.end(world.hosts.ids()[0] ?? '');
    await world.service.syncRequests({ requestIds: [requestId], includeSettled: true });
    const { version: _later, ...after } = await world.service.getRequestStatus({ requestId, includeMachines: true });
    expect(before).toMatchObject(after);
  });

  it('does not change when its template is taken out of the file', async () => {
    const world = await startWorld();
    const requestId = await create(world, 1);
    await world.writeTemplates();
    expect(await world.service.getRequestStatus({ requestId, includeMachines: true })).toMatchObject({
      templateId: 'od-a',
      machines: [{ instanceTags: 'team=quant' }],
    });
  });
});

describe('the status of a return', () => {
  it('still tells the address and launch time of a host that is gone', async () => {
    const world = await startWorld();
    await create(world, 1);
    world.hosts.boot();
    const [machineId = ''] = world.hosts.ids();
    const { requestId } = await world.service.returnMachines({ machines: [{ name: nameOf(machineId), machineId }] });
    world.hosts.end(machineId);
    await sync(world, requestId);
    expect(await world.service.getRequestStatus({ requestId, includeMachines: true })).toMatchObject({
      kind: 'return',
      status: 'complete',
      message: '1 of 1 machines are gone.',
      machines: [
        {
          machineId,
          name: nameOf(machineId),
          result: 'succeed',
          status: 'terminated',
          privateIpAddress: '10.0.0.1',
          launchTime: new Date(world.now()).toISOString(),
          instanceTags: 'team=quant',
        },
      ],
    });
  });
});

describe('a request that is not there', () => {
  it.each([createIdOf(uuid(9)), returnIdOf(uuid(9)), 'r-0a1b2c3d', '../../etc/passwd', ''])(
    'is not found: %j',
    async (requestId) => {
      const world = await startWorld();
      await expect(world.service.getRequestStatus({ requestId })).rejects.toMatchObject({ code: 'request.not-found' });
    },
  );

  it('is not the same as one that cannot be read', async () => {
    const world = await startWorld();
    const requestId = await create(world, 1);
    const path = await damage(world.workDir, requestId);
    await expect(world.service.getRequestStatus({ requestId })).rejects.toMatchObject({
      code: 'storage.unreadable',
      message: expect.stringContaining(path),
    });
  });
});
