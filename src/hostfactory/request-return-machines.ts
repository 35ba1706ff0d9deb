import { asObject } from './fields.ts';
import { readHosts } from './hosts.ts';
import type { Operation } from './operation.ts';

/** Gives hosts back: `{"machines": [{"name": "...", "machineId": "..."}]}`. Always answers with an id to ask about. */
export const requestReturnMachines: Operation = async ({ service, commandId }, input) => {
  const machines = readHosts(asObject(input, 'the input')['machines']);
  const { requestId, message } = await service.returnMachines({
    machines,
    ...(commandId === undefined ? {} : { commandId }),
  });
  return { body: { message, requestId } };
};
