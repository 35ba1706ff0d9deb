import type { Request } from '../../domain/request/state.ts';
import { liveUnits } from '../../domain/request/units.ts';
import type { CapacityLedger } from '../ports/streams.ts';
import { noteOutcome, type ProtectionPorts } from './protection.ts';

/** States in the ledger of the template what the request holds now. */
export const updateLedger = async (live: CapacityLedger, requestId: string, request: Request): Promise<void> => {
  if (request.stage === 'absent') return;
  await live.update({ templateId: request.template.templateId, requestId, units: liveUnits(request) });
};

/**
 * What follows from each record of a request, before AWS is called again: the ledger of its template, which has `booked` units for it
 * (undefined: nobody knows), and what is noted of its machines once they are all usable or lost.
 */
export const bookkeeper = (
  { live, ...ports }: ProtectionPorts & { readonly live: CapacityLedger },
  requestId: string,
  booked: number | undefined,
) => {
  let units = booked;
  return async (before: Request, after: Request): Promise<void> => {
    if (after.stage === 'absent') return;
    const held = liveUnits(after);
    // Between two pools it holds nothing. Should the process die then, a sweep finds by the ledger that there is such a request.
    const isBetween = held === 0 && after.stage === 'open';
    if (held !== units && !isBetween) {
      await updateLedger(live, requestId, after);
      units = held;
    }
    if (before.stage !== 'absent') await noteOutcome(ports, before, after);
  };
};
