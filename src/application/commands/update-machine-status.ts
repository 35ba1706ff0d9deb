import { excerpt, PluginError } from '../../domain/errors.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { machineState, pairs, requestId, text, version, words } from '../bus/shapes.ts';
import { recallMachines } from '../life-cycle/host-lookup.ts';
import { decideOnRequest } from '../life-cycle/streams.ts';
import type { Clock } from '../ports/policy.ts';
import type { CapacityLedger, RequestStreams } from '../ports/streams.ts';
import type { Logger } from '../ports/telemetry.ts';

export const updateMachineStatus = defineOperation({
  name: 'UpdateMachineStatus',
  bus: 'command',
  role: 'admin',
  title: 'Record the state of a machine by hand, when EC2 cannot be asked',
  isHot: true,
  input: {
    machineId: text,
    status: machineState,
    requestId: { ...requestId, description: 'The request that launched the machine, if the caller knows it' },
    metadata: { ...pairs, description: 'Stored with the event' },
  },
  required: ['machineId', 'status'],
  answer: closed({ requestId: words, version }),
});

export interface UpdateMachineStatusPorts {
  readonly streams: RequestStreams;
  readonly live: CapacityLedger;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Records a transition somebody saw. Throws `machine.not-found` when no request holds the machine. */
export const updateMachineStatusHandler =
  (ports: UpdateMachineStatusPorts): HandlerOf<typeof updateMachineStatus> =>
  async ({ machineId, status, requestId, metadata = {} }, origin) => {
    const id =
      requestId ?? (await recallMachines(ports, (machine) => machine.machineId === machineId)).recalled[0]?.requestId;
    if (id === undefined)
      throw new PluginError('machine.not-found', `no open request holds a machine ${excerpt(machineId)}`);
    const now = ports.clock();
    const { state, version } = await decideOnRequest({ streams: ports.streams, origin }, id, [
      { type: 'ReportStatus', now, machineId, status, metadata },
      { type: 'Settle', now },
    ]);
    if (state.stage === 'absent' || !state.machines.has(machineId)) {
      throw new PluginError('machine.not-found', `request ${id} holds no machine ${excerpt(machineId)}`);
    }
    return { requestId: id, version };
  };
