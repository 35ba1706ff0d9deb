import type { Request } from '../../domain/request/state.ts';
import { liveUnits } from '../../domain/request/units.ts';
import type { CapacityLedger } from '../ports/streams.ts';
import { noteOutcome, type ProtectionPorts } from './protection.ts';

/** States in the ledger of the template what the request holds now. `before`: what they say, where that is known. */
export const updateLedger = async (
  live: CapacityLedger,
  requestId: string,
  request: Request,
  before?: number,
): Promise<void> => {
  if (request.stage === 'absent') return;
  await live.update({ templateId: request.template.templateId, requestId, units: liveUnits(request) }, before);
};

/** Between two pools it holds nothing. Should the process die then, a sweep finds by the ledger that there is such a request. */
const isBetween = (request: Request): boolean => request.stage === 'open' && liveUnits(request) === 0;

/** What the ledger should say by the record; undefined where they may say more. */
const bookedBy = (request: Request): number | undefined =>
  request.stage === 'absent' || isBetween(request) ? undefined : liveUnits(request);

/**
 * What goes with each record of a request, before AWS is called again: the ledger of its template, in which `booked` units stand
 * (undefined: nobody has looked), and what is noted of its machines once they are all usable or lost. The ledger is raised before the
 * record and lowered after it: whoever is killed in between leaves it too high, which counting mends, and never too low.
 */
export const bookkeeper = (
  { live, ...ports }: ProtectionPorts & { readonly live: CapacityLedger },
  requestId: string,
  booked: number | undefined,
) => {
  let units = booked;
  const write = async (request: Request, held: number, before: Request): Promise<void> => {
    await updateLedger(live, requestId, request, units ?? bookedBy(before));
    units = held;
  };
  return {
    raise: async (before: Request, after: Request): Promise<void> => {
      if (before.stage === 'absent' || after.stage === 'absent') return;
      const held = liveUnits(after);
      if (held > (units ?? liveUnits(before))) await write(after, held, before);
    },
    follow: async (before: Request, after: Request): Promise<void> => {
      if (after.stage === 'absent') return;
      const held = liveUnits(after);
      if (held !== units && !isBetween(after)) await write(after, held, before);
      if (before.stage !== 'absent') await noteOutcome(ports, before, after);
    },
  };
};
