import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../provider-world.ts';

const request = async (world: World, maxNumber: number): Promise<string> =>
  (await world.service.createRequest({ templateId: 'od-a', maxNumber })).requestId;

/** A request whose machines all end before they are usable. */
const failing = async (world: World, count: number): Promise<void> => {
  const before = new Set(world.hosts.ids());
  const requestId = await request(world, count);
  for (const id of world.hosts.ids()) if (!before.has(id)) world.hosts.end(id, 'Server.InternalError');
  await world.service.syncRequests({ requestIds: [requestId] });
};

const succeeding = async (world: World): Promise<void> => {
  const requestId = await request(world, 1);
  world.hosts.boot();
  await world.service.syncRequests({ requestIds: [requestId] });
};

const refused = { code: 'template.protected' };

describe('a template whose machines all fail', () => {
  it('launches nothing more after the last so many, and the log says so', async () => {
    const world = await startWorld({ protectAfter: 3 });
    await failing(world, 2);
    await failing(world, 1);
    const launched = world.capacity.launches.length;
    await expect(request(world, 1)).rejects.toMatchObject(refused);
    expect(world.capacity.launches).toHaveLength(launched);
    expect(world.log.lines.map(({ code }) => code)).toContain('template.protected');
    expect((await world.service.listOfferings()).templates).toEqual([
      { templateId: 'od-a', failures: 3, isProtected: true },
    ]);
  });

  it('still launches when one of them worked in between', async () => {
    const world = await startWorld({ protectAfter: 3 });
    await failing(world, 2);
    await succeeding(world);
    await failing(world, 2);
    expect(await request(world, 1)).toMatch(/^req-/);
  });

  it('may try again when somebody says so, and when time has passed', async () => {
    const world = await startWorld({ protectAfter: 2 });
    await failing(world, 2);
    await expect(request(world, 1)).rejects.toMatchObject(refused);
    expect(await world.service.clearOfferings({ templateId: 'od-a' })).toEqual({ offerings: 0, templates: ['od-a'] });
    await failing(world, 2);
    await expect(request(world, 1)).rejects.toMatchObject(refused);
    world.pass(world.policy.protectFor + 1000);
    expect(await request(world, 1)).toMatch(/^req-/);
  });

  it('is not held back by failures that a clock that was ahead has dated', async () => {
    const world = await startWorld({ protectAfter: 2 });
    await failing(world, 2);
    const ahead = new Date(Date.now() + 365 * 24 * 3_600_000);
    await utimes(join(world.workDir, 'failures', 'od-a'), ahead, ahead);
    expect(await request(world, 1)).toMatch(/^req-/);
  });

  it('is not taken for one when its requests were cancelled', async () => {
    const world = await startWorld({ protectAfter: 2 });
    const requestId = await request(world, 3);
    await world.service.cancelRequest({ requestId, reason: 'not needed' });
    await world.service.syncRequests({ requestIds: [requestId] });
    for (const id of world.hosts.ids()) world.hosts.end(id);
    await world.service.syncRequests({ requestIds: [requestId] });
    expect((await world.service.listOfferings()).templates).toEqual([]);
    expect(await request(world, 1)).toMatch(/^req-/);
  });

  it('is left alone where the protection is off', async () => {
    const world = await startWorld({ protectAfter: 0 });
    await failing(world, 5);
    expect(await request(world, 1)).toMatch(/^req-/);
  });
});
