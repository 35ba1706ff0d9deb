import { existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startWorld } from '../../provider-world.ts';

const day = 86_400_000;

/** A world far in the future: everything on disk is old. */
const startAged = async (retentionDays: number) => {
  const world = await startWorld({ retention: retentionDays * day });
  const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
  world.pass(Date.now() - world.now() + 60 * day);
  return { world, requestId };
};

describe('archiving', () => {
  it('leaves a request alone whose machines live', async () => {
    const { world, requestId } = await startAged(30);
    expect(await world.service.archiveRequests()).toEqual({ archived: 0 });
    expect((await world.service.listRequests()).items.map((view) => view.requestId)).toEqual([requestId]);
  });

  it('sets aside what has been finished for longer than the retention time, and still answers for it', async () => {
    const { world } = await startAged(30);
    const { requestId: returnId } = await world.service.returnMachines({ machines: [] });
    const before = await world.service.getRequestStatus({ requestId: returnId, includeMachines: true });

    expect(await world.service.archiveRequests()).toEqual({ archived: 1 });

    expect(await world.service.getRequestStatus({ requestId: returnId, includeMachines: true })).toEqual(before);
    expect((await world.service.listRequests()).items.map((view) => view.requestId)).not.toContain(returnId);
    await expect(access(join(world.workDir, 'requests', returnId))).rejects.toThrow();
  });

  it('lets its caller go before it sets anything aside', async () => {
    const { world } = await startAged(30);
    const { requestId: returnId } = await world.service.returnMachines({ machines: [] });
    const isThere: boolean[] = [];
    world.onCallerGo(() => isThere.push(existsSync(join(world.workDir, 'requests', returnId))));
    expect(await world.service.archiveRequests()).toEqual({ archived: 1 });
    expect(isThere).toEqual([true]);
  });

  it('leaves what was finished lately', async () => {
    const { world } = await startAged(90);
    await world.service.returnMachines({ machines: [] });
    expect(await world.service.archiveRequests()).toEqual({ archived: 0 });
  });
});
