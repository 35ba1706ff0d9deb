import type { Bus, Handlers, Operation } from './bus.ts';
import type { ArchiveRequests, ArchiveRequestsAnswer } from './commands/archive-requests.ts';
import type { ClearOfferings, ClearOfferingsAnswer } from './commands/clear-offerings.ts';
import type { CollectLaunchTemplates, CollectLaunchTemplatesAnswer } from './commands/collect-launch-templates.ts';
import type { CreateRequest, CreateRequestAnswer } from './commands/create-request.ts';
import type { Reconcile, ReconcileAnswer } from './commands/reconcile.ts';
import type { RefreshInstanceTypes, RefreshInstanceTypesAnswer } from './commands/refresh-instance-types.ts';
import type { ReturnMachines, ReturnMachinesAnswer } from './commands/return-machines.ts';
import type { SyncRequests, SyncRequestsAnswer } from './commands/sync-requests.ts';
import type { UpdateMachineStatus, UpdateMachineStatusAnswer } from './commands/update-machine-status.ts';
import type { ValidateTemplate, ValidateTemplateAnswer } from './commands/validate-template.ts';
import type { GetRequestStatus, GetRequestStatusAnswer } from './queries/get-request-status.ts';
import type { GetReturnRequests, GetReturnRequestsAnswer } from './queries/get-return-requests.ts';
import type { GetTemplates, GetTemplatesAnswer } from './queries/get-templates.ts';
import type { ListMachines, ListMachinesAnswer } from './queries/list-machines.ts';
import type { ListOfferings, ListOfferingsAnswer } from './queries/list-offerings.ts';
import type { ListRequests, ListRequestsAnswer } from './queries/list-requests.ts';

/** Everything that changes state. A command answers with ids and versions, never with a view. */
export interface Commands {
  readonly CreateRequest: Operation<CreateRequest, CreateRequestAnswer>;
  readonly SyncRequests: Operation<SyncRequests, SyncRequestsAnswer>;
  readonly ReturnMachines: Operation<ReturnMachines, ReturnMachinesAnswer>;
  readonly UpdateMachineStatus: Operation<UpdateMachineStatus, UpdateMachineStatusAnswer>;
  readonly ArchiveRequests: Operation<ArchiveRequests, ArchiveRequestsAnswer>;
  readonly ClearOfferings: Operation<ClearOfferings, ClearOfferingsAnswer>;
  readonly CollectLaunchTemplates: Operation<CollectLaunchTemplates, CollectLaunchTemplatesAnswer>;
  readonly RefreshInstanceTypes: Operation<RefreshInstanceTypes, RefreshInstanceTypesAnswer>;
  readonly Reconcile: Operation<Reconcile, ReconcileAnswer>;
  readonly ValidateTemplate: Operation<ValidateTemplate, ValidateTemplateAnswer>;
}

/** Everything that only reads. */
export interface Queries {
  readonly GetTemplates: Operation<GetTemplates, GetTemplatesAnswer>;
  readonly GetRequestStatus: Operation<GetRequestStatus, GetRequestStatusAnswer>;
  readonly GetReturnRequests: Operation<GetReturnRequests, GetReturnRequestsAnswer>;
  readonly ListRequests: Operation<ListRequests, ListRequestsAnswer>;
  readonly ListOfferings: Operation<ListOfferings, ListOfferingsAnswer>;
  readonly ListMachines: Operation<ListMachines, ListMachinesAnswer>;
}

export type CommandHandlers = Handlers<Commands>;
export type QueryHandlers = Handlers<Queries>;

/** The one way in for every door: Host Factory's scripts, the command line, REST. */
export const createApplicationService = (commands: Bus<Commands>, queries: Bus<Queries>) => ({
  createRequest: (input: Omit<CreateRequest, 'type'>) => commands.execute({ type: 'CreateRequest', ...input }),
  syncRequests: (input: Omit<SyncRequests, 'type'>) => commands.execute({ type: 'SyncRequests', ...input }),
  returnMachines: (input: Omit<ReturnMachines, 'type'>) => commands.execute({ type: 'ReturnMachines', ...input }),
  updateMachineStatus: (input: Omit<UpdateMachineStatus, 'type'>) =>
    commands.execute({ type: 'UpdateMachineStatus', ...input }),
  validateTemplate: (input: Omit<ValidateTemplate, 'type'>) => commands.execute({ type: 'ValidateTemplate', ...input }),
  clearOfferings: (input: Omit<ClearOfferings, 'type'> = {}) => commands.execute({ type: 'ClearOfferings', ...input }),
  collectLaunchTemplates: (input: Omit<CollectLaunchTemplates, 'type'>) =>
    commands.execute({ type: 'CollectLaunchTemplates', ...input }),
  refreshInstanceTypes: (input: Omit<RefreshInstanceTypes, 'type'> = {}) =>
    commands.execute({ type: 'RefreshInstanceTypes', ...input }),
  archiveRequests: (input: Omit<ArchiveRequests, 'type'> = {}) =>
    commands.execute({ type: 'ArchiveRequests', ...input }),
  reconcile: (input: Omit<Reconcile, 'type'> = {}) => commands.execute({ type: 'Reconcile', ...input }),
  getTemplates: (input: Omit<GetTemplates, 'type'> = {}) => queries.execute({ type: 'GetTemplates', ...input }),
  getRequestStatus: (input: Omit<GetRequestStatus, 'type'>) => queries.execute({ type: 'GetRequestStatus', ...input }),
  getReturnRequests: (input: Omit<GetReturnRequests, 'type'>) =>
    queries.execute({ type: 'GetReturnRequests', ...input }),
  listRequests: (input: Omit<ListRequests, 'type'> = {}) => queries.execute({ type: 'ListRequests', ...input }),
  listOfferings: (input: Omit<ListOfferings, 'type'> = {}) => queries.execute({ type: 'ListOfferings', ...input }),
  listMachines: (input: Omit<ListMachines, 'type'> = {}) => queries.execute({ type: 'ListMachines', ...input }),
});

export type ApplicationService = ReturnType<typeof createApplicationService>;
