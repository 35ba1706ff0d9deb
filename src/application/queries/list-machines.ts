import { named } from '../bus/json-schema.ts';
import { type AnswerOf, defineOperation, type HandlerOf } from '../bus/operation.ts';
import { listing, machineOnRecord, machineState, pageOf, requestId, text } from '../bus/shapes.ts';
import type { MachineRow } from '../projections/machines.ts';
import { machineWithIsoTimes } from '../read-model/iso-times.ts';
import { type ListPorts, listRows } from '../read-model/listing.ts';

export const listMachines = defineOperation({
  name: 'ListMachines',
  bus: 'query',
  role: 'viewer',
  title: 'List machines as last seen, those of the newest request first',
  input: {
    ...listing,
    status: machineState,
    machineId: { ...text, description: 'Only this machine' },
    requestId: { ...requestId, description: 'Only machines of this request' },
    templateId: { ...text, description: 'Only machines of this template' },
  },
  answer: named('MachinePage', pageOf(machineOnRecord, {})),
});

export type ListMachinesAnswer = AnswerOf<typeof listMachines>;

const isRow = (value: unknown): value is MachineRow =>
  typeof value === 'object' && value !== null && 'machineId' in value && 'requestId' in value;

/** All machines on record as last seen, with the requests that launched them; those of the newest request first. */
export const listMachinesHandler =
  (ports: ListPorts): HandlerOf<typeof listMachines> =>
  async ({ status, machineId, requestId, templateId, ...listing }) => {
    const found = await listRows(ports, 'machines', listing, {
      fields: { status, machineId, requestId, templateId },
      isRow,
    });
    return { ...found, items: found.items.map(machineWithIsoTimes) };
  };
