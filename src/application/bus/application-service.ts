import type { ArchiveRequests, ArchiveRequestsAnswer } from '../commands/archive-requests.ts';
import type { CancelRequest, CancelRequestAnswer } from '../commands/cancel-request.ts';
import type { ClaimRequest, ClaimRequestAnswer } from '../commands/claim-request.ts';
import type { ClearOfferings, ClearOfferingsAnswer } from '../commands/clear-offerings.ts';
import type { CollectLaunchTemplates, CollectLaunchTemplatesAnswer } from '../commands/collect-launch-templates.ts';
import type { CreateRequest, CreateRequestAnswer } from '../commands/create-request.ts';
import type { RebuildProjection, RebuildProjectionAnswer } from '../commands/rebuild-projection.ts';
import type { Reconcile, ReconcileAnswer } from '../commands/reconcile.ts';
import type { RefreshInstanceTypes, RefreshInstanceTypesAnswer } from '../commands/refresh-instance-types.ts';
import type { ReturnMachines, ReturnMachinesAnswer } from '../commands/return-machines.ts';
import type { SyncRequests, SyncRequestsAnswer } from '../commands/sync-requests.ts';
import type { UpdateMachineStatus, UpdateMachineStatusAnswer } from '../commands/update-machine-status.ts';
import type { ValidateTemplate, ValidateTemplateAnswer } from '../commands/validate-template.ts';
import type { MachineRow } from '../projections/machines.ts';
import type { RequestRow } from '../projections/requests.ts';
import type { Diagnose, DiagnoseAnswer } from '../queries/diagnose.ts';
import type { Explain, ExplainAnswer } from '../queries/explain.ts';
import type { ConfigurationReport, GetConfiguration } from '../queries/get-configuration.ts';
import type { GetMetrics, GetMetricsAnswer } from '../queries/get-metrics.ts';
import type { GetProjections, GetProjectionsAnswer } from '../queries/get-projections.ts';
import type { GetRequestStatus, GetRequestStatusAnswer } from '../queries/get-request-status.ts';
import type { GetReturnRequests, GetReturnRequestsAnswer } from '../queries/get-return-requests.ts';
import type { GetTemplates, GetTemplatesAnswer } from '../queries/get-templates.ts';
import type { ListEvents, ListEventsAnswer } from '../queries/list-events.ts';
import type { ListMachines } from '../queries/list-machines.ts';
import type { ListOfferings, ListOfferingsAnswer } from '../queries/list-offerings.ts';
import type { ListRequests } from '../queries/list-requests.ts';
import type { ListTemplates, ListTemplatesAnswer } from '../queries/list-templates.ts';
import type { Paginated } from '../read-model/listing.ts';
import type { Bus, Handlers, Message, Operation } from './bus.ts';

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
  readonly CancelRequest: Operation<CancelRequest, CancelRequestAnswer>;
  readonly ClaimRequest: Operation<ClaimRequest, ClaimRequestAnswer>;
  readonly RebuildProjection: Operation<RebuildProjection, RebuildProjectionAnswer>;
  readonly ValidateTemplate: Operation<ValidateTemplate, ValidateTemplateAnswer>;
}

/** Everything that only reads. */
export interface Queries {
  readonly Diagnose: Operation<Diagnose, DiagnoseAnswer>;
  readonly Explain: Operation<Explain, ExplainAnswer>;
  readonly GetConfiguration: Operation<GetConfiguration, ConfigurationReport>;
  readonly GetTemplates: Operation<GetTemplates, GetTemplatesAnswer>;
  readonly GetRequestStatus: Operation<GetRequestStatus, GetRequestStatusAnswer>;
  readonly GetReturnRequests: Operation<GetReturnRequests, GetReturnRequestsAnswer>;
  readonly ListRequests: Operation<ListRequests, Paginated<RequestRow>>;
  readonly ListOfferings: Operation<ListOfferings, ListOfferingsAnswer>;
  readonly ListMachines: Operation<ListMachines, Paginated<MachineRow>>;
  readonly ListTemplates: Operation<ListTemplates, ListTemplatesAnswer>;
  readonly ListEvents: Operation<ListEvents, ListEventsAnswer>;
  readonly GetProjections: Operation<GetProjections, GetProjectionsAnswer>;
  readonly GetMetrics: Operation<GetMetrics, GetMetricsAnswer>;
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
  diagnose: (input: Omit<Diagnose, 'type'> = {}) => queries.execute({ type: 'Diagnose', ...input }),
  explain: (input: Omit<Explain, 'type'>) => queries.execute({ type: 'Explain', ...input }),
  getConfiguration: (input: Omit<GetConfiguration, 'type'> = {}) =>
    queries.execute({ type: 'GetConfiguration', ...input }),
  reconcile: (input: Omit<Reconcile, 'type'> = {}) => commands.execute({ type: 'Reconcile', ...input }),
  cancelRequest: (input: Omit<CancelRequest, 'type'>) => commands.execute({ type: 'CancelRequest', ...input }),
  claimRequest: (input: Omit<ClaimRequest, 'type'>) => commands.execute({ type: 'ClaimRequest', ...input }),
  rebuildProjection: (input: Omit<RebuildProjection, 'type'> = {}) =>
    commands.execute({ type: 'RebuildProjection', ...input }),
  getTemplates: (input: Omit<GetTemplates, 'type'> = {}) => queries.execute({ type: 'GetTemplates', ...input }),
  getRequestStatus: (input: Omit<GetRequestStatus, 'type'>) => queries.execute({ type: 'GetRequestStatus', ...input }),
  getReturnRequests: (input: Omit<GetReturnRequests, 'type'>) =>
    queries.execute({ type: 'GetReturnRequests', ...input }),
  listRequests: (input: Omit<ListRequests, 'type'> = {}) => queries.execute({ type: 'ListRequests', ...input }),
  listOfferings: (input: Omit<ListOfferings, 'type'> = {}) => queries.execute({ type: 'ListOfferings', ...input }),
  listMachines: (input: Omit<ListMachines, 'type'> = {}) => queries.execute({ type: 'ListMachines', ...input }),
  listTemplates: (input: Omit<ListTemplates, 'type'> = {}) => queries.execute({ type: 'ListTemplates', ...input }),
  listEvents: (input: Omit<ListEvents, 'type'> = {}) => queries.execute({ type: 'ListEvents', ...input }),
  getProjections: (input: Omit<GetProjections, 'type'> = {}) => queries.execute({ type: 'GetProjections', ...input }),
  getMetrics: (input: Omit<GetMetrics, 'type'> = {}) => queries.execute({ type: 'GetMetrics', ...input }),
  /** A message as JSON to one of the buses, for tools. */
  dispatch: (bus: 'command' | 'query', message: Message) => (bus === 'command' ? commands : queries).dispatch(message),
  /** What each bus handles. */
  handlers: { commands: commands.types, queries: queries.types },
});

export type ApplicationService = ReturnType<typeof createApplicationService>;
