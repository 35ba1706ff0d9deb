import { describe, expect, it } from 'vitest';
import { damage } from '../../damaged-document.ts';
import { startWorld, type World } from '../../provider-world.ts';

/** Two requests with two machines and one; the first machine has ended since. */
const three = async () => {
  const world = await startWorld();
  const { requestId: first } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 2 });
  const { requestId: second } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
  world.hosts.boot();
  await world.service.syncRequests({ requestIds: [first, second] });
  const [ended = '', ...others] = world.hosts.ids();
  world.hosts.end(ended);
  await world.service.syncRequests({ requestIds: [first], includeSettled: true });
  return { world, first, second, ended, others };
};
const list = async (world: World, input: Parameters<World['service']['listMachines']>[0]) =>
  (await world.service.listMachines(input)).items.map(({ machineId }) => machineId);

describe('the list of machines', () => {
  it('is of all requests, as last seen', async () => {
    const { world, ended, others } = await three();
    expect(await list(world, {})).toEqual([ended, ...others]);
    expect((await world.service.listMachines({})).items).toMatchObject([
      { status: 'terminated' },
      { status: 'running' },
      { status: 'running' },
    ]);
  });

  it('can be of one state', async () => {
    const { world, ended } = await three();
    expect(await list(world, { status: 'terminated' })).toEqual([ended]);
  });

  it('can be of one request', async () => {
    const { world, second, others } = await three();
    expect(await list(world, { requestId: second })).toEqual(others.slice(1));
  });

  it('can be had in pages', async () => {
    const { world, others } = await three();
    expect(await list(world, { offset: 1, limit: 1 })).toEqual(others.slice(0, 1));
  });

  it('does not tell machines twice because they were given back', async () => {
    const { world, others } = await three();
    const machines = others.map((machineId) => ({ name: '', machineId }));
    await world.service.returnMachines({ machines });
    expect(await list(world, {})).toHaveLength(3);
  });

  it('does not tell machines that were given back as running', async () => {
    const { world, ended, others } = await three();
    await world.service.returnMachines({ machines: others.map((machineId) => ({ name: '', machineId })) });
    expect(await list(world, { status: 'running' })).toEqual([]);
    expect(await list(world, { status: 'shutting-down' })).toEqual(others);
    expect(await list(world, { status: 'terminated' })).toEqual([ended]);
  });

  it('is empty for a request nobody knows', async () =>
    expect(await list((await three()).world, { requestId: 'req-unknown' })).toEqual([]));

  it('leaves out a record that cannot be read, and says so', async () => {
    const { world, first, others } = await three();
    const path = await damage(world.workDir, first);
    const { items, warnings } = await world.service.listMachines({});
    expect(items.map(({ machineId }) => machineId)).toEqual(others.slice(1));
    expect(warnings).toEqual([expect.stringContaining(path)]);
  });
});
