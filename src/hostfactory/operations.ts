import { getAvailableTemplates } from './get-available-templates.ts';
import { getRequestStatus } from './get-request-status.ts';
import { getReturnRequests } from './get-return-requests.ts';
import type { Operation } from './operation.ts';
import { requestMachines } from './request-machines.ts';
import { requestReturnMachines } from './request-return-machines.ts';

interface OperationEntry {
  readonly run: Operation;
  /** Whether Host Factory may call without any input. */
  readonly inputIsOptional: boolean;
  /** Whether it asks the store, as a rule. */
  readonly asksState: boolean;
}

/** Host Factory's interface. The names are its own, capitals and all. */
const operations = {
  getAvailableTemplates: { run: getAvailableTemplates, inputIsOptional: true, asksState: false },
  requestMachines: { run: requestMachines, inputIsOptional: false, asksState: true },
  getRequestStatus: { run: getRequestStatus, inputIsOptional: false, asksState: true },
  requestReturnMachines: { run: requestReturnMachines, inputIsOptional: false, asksState: true },
  getReturnRequests: { run: getReturnRequests, inputIsOptional: true, asksState: false },
} satisfies Record<string, OperationEntry>;

export type OperationName = keyof typeof operations;

export const isOperation = (name: string): name is OperationName => Object.hasOwn(operations, name);

export const operationOf = (name: OperationName): OperationEntry => operations[name];
