import type { AnyOperation } from './bus/operation.ts';
import { archiveRequests } from './commands/archive-requests.ts';
import { cancelRequest } from './commands/cancel-request.ts';
import { claimRequest } from './commands/claim-request.ts';
import { clearOfferings } from './commands/clear-offerings.ts';
import { collectInstanceEvents } from './commands/collect-instance-events.ts';
import { collectLaunchTemplates } from './commands/collect-launch-templates.ts';
import { copyState } from './commands/copy-state.ts';
import { createRequest } from './commands/create-request.ts';
import { noteLook } from './commands/note-look.ts';
import { rebuildProjection } from './commands/rebuild-projection.ts';
import { reconcile } from './commands/reconcile.ts';
import { refreshInstanceTypes } from './commands/refresh-instance-types.ts';
import { refreshPrices } from './commands/refresh-prices.ts';
import { returnMachines } from './commands/return-machines.ts';
import { syncRequests } from './commands/sync-requests.ts';
import { updateMachineStatus } from './commands/update-machine-status.ts';
import { validateTemplate } from './commands/validate-template.ts';
import { diagnose } from './queries/diagnose.ts';
import { diffTemplates } from './queries/diff-templates.ts';
import { explain } from './queries/explain.ts';
import { getConfiguration } from './queries/get-configuration.ts';
import { getMetrics } from './queries/get-metrics.ts';
import { getOverview } from './queries/get-overview.ts';
import { getProjections } from './queries/get-projections.ts';
import { getRequestStatus } from './queries/get-request-status.ts';
import { getReturnRequests } from './queries/get-return-requests.ts';
import { getTemplate } from './queries/get-template.ts';
import { getTemplates } from './queries/get-templates.ts';
import { getUsage } from './queries/get-usage.ts';
import { listAlerts } from './queries/list-alerts.ts';
import { listEvents } from './queries/list-events.ts';
import { listMachines } from './queries/list-machines.ts';
import { listOfferings } from './queries/list-offerings.ts';
import { listPrices } from './queries/list-prices.ts';
import { listRequests } from './queries/list-requests.ts';
import { listTemplates } from './queries/list-templates.ts';
import { verifyState } from './queries/verify-state.ts';

/**
 * The table of operations: what there is, what it takes and answers, who may ask. Nothing that a script loads: what carries them out
 * is in handlers.ts, and comes by itself.
 */
export const operations = {
  CreateRequest: createRequest,
  SyncRequests: syncRequests,
  ReturnMachines: returnMachines,
  UpdateMachineStatus: updateMachineStatus,
  ArchiveRequests: archiveRequests,
  Reconcile: reconcile,
  ClearOfferings: clearOfferings,
  CollectInstanceEvents: collectInstanceEvents,
  NoteLook: noteLook,
  CollectLaunchTemplates: collectLaunchTemplates,
  RefreshInstanceTypes: refreshInstanceTypes,
  RefreshPrices: refreshPrices,
  CancelRequest: cancelRequest,
  ClaimRequest: claimRequest,
  RebuildProjection: rebuildProjection,
  CopyState: copyState,
  ValidateTemplate: validateTemplate,
  Diagnose: diagnose,
  DiffTemplates: diffTemplates,
  Explain: explain,
  GetConfiguration: getConfiguration,
  GetTemplate: getTemplate,
  GetTemplates: getTemplates,
  GetRequestStatus: getRequestStatus,
  GetReturnRequests: getReturnRequests,
  ListRequests: listRequests,
  ListOfferings: listOfferings,
  ListPrices: listPrices,
  GetUsage: getUsage,
  ListMachines: listMachines,
  ListTemplates: listTemplates,
  ListEvents: listEvents,
  GetOverview: getOverview,
  ListAlerts: listAlerts,
  GetProjections: getProjections,
  GetMetrics: getMetrics,
  VerifyState: verifyState,
} as const satisfies Readonly<Record<string, AnyOperation>>;

export type Operations = typeof operations;
export type OperationName = keyof Operations;
