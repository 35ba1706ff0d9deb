import type { SyncRequestsPorts } from './commands/sync-requests.ts';
import { syncRequestsHandler } from './commands/sync-requests.ts';
import type { Origin, RequestStreams } from './ports.ts';

/** A claim whose request never came to be is dropped after this time: its process died between the two writes. */
const claimWithoutRequestMs = 15 * 60_000;

/**
 * Brings the books of a template up to date: looks at EC2 for all machines of the requests on them, so that hosts that died
 * out of band make room again. For the rare moment when a request would exceed `maxNumber`.
 */
export const recountLive =
  (ports: SyncRequestsPorts & { readonly streams: RequestStreams }) =>
  async (templateId: string, origin: Origin): Promise<void> => {
    const claims = await ports.live.list(templateId);
    const requestIds = claims.map(({ requestId }) => requestId);
    await syncRequestsHandler(ports)({ type: 'SyncRequests', requestIds, includeSettled: true }, origin);
    for (const claim of claims) {
      if (ports.clock() - claim.since < claimWithoutRequestMs) continue;
      if ((await ports.streams.load(claim.requestId)).version === 0) await ports.live.settle({ ...claim, units: 0 });
    }
  };
