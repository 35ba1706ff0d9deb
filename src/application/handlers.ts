import type { Message } from './bus/bus.ts';
import type { MessageOf } from './bus/operation.ts';
import type { Origin } from './bus/origin.ts';
import type { ArchiveRequestsPorts } from './commands/archive-requests.ts';
import type { ClaimRequestPorts } from './commands/claim-request.ts';
import type { ClearOfferingsPorts } from './commands/clear-offerings.ts';
import type { CollectInstanceEventsPorts } from './commands/collect-instance-events.ts';
import type { CollectLaunchTemplatesPorts } from './commands/collect-launch-templates.ts';
import type { CopyStatePorts } from './commands/copy-state.ts';
import type { CreateRequestPorts } from './commands/create-request.ts';
import type { NoteLookPorts } from './commands/note-look.ts';
import type { RebuildProjectionPorts } from './commands/rebuild-projection.ts';
import type { ReconcilePorts } from './commands/reconcile.ts';
import type { RefreshInstanceTypesPorts } from './commands/refresh-instance-types.ts';
import type { RefreshPricesPorts } from './commands/refresh-prices.ts';
import type { ReturnMachinesPorts } from './commands/return-machines.ts';
import type { SyncRequestsPorts } from './commands/sync-requests.ts';
import type { UpdateMachineStatusPorts } from './commands/update-machine-status.ts';
import type { ValidateTemplatePorts } from './commands/validate-template.ts';
import type { HandedOn } from './life-cycle/handed-on.ts';
import type { Operations } from './operations.ts';
import type { HostReader } from './ports/instances.ts';
import type { LaunchFailures, OfferingMemory, PriceMemory, UnseenHosts } from './ports/memory.ts';
import type { AwsTime, Clock, Policy } from './ports/policy.ts';
import type { ReadModel } from './ports/read-model.ts';
import type { CapacityLedger, StreamReader } from './ports/streams.ts';
import type { Logger, MetricValues } from './ports/telemetry.ts';
import type { TemplateCatalog, TemplateOrigins } from './ports/templates.ts';
import type { DiagnosePorts } from './queries/diagnose.ts';
import type { DiffTemplatesPorts } from './queries/diff-templates.ts';
import type { ConfigurationReport } from './queries/get-configuration.ts';
import type { Priced } from './queries/get-templates.ts';
import type { ListPricesPorts } from './queries/list-prices.ts';
import type { VerifyStatePorts } from './queries/verify-state.ts';

/** What commands work with. */
export type CommandPorts = Omit<CreateRequestPorts, 'recount'> &
  SyncRequestsPorts &
  ReturnMachinesPorts &
  UpdateMachineStatusPorts &
  ArchiveRequestsPorts &
  ReconcilePorts &
  ClearOfferingsPorts &
  CollectInstanceEventsPorts &
  CollectLaunchTemplatesPorts &
  RefreshInstanceTypesPorts &
  RefreshPricesPorts &
  ClaimRequestPorts &
  RebuildProjectionPorts &
  CopyStatePorts &
  ValidateTemplatePorts &
  NoteLookPorts;

/** What queries work with: nothing of it changes what is on record or at AWS, so that a query which would does not compile. */
export interface QueryPorts
  extends Pick<
    DiagnosePorts,
    'hostChecks' | 'awsChecks' | 'cureOfAws' | 'asksAws' | 'iamPolicy' | 'unreadable' | 'progress'
  > {
  readonly streams: StreamReader;
  readonly handedOn: Pick<HandedOn, 'take'>;
  readonly readModel: Pick<ReadModel, 'read' | 'status' | 'versionsOf'>;
  readonly live: Pick<CapacityLedger, 'list'>;
  readonly failures: Pick<LaunchFailures, 'of' | 'templateIds'>;
  readonly offerings: Pick<OfferingMemory, 'list' | 'refused'>;
  readonly unseen: Pick<UnseenHosts, 'since'>;
  readonly hosts: () => Promise<HostReader>;
  readonly shelf: DiagnosePorts['shelf'];
  readonly inspector: DiagnosePorts['inspector'];
  readonly providers: DiagnosePorts['providers'];
  readonly memory: DiagnosePorts['memory'];
  readonly templates: TemplateCatalog;
  readonly templatesIn: DiffTemplatesPorts['templatesIn'];
  readonly origins: TemplateOrigins;
  readonly priced: Priced;
  readonly prices: PriceMemory;
  readonly rankBy: ListPricesPorts['rankBy'];
  readonly configuration: () => Promise<ConfigurationReport>;
  /** What all processes counted so far. */
  readonly usage: () => Promise<MetricValues>;
  readonly statePlaces: VerifyStatePorts['statePlaces'];
  readonly version: string;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly awsTime: AwsTime;
  /** Waits, ms. */
  readonly pause: (ms: number) => Promise<void>;
  readonly log: Logger;
}

/** What must carry out the operations of one bus. */
type HandlersOf<B extends 'command' | 'query'> = {
  readonly [N in keyof Operations as Operations[N]['bus'] extends B ? N : never]: () => Promise<
    (message: MessageOf<Operations[N]>, origin: Origin) => Promise<unknown>
  >;
};

/** What carries out each command, loaded when its first message comes: a script pays for the operation it runs. */
export const commandHandlers = (ports: CommandPorts) =>
  ({
    CreateRequest: async () => {
      const { createRequestHandler } = await import('./commands/create-request.ts');
      const { recountLive } = await import('./life-cycle/recount.ts');
      return createRequestHandler({ ...ports, recount: recountLive(ports) });
    },
    SyncRequests: async () => (await import('./commands/sync-requests.ts')).syncRequestsHandler(ports),
    ReturnMachines: async () => (await import('./commands/return-machines.ts')).returnMachinesHandler(ports),
    UpdateMachineStatus: async () =>
      (await import('./commands/update-machine-status.ts')).updateMachineStatusHandler(ports),
    ArchiveRequests: async () => (await import('./commands/archive-requests.ts')).archiveRequestsHandler(ports),
    Reconcile: async () => (await import('./commands/reconcile.ts')).reconcileHandler(ports),
    ClearOfferings: async () => (await import('./commands/clear-offerings.ts')).clearOfferingsHandler(ports),
    CollectInstanceEvents: async () =>
      (await import('./commands/collect-instance-events.ts')).collectInstanceEventsHandler(ports),
    NoteLook: async () => (await import('./commands/note-look.ts')).noteLookHandler(ports),
    CollectLaunchTemplates: async () =>
      (await import('./commands/collect-launch-templates.ts')).collectLaunchTemplatesHandler(ports),
    RefreshInstanceTypes: async () =>
      (await import('./commands/refresh-instance-types.ts')).refreshInstanceTypesHandler(ports),
    RefreshPrices: async () => (await import('./commands/refresh-prices.ts')).refreshPricesHandler(ports),
    CancelRequest: async () => (await import('./commands/cancel-request.ts')).cancelRequestHandler(ports),
    ClaimRequest: async () => (await import('./commands/claim-request.ts')).claimRequestHandler(ports),
    RebuildProjection: async () => (await import('./commands/rebuild-projection.ts')).rebuildProjectionHandler(ports),
    CopyState: async () => (await import('./commands/copy-state.ts')).copyStateHandler(ports),
    ValidateTemplate: async () => (await import('./commands/validate-template.ts')).validateTemplateHandler(ports),
  }) satisfies HandlersOf<'command'>;

/** The same of queries. */
export const queryHandlers = (ports: QueryPorts) =>
  ({
    Diagnose: async () => (await import('./queries/diagnose.ts')).diagnoseHandler(ports),
    DiffTemplates: async () => (await import('./queries/diff-templates.ts')).diffTemplatesHandler(ports),
    Explain: async () => (await import('./queries/explain.ts')).explainHandler(ports),
    GetConfiguration: async () => (await import('./queries/get-configuration.ts')).getConfigurationHandler(ports),
    GetTemplate: async () => (await import('./queries/get-template.ts')).getTemplateHandler(ports),
    GetTemplates: async () => (await import('./queries/get-templates.ts')).getTemplatesHandler(ports),
    GetRequestStatus: async () => (await import('./queries/get-request-status.ts')).getRequestStatusHandler(ports),
    GetReturnRequests: async () => (await import('./queries/get-return-requests.ts')).getReturnRequestsHandler(ports),
    ListRequests: async () => (await import('./queries/list-requests.ts')).listRequestsHandler(ports),
    ListOfferings: async () => (await import('./queries/list-offerings.ts')).listOfferingsHandler(ports),
    ListPrices: async () => (await import('./queries/list-prices.ts')).listPricesHandler(ports),
    GetUsage: async () => (await import('./queries/get-usage.ts')).getUsageHandler(ports),
    ListMachines: async () => (await import('./queries/list-machines.ts')).listMachinesHandler(ports),
    ListTemplates: async () => (await import('./queries/list-templates.ts')).listTemplatesHandler(ports),
    ListEvents: async () => (await import('./queries/list-events.ts')).listEventsHandler(ports),
    GetOverview: async () => (await import('./queries/get-overview.ts')).getOverviewHandler(ports),
    ListAlerts: async () => (await import('./queries/list-alerts.ts')).listAlertsHandler(ports),
    GetProjections: async () => (await import('./queries/get-projections.ts')).getProjectionsHandler(ports),
    GetMetrics: async () => (await import('./queries/get-metrics.ts')).getMetricsHandler(ports),
    VerifyState: async () => (await import('./queries/verify-state.ts')).verifyStateHandler(ports),
  }) satisfies HandlersOf<'query'>;

/** The messages that these handlers take, with their answers. */
type MessagesOf<H> = {
  readonly [N in keyof H]: H[N] extends () => Promise<
    (message: infer M extends Message, origin: Origin) => Promise<infer A>
  >
    ? { readonly message: M; readonly answer: A }
    : never;
};

/** Everything that changes state. A command answers with ids and versions, never with a view. */
export type Commands = MessagesOf<ReturnType<typeof commandHandlers>>;
/** Everything that only reads. */
export type Queries = MessagesOf<ReturnType<typeof queryHandlers>>;
