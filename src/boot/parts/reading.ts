/** What Host Factory's scripts never use: a part of its own, so that they do not load it. */
export { sharingLooks } from '../../application/life-cycle/shared-looks.ts';
export { createReadModel } from '../../application/projections/read-model.ts';
export { openReturns } from '../../application/read-model/listing.ts';
export { metricsText } from '../../application/read-model/metrics-text.ts';
export { createAnswers } from '../../storage/answers.ts';
export { createPriceHistory } from '../../storage/price-history.ts';
export { createProjectionStore } from '../../storage/projection-store.ts';
