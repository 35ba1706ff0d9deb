import type { Request } from '../../domain/request/state.ts';
import { liveUnits } from '../../domain/request/units.ts';
import type { Origin } from '../bus/origin.ts';
import type { CapacityLedger, ListedClaim, RequestStreams } from '../ports/streams.ts';
import { catchUp } from './catch-up.ts';
import type { LifeCyclePorts } from './ports.ts';

/** A claim whose request never came to be is dropped after this time: its process died between the two writes. */
const claimWithoutRequestMs = 15 * 60_000;

/** Has the ledger say of a request what its record says. */
export const correctClaim = async (
  { live, clock }: Pick<LifeCyclePorts, 'clock'> & { readonly live: Pick<CapacityLedger, 'update'> },
  claim: ListedClaim,
  request: Request,
): Promise<void> => {
  const isAbsent = request.stage === 'absent';
  if (isAbsent && clock() - claim.since <= claimWithoutRequestMs) return;
  const units = isAbsent ? 0 : liveUnits(request);
  if (units !== claim.units) await live.update({ ...claim, units });
};

/**
 * Brings the ledger of a template up to date: looks at EC2 for all machines of the requests on them, so that hosts that died
 * out of band make room again, and states what each request holds by its record. For the rare moment when a request would
 * exceed `maxNumber`.
 */
export const recountLive =
  (ports: LifeCyclePorts & { readonly streams: RequestStreams }) =>
  async (templateId: string, origin: Origin): Promise<void> => {
    const claims = await ports.live.list(templateId);
    const ids = claims.map(({ requestId }) => requestId);
    const { requests } = await catchUp(ports, { streams: ports.streams, origin }, ids, { includeSettled: true });
    for (const claim of claims) {
      const decided = requests.get(claim.requestId);
      // A record that cannot be read keeps its claim: its machines may live.
      if (decided !== undefined) await correctClaim(ports, claim, decided.state);
    }
  };
