import type { ApplicationService } from '../application/bus/application-service.ts';
import type { GetRequestStatusAnswer } from '../application/queries/get-request-status.ts';
import type { RequestStatus } from '../application/read-model/views.ts';
import { hasCode, messageOf } from '../domain/errors.ts';
import { isReturnId } from '../domain/ids.ts';
import { asList, asObject, asText } from './fields.ts';
import type { Operation } from './operation.ts';

const readIds = (value: unknown): readonly string[] =>
  asList(value, 'requests').map((entry, index) =>
    typeof entry === 'string'
      ? asText(entry, `requests[${index}]`)
      : asText(asObject(entry, `requests[${index}]`)['requestId'], `requests[${index}].requestId`),
  );

const row = (machine: NonNullable<GetRequestStatusAnswer['machines']>[number]) => ({
  machineId: machine.machineId,
  name: machine.name,
  result: machine.result,
  status: machine.status,
  privateIpAddress: machine.privateIpAddress,
  publicIpAddress: machine.publicIpAddress,
  // Seconds; 0 where EC2 never showed it.
  launchtime: machine.launchTime === undefined ? 0 : Date.parse(machine.launchTime) / 1000,
  message: machine.message,
  priceType: machine.priceType,
  instanceType: machine.instanceType,
  instanceTags: machine.instanceTags,
  cloudHostId: null,
});

interface Entry {
  readonly requestId: string;
  readonly status: Exclude<RequestStatus, 'cancelled'>;
  readonly message: string;
  readonly machines: readonly ReturnType<typeof row>[];
}

/**
 * A create request nobody knows has failed; a return nobody knows is done with: `running` would make Host Factory ask for ever. A
 * record that cannot be read is neither: Host Factory keeps asking while the administrator mends it.
 */
const failedEntry = (requestId: string, error: unknown): Entry => {
  const known = hasCode(error, 'storage.unreadable', 'storage.unavailable', 'storage.moved');
  if (!known && !hasCode(error, 'request.not-found')) throw error;
  const unknown = isReturnId(requestId) ? 'complete' : 'complete_with_error';
  return { requestId, status: known ? 'running' : unknown, message: messageOf(error), machines: [] };
};

/**
 * In Host Factory's three words. It knows no cancelled request: that runs until its machines are gone, and has then ended badly. Nor
 * must it build on one that could not be marked as claimed.
 */
export const statusOf = (
  { status, settledAt }: Pick<GetRequestStatusAnswer, 'status' | 'settledAt'>,
  isUnclaimed: boolean,
): Entry['status'] => {
  if (isUnclaimed) return 'running';
  if (status !== 'cancelled') return status;
  return settledAt === undefined ? 'running' : 'complete_with_error';
};

const entryOf = async (
  service: ApplicationService,
  requestId: string,
  { unverified, unclaimed }: Awaited<ReturnType<ApplicationService['syncRequests']>>,
): Promise<Entry> => {
  try {
    const view = await service.getRequestStatus({ requestId, includeMachines: true });
    const { message, machines = [] } = view;
    const trouble = unverified[requestId];
    const doubt = trouble === undefined ? [] : [`Not verified with EC2: ${trouble}`];
    const status = statusOf(view, unclaimed.includes(requestId));
    return { requestId, status, message: [message, ...doubt].join(' '), machines: machines.map(row) };
  } catch (error) {
    return failedEntry(requestId, error);
  }
};

/** The states of requests: `{"requests": [{"requestId": "..."}]}`, create and return requests mixed, one entry per id, in order. */
export const getRequestStatus: Operation = async ({ service }, input) => {
  const requestIds = readIds(asObject(input, 'the input')['requests']);
  const synced = await service.syncRequests({ requestIds, claims: true });
  const requests: Entry[] = [];
  for (const requestId of requestIds) requests.push(await entryOf(service, requestId, synced));
  return { body: { requests } };
};
