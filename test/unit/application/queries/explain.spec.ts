import { expect, it } from 'vitest';
import { startWorld } from '../../provider-world.ts';

it.each([
  ['Client.InternalError: Client error on launch', /KMS key/],
  ['Client.InvalidSnapshot.NotFound: The snapshot is gone', /InvalidSnapshot/],
])('a machine that EC2 could not start (%s) leaves something to do', async (reason, advice) => {
  const { service, hosts } = await startWorld();
  const { requestId } = await service.createRequest({ templateId: 'od-a', maxNumber: 1 });
  const [machineId = ''] = hosts.ids();
  hosts.end(machineId, reason);
  await service.syncRequests({ requestIds: [requestId] });
  for (const id of [requestId, machineId]) {
    const { next } = await service.explain({ id });
    expect(next).toContainEqual(expect.stringMatching(advice));
  }
});
