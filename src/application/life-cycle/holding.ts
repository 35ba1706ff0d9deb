import type { KnownRequest, Request } from '../../domain/request/state.ts';
import { liveUnits } from '../../domain/request/units.ts';
import type { Holding } from '../ports/streams.ts';

/** Between two pools it holds nothing. Should the process die then, a sweep finds by the ledger that there is such a request. */
const isBetween = (request: KnownRequest): boolean => request.stage === 'open' && liveUnits(request) === 0;

/**
 * What the ledger of the template is to say of a request that goes from one state to the next; undefined where it is to stay as it is.
 * A new request has reserved all that it wants. `isUnsure`: whether the ledger may say something else than `before`.
 */
export const holdingOf = (
  requestId: string,
  before: Request,
  after: Request,
  isUnsure: boolean,
): Holding | undefined => {
  if (after.stage === 'absent' || isBetween(after)) return undefined;
  return {
    now: { templateId: after.template.templateId, requestId, units: liveUnits(after) },
    before: before.stage === 'absent' ? after.wanted : liveUnits(before),
    isUnsure: isUnsure || (before.stage !== 'absent' && isBetween(before)),
  };
};
