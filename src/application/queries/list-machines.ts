import { isReturnId } from '../../domain/ids.ts';
import type { MachineState } from '../../domain/machine.ts';
import type { Handler, Message, Operation } from '../bus.ts';
import type { RequestStreams } from '../ports.ts';
import { foldRequest, readAll } from '../streams.ts';
import { currentMachines, type MachineView } from '../views.ts';

export interface ListMachines extends Message {
  readonly type: 'ListMachines';
  readonly status?: MachineState;
  readonly requestId?: string;
  readonly limit?: number;
  readonly offset?: number;
}

export interface ListMachinesAnswer {
  readonly machines: readonly MachineView[];
  /** Records that could not be read, and why. */
  readonly warnings: readonly string[];
}

/** All machines on record as last seen, with the requests that launched them. */
export const listMachinesHandler =
  ({ streams }: { readonly streams: RequestStreams }): Handler<Operation<ListMachines, ListMachinesAnswer>> =>
  async ({ status, requestId, limit, offset = 0 }) => {
    const ids = requestId === undefined ? await streams.ids() : [requestId];
    const { read, warnings } = await readAll(streams, ids.filter((id) => !isReturnId(id)).sort());
    const machines = read
      .flatMap(({ id, stream }) => {
        const request = foldRequest(stream);
        return request.stage === 'absent' ? [] : currentMachines(id, request);
      })
      .filter((machine) => status === undefined || machine.status === status)
      .slice(offset, limit === undefined ? undefined : offset + limit);
    return { machines, warnings };
  };
