/** What Host Factory's scripts never use: a part of its own, so that they do not load it. */
export { cancelRequestHandler } from '../../application/commands/cancel-request.ts';
export { claimRequestHandler } from '../../application/commands/claim-request.ts';
export { rebuildProjectionHandler } from '../../application/commands/rebuild-projection.ts';
export { sharingLooks } from '../../application/life-cycle/shared-looks.ts';
export { createReadModel } from '../../application/projections/read-model.ts';
export { getMetricsHandler } from '../../application/queries/get-metrics.ts';
export { getProjectionsHandler } from '../../application/queries/get-projections.ts';
export { listEventsHandler } from '../../application/queries/list-events.ts';
export { listMachinesHandler } from '../../application/queries/list-machines.ts';
export { listRequestsHandler } from '../../application/queries/list-requests.ts';
export { listTemplatesHandler } from '../../application/queries/list-templates.ts';
export { openReturns } from '../../application/read-model/listing.ts';
export { metricsText } from '../../application/read-model/metrics-text.ts';
export { messageProblems } from '../../json/message-problems.ts';
export { createAnswers } from '../../storage/answers.ts';
export { createProjectionStore } from '../../storage/projection-store.ts';
