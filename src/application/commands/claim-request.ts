import { isCreateId } from '../../domain/ids.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { anyId, version, words } from '../bus/shapes.ts';
import { decideOnRequest } from '../life-cycle/streams.ts';
import type { Clock } from '../ports/policy.ts';
import type { RequestStreams } from '../ports/streams.ts';

export const claimRequest = defineOperation({
  name: 'ClaimRequest',
  bus: 'command',
  role: 'operator',
  title: 'Record that the caller knows the id of a request',
  input: { requestId: anyId },
  required: ['requestId'],
  answer: closed({ requestId: words, version }),
});

export interface ClaimRequestPorts {
  readonly streams: RequestStreams;
  readonly clock: Clock;
}

/** Records that somebody knows a request as their own: from then on it is not taken for lost. Asks AWS nothing. */
export const claimRequestHandler =
  ({ streams, clock }: ClaimRequestPorts): HandlerOf<typeof claimRequest> =>
  async ({ requestId }, origin) => {
    if (!isCreateId(requestId)) return { requestId, version: 0 };
    const { version } = await decideOnRequest({ streams, origin }, requestId, [{ type: 'Claim', now: clock() }]);
    return { requestId, version };
  };
