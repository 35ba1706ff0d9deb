import { liveUnits } from '../../domain/request/units.ts';
import type { Origin } from '../bus/origin.ts';
import type { RequestStreams } from '../ports/streams.ts';
import { catchUp } from './catch-up.ts';
import type { LifeCyclePorts } from './ports.ts';

/** A claim whose request never came to be is dropped after this time: its process died between the two writes. */
const claimWithoutRequestMs = 15 * 60_000;

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
      if (decided === undefined) continue;
      if (decided.state.stage !== 'absent') await ports.live.update({ ...claim, units: liveUnits(decided.state) });
      else if (ports.clock() - claim.since > claimWithoutRequestMs) await ports.live.update({ ...claim, units: 0 });
    }
  };
