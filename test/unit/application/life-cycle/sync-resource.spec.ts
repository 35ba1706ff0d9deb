import { expect, it } from 'vitest';
import type { Resource } from '../../../../src/domain/request/events.ts';
import { startWorld } from '../../provider-world.ts';

it('machines that arrive while a search for capacity ends are adopted', async () => {
  const world = await startWorld();
  const resource: Resource = {
    kind: 'EC2Fleet',
    id: 'fleet-1',
    refills: false,
    seeks: true,
    ours: true,
    expiresAt: world.now() + 60_000,
  };
  Object.assign(world.capacity, { launch: async () => ({ machines: [], resource, tryNextPool: false }) });
  const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 2 });
  Object.assign(world.capacity.keeper, {
    end: async () => {
      world.hosts.add({ requestId });
      return 'deleted';
    },
  });
  await world.service.syncRequests({ requestIds: [requestId] });
  expect(await world.service.getRequestStatus({ requestId })).toMatchObject({ counts: { succeed: 1 } });
});
