import { closed, named } from '../application/bus/json-schema.ts';
import { requestStatus, version, words } from '../application/bus/shapes.ts';
import { operations } from '../application/operations.ts';

const { CreateRequest, ReturnMachines, CancelRequest, UpdateMachineStatus } = operations;

/** What some routes answer in words of their own; the others answer as the operation declares. */
export const restAnswers = {
  createdRequest: named(
    'CreatedRequest',
    closed({ request_id: words, status: requestStatus, version, message: words }),
  ),
  hostFactoryRequest: named('HostFactoryRequest', CreateRequest.answer),
  createdReturn: named(
    'CreatedReturn',
    closed({ request_id: words, version, message: ReturnMachines.answer.properties.message }),
  ),
  cancelledRequest: named(
    'CancelledRequest',
    closed({ request_id: words, status: CancelRequest.answer.properties.status, version }),
  ),
  recordedStatus: named(
    'RecordedStatus',
    closed({ request_id: words, version: UpdateMachineStatus.answer.properties.version }),
  ),
} as const;

export const health = named('Health', closed({ status: { enum: ['ok', 'stopping'] }, version: words }));

export const problem = named(
  'Problem',
  closed({
    status: { type: 'integer' },
    title: words,
    detail: { ...words, description: 'For people' },
    code: { ...words, description: 'Stable, for programs' },
  }),
);
