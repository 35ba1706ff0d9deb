import type { MachineState } from '../../domain/machine.ts';
import type { Handler, Operation } from '../bus/bus.ts';
import type { MachineRow } from '../projections/machines.ts';
import { type Listing, type ListPorts, listRows, type Paginated } from '../read-model/listing.ts';

export interface ListMachines extends Listing {
  readonly type: 'ListMachines';
  readonly status?: MachineState | undefined;
  readonly machineId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly templateId?: string | undefined;
}

const isRow = (value: unknown): value is MachineRow =>
  typeof value === 'object' && value !== null && 'machineId' in value && 'requestId' in value;

/** All machines on record as last seen, with the requests that launched them; those of the newest request first. */
export const listMachinesHandler =
  (ports: ListPorts): Handler<Operation<ListMachines, Paginated<MachineRow>>> =>
  ({ status, machineId, requestId, templateId, ...listing }) =>
    listRows(ports, 'machines', listing, { fields: { status, machineId, requestId, templateId }, isRow });
