import { excerpt, PluginError } from '../../domain/errors.ts';
import type { Handler, Message, Operation } from '../bus/bus.ts';
import type { Clock } from '../ports/policy.ts';
import { type Expectation, pollMs, staleWarning, waitMs } from '../ports/read-model.ts';
import type { StreamReader } from '../ports/streams.ts';
import { type RequestView, viewOf } from '../read-model/views.ts';

export interface GetRequestStatus extends Message {
  readonly type: 'GetRequestStatus';
  readonly requestId: string;
  /** Default false. */
  readonly includeMachines?: boolean;
  readonly expected?: Omit<Expectation, 'requestId'> | undefined;
}

export type GetRequestStatusAnswer = Omit<RequestView, 'machines'> &
  Partial<Pick<RequestView, 'machines'>> & {
    /** Set when the version the caller expects has not shown up in time. */
    readonly _warning?: string;
  };

export interface GetRequestStatusPorts {
  readonly streams: StreamReader;
  readonly clock: Clock;
  /** Waits, ms. */
  readonly pause: (ms: number) => Promise<void>;
}

const load = async ({ streams, clock, pause }: GetRequestStatusPorts, { requestId, expected }: GetRequestStatus) => {
  const deadline = clock() + (expected?.wait ?? waitMs);
  for (;;) {
    const stream = await streams.load(requestId);
    if (expected === undefined || stream.version >= expected.version) return { stream };
    if (clock() >= deadline) return { stream, late: { _warning: staleWarning } };
    await pause(pollMs);
  }
};

/** How a create or return request stands by our records; asks AWS nothing. Throws `request.not-found`. */
export const getRequestStatusHandler =
  (ports: GetRequestStatusPorts): Handler<Operation<GetRequestStatus, GetRequestStatusAnswer>> =>
  async (message) => {
    const { requestId, includeMachines = false } = message;
    const { stream, late } = await load(ports, message);
    const view = viewOf(requestId, stream);
    if (view === undefined) throw new PluginError('request.not-found', `no request "${excerpt(requestId)}"`);
    const { machines, ...rest } = view;
    return { ...rest, ...(includeMachines ? { machines } : {}), ...late };
  };
