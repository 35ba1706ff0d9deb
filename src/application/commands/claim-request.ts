import { isCreateId } from '../../domain/ids.ts';
import type { Command, Handler, Operation } from '../bus/bus.ts';
import { decideOnRequest } from '../life-cycle/streams.ts';
import type { Clock } from '../ports/policy.ts';
import type { RequestStreams } from '../ports/streams.ts';

export interface ClaimRequest extends Command {
  readonly type: 'ClaimRequest';
  readonly requestId: string;
}

export interface ClaimRequestAnswer {
  readonly requestId: string;
  readonly version: number;
}

export interface ClaimRequestPorts {
  readonly streams: RequestStreams;
  readonly clock: Clock;
}

/** Records that somebody knows a request as their own: from then on it is not taken for lost. Asks AWS nothing. */
export const claimRequestHandler =
  ({ streams, clock }: ClaimRequestPorts): Handler<Operation<ClaimRequest, ClaimRequestAnswer>> =>
  async ({ requestId }, origin) => {
    if (!isCreateId(requestId)) return { requestId, version: 0 };
    const { version } = await decideOnRequest({ streams, origin }, requestId, [{ type: 'Claim', now: clock() }]);
    return { requestId, version };
  };
