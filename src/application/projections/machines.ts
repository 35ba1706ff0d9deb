import { hasEnded } from '../../domain/machine.ts';
import { currentMachines, type Folded, type MachineView } from '../read-model/views.ts';
import { applyToFolded, type Projection, startFolded } from './projection.ts';

/** A machine as lists show it. */
export type MachineRow = MachineView & { readonly templateId: string };

const handled: ReadonlySet<string> = new Set([
  'RequestCreated',
  'CapacityGranted',
  'MachinesObserved',
  'MachinesMissed',
  'MachinesGivenUp',
  'MachinesDisowned',
  'MachineStatusReported',
  'MachinesReturned',
]);

/** The machines of all requests as last seen. */
export const machinesProjection: Projection<Folded> = {
  name: 'machines',
  handles: (type) => handled.has(type),
  clear: startFolded,
  apply: applyToFolded,
  rows: ({ requestId, state }): readonly MachineRow[] => {
    if ('return' in state || state.create.stage === 'absent') return [];
    const { templateId } = state.create.template;
    const { machines } = state.create;
    return currentMachines(requestId, state.create).map((view) => {
      const known = machines.get(view.machineId);
      // From then on only the return records what becomes of it.
      const isGivenBack = known?.returnId !== undefined && !hasEnded(known.state);
      return { ...view, ...(isGivenBack ? { status: 'shutting-down' } : {}), templateId };
    });
  },
  keepsArchived: false,
};
