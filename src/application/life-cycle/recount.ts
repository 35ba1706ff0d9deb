import { messageOf } from '../../domain/errors.ts';
import type { Origin } from '../bus/origin.ts';
import { type SyncRequestsPorts, syncRequestsHandler } from '../commands/sync-requests.ts';
import { foldRequest } from './streams.ts';
import { keepBooks } from './syncing.ts';

/** A claim whose request never came to be is dropped after this time: its process died between the two writes. */
const claimWithoutRequestMs = 15 * 60_000;

/**
 * Brings the books of a template up to date: looks at EC2 for all machines of the requests on them, so that hosts that died
 * out of band make room again, and states what each request holds by its record. For the rare moment when a request would
 * exceed `maxNumber`.
 */
export const recountLive =
  (ports: SyncRequestsPorts) =>
  async (templateId: string, origin: Origin): Promise<void> => {
    const claims = await ports.live.list(templateId);
    const requestIds = claims.map(({ requestId }) => requestId);
    await syncRequestsHandler(ports)({ type: 'SyncRequests', requestIds, includeSettled: true }, origin);
    for (const claim of claims) {
      try {
        const request = foldRequest(await ports.streams.load(claim.requestId));
        if (request.stage !== 'absent') await keepBooks(ports.live, claim.requestId, request);
        else if (ports.clock() - claim.since > claimWithoutRequestMs) await ports.live.settle({ ...claim, units: 0 });
      } catch (error) {
        // A record that cannot be read keeps its claim: its machines may live.
        ports.log.error('recount.unreadable', messageOf(error), { requestId: claim.requestId });
      }
    }
  };
