import { describe, expect, it } from 'vitest';
import { startWorld, templateDocument, type World } from '../../provider-world.ts';

/** Three requests, a second apart: complete, running of another template, and a return. */
const three = async () => {
  const world = await startWorld();
  await world.writeTemplates(templateDocument(), templateDocument({ templateId: 'od-b' }));
  const create = async (templateId: string): Promise<string> =>
    (await world.service.createRequest({ templateId, maxNumber: 1 })).requestId;
  const complete = await create('od-a');
  world.hosts.boot();
  await world.service.syncRequests({ requestIds: [complete] });
  world.pass(1000);
  const running = await create('od-b');
  world.pass(1000);
  const machineId = world.hosts.ids()[0] ?? '';
  const { requestId: given } = await world.service.returnMachines({ machines: [{ name: '', machineId }] });
  return { world, complete, running, given };
};
const list = async (world: World, input: Parameters<World['service']['listRequests']>[0]) =>
  (await world.service.listRequests(input)).items.map(({ requestId }) => requestId);

describe('the list of requests', () => {
  it('is of all kinds, newest first', async () => {
    const { world, complete, running, given } = await three();
    expect(await list(world, {})).toEqual([given, running, complete]);
  });

  it('can be of one status', async () => {
    const { world, complete } = await three();
    expect(await list(world, { status: 'complete' })).toEqual([complete]);
  });

  it('can be of one template', async () => {
    const { world, running } = await three();
    expect(await list(world, { templateId: 'od-b' })).toEqual([running]);
  });

  it('can be had in pages', async () => {
    const { world, running } = await three();
    expect(await list(world, { offset: 1, limit: 1 })).toEqual([running]);
  });

  it('is empty before the first request', async () => expect(await list(await startWorld(), {})).toEqual([]));

  it('tells of each what its status tells, without the machines', async () => {
    const { world, complete } = await three();
    const [row] = (await world.service.listRequests({ status: 'complete' })).items;
    expect(row).toMatchObject(await world.service.getRequestStatus({ requestId: complete }));
    expect(row).not.toHaveProperty('machines');
  });
});
