import { describe, expect, it } from 'vitest';
import { startWorld, templateDocument } from '../../provider-world.ts';

const hour = 3_600_000;

describe('the overview', () => {
  it('tells what each template has, had and may have', async () => {
    const world = await startWorld();
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 3 });
    world.hosts.boot();
    await world.service.syncRequests({ requestIds: [requestId] });
    world.pass(hour);
    const { templates, capacity, costs, requests } = await world.service.getOverview({});
    expect(templates).toEqual([
      {
        templateId: 'od-a',
        maxNumber: 10,
        providerApi: 'RunInstances',
        priceType: 'ondemand',
        running: 3,
        pending: 0,
        isProtected: false,
      },
    ]);
    expect(capacity).toEqual([{ templateId: 'od-a', machines: expect.arrayContaining([0, 3]) }]);
    expect(capacity[0]?.machines.at(-1)).toBe(3);
    expect(costs).toMatchObject([{ templateId: 'od-a', priceType: 'ondemand', hours: expect.closeTo(3, 1) }]);
    expect(requests).toEqual({ running: 0, complete: 1, complete_with_error: 0, cancelled: 0 });
  });

  it('does not count machines that were given back, nor bill them any longer', async () => {
    const world = await startWorld();
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 2 });
    world.hosts.boot();
    await world.service.syncRequests({ requestIds: [requestId] });
    world.pass(hour);
    const machines = world.hosts.ids().map((machineId) => ({ name: '', machineId }));
    await world.service.returnMachines({ machines });
    world.pass(5 * hour);
    const { templates, capacity, costs } = await world.service.getOverview({});
    expect(templates).toMatchObject([{ running: 0, pending: 0 }]);
    expect(capacity[0]?.machines.at(-1)).toBe(0);
    expect(costs[0]?.hours).toBeCloseTo(2, 1);
  });

  it('looks back as far as it is asked to', async () => {
    const world = await startWorld();
    await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    world.pass(2 * hour);
    const { from, at, step, capacity } = await world.service.getOverview({ hours: 1 });
    expect(Date.parse(at) - Date.parse(from)).toBe(hour);
    expect(capacity[0]?.machines).toHaveLength(hour / step);
    expect(capacity[0]?.machines.every((machines) => machines === 1)).toBe(true);
  });

  it('goes on where the templates cannot be read, and says so', async () => {
    const world = await startWorld();
    await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    await world.writeTemplates(templateDocument({ templateId: 'a b' }));
    const { templates, requests } = await world.service.getOverview({});
    expect(templates).toEqual([]);
    expect(requests.running).toBe(1);
  });
});
