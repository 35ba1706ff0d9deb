import { isReturnId } from '../../domain/ids.ts';
import type { MachineState } from '../../domain/machine.ts';
import type { Handler, Message, Operation } from '../bus.ts';
import type { RequestStreams } from '../ports.ts';
import { foldRequest } from '../streams.ts';
import { currentMachines, type MachineView } from '../views.ts';

export interface ListMachines extends Message {
  readonly type: 'ListMachines';
  readonly status?: MachineState;
  readonly requestId?: string;
  readonly limit?: number;
  readonly offset?: number;
}

export type ListMachinesAnswer = readonly MachineView[];

/** All machines on record as last seen, with the requests that launched them. */
export const listMachinesHandler =
  ({ streams }: { readonly streams: RequestStreams }): Handler<Operation<ListMachines, ListMachinesAnswer>> =>
  async ({ status, requestId, limit, offset = 0 }) => {
    const ids = requestId === undefined ? await streams.ids() : [requestId];
    const machines: MachineView[] = [];
    for (const id of ids.filter((each) => !isReturnId(each)).sort()) {
      const request = foldRequest(await streams.load(id));
      if (request.stage !== 'absent') machines.push(...currentMachines(id, request));
    }
    return machines
      .filter((machine) => status === undefined || machine.status === status)
      .slice(offset, limit === undefined ? undefined : offset + limit);
  };
