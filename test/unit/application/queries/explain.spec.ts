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

it('tells what is done about a return next, until it is over', async () => {
  const { service, hosts } = await startWorld();
  const machineId = hosts.add({ refusal: 'OperationNotPermitted: protected' });
  const { requestId: id } = await service.returnMachines({ machines: [{ machineId, name: '' }] });
  expect(await service.explain({ id })).toMatchObject({ due: { do: 'terminate', text: `terminate ${machineId}` } });
  hosts.end(machineId);
  await service.syncRequests({ requestIds: [id] });
  expect(await service.explain({ id })).not.toHaveProperty('due');
});
