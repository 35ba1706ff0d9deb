import { excerpt, PluginError } from '../../domain/errors.ts';
import { closed, listOf, named } from '../bus/json-schema.ts';
import { type AnswerOf, defineOperation, type HandlerOf, type MessageOf } from '../bus/operation.ts';
import { expectedVersion, flag, late, machineOfRequest, notInEvery, request, requestId } from '../bus/shapes.ts';
import type { HandedOn } from '../life-cycle/handed-on.ts';
import type { Clock } from '../ports/policy.ts';
import { pollMs, staleWarning, waitMs } from '../ports/read-model.ts';
import type { StreamReader } from '../ports/streams.ts';
import { machineWithIsoTimes, requestWithIsoTimes } from '../read-model/iso-times.ts';
import { viewOf } from '../read-model/views.ts';

export const getRequestStatus = defineOperation({
  name: 'GetRequestStatus',
  bus: 'query',
  role: 'viewer',
  title: 'Show one request or return from our records',
  isHot: true,
  input: { requestId, includeMachines: { ...flag, description: 'Also show its machines' }, expected: expectedVersion },
  required: ['requestId'],
  answer: named(
    'RequestStatus',
    closed({ ...request, machines: listOf(machineOfRequest), _warning: late }, [...notInEvery, 'machines', '_warning']),
  ),
});

export type GetRequestStatusAnswer = AnswerOf<typeof getRequestStatus>;

export interface GetRequestStatusPorts {
  readonly streams: StreamReader;
  /** What a command of the same call has read. */
  readonly handedOn: Pick<HandedOn, 'take'>;
  readonly clock: Clock;
  /** Waits, ms. */
  readonly pause: (ms: number) => Promise<void>;
}

const load = async (
  { streams, handedOn, clock, pause }: GetRequestStatusPorts,
  { requestId, expected }: MessageOf<typeof getRequestStatus>,
) => {
  const deadline = clock() + (expected?.wait ?? waitMs);
  for (;;) {
    const stream = handedOn.take(requestId) ?? (await streams.load(requestId));
    if (expected === undefined || stream.version >= expected.version) return { stream };
    if (clock() >= deadline) return { stream, late: { _warning: staleWarning } };
    await pause(pollMs);
  }
};

/** The state of a create or return request by our records; makes no AWS call. Throws `request.not-found`. */
export const getRequestStatusHandler =
  (ports: GetRequestStatusPorts): HandlerOf<typeof getRequestStatus> =>
  async (message) => {
    const { requestId, includeMachines = false } = message;
    const { stream, late } = await load(ports, message);
    const view = viewOf(requestId, stream);
    if (view === undefined) throw new PluginError('request.not-found', `no request "${excerpt(requestId)}"`);
    const { machines, ...rest } = view;
    return {
      ...requestWithIsoTimes(rest),
      ...(includeMachines ? { machines: machines.map(machineWithIsoTimes) } : {}),
      ...late,
    };
  };
