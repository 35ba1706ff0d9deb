import { excerpt, PluginError } from '../../domain/errors.ts';
import { isReturnId } from '../../domain/ids.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { requestId, text, version, words } from '../bus/shapes.ts';
import { catchUpOpen, openOf } from '../life-cycle/catch-up.ts';
import type { LifeCyclePorts } from '../life-cycle/ports.ts';
import { decideOnRequest } from '../life-cycle/streams.ts';
import type { RequestStreams } from '../ports/streams.ts';

export const cancelRequest = defineOperation({
  name: 'CancelRequest',
  bus: 'command',
  role: 'operator',
  title: 'Cancel a request that is still running, and terminate its machines',
  input: { requestId, reason: { ...text, description: 'Stored with the event and reported to Host Factory' } },
  required: ['requestId', 'reason'],
  answer: closed({ requestId: words, status: { const: 'cancelled' }, version }),
});

/**
 * Ends a request that is still running: nothing more is launched for it, its fleets go, and the machines it got are terminated.
 * On record first; what AWS does not take now is asked again at every look at the request. Throws `request.not-found`, and
 * `request.settled` for one that has come to its end: its machines are returned, not cancelled.
 */
export const cancelRequestHandler =
  (ports: LifeCyclePorts & { readonly streams: RequestStreams }): HandlerOf<typeof cancelRequest> =>
  async ({ requestId, reason }, origin) => {
    if (isReturnId(requestId))
      throw new PluginError('input.invalid', `${requestId} is a return, which cannot be cancelled`);
    const context = { streams: ports.streams, origin };
    const cancel = { type: 'Cancel', now: ports.clock(), reason } as const;
    const { state, version } = await decideOnRequest(context, requestId, [cancel]);
    if (state.stage === 'absent') throw new PluginError('request.not-found', `no request "${excerpt(requestId)}"`);
    if (state.cancelled === undefined) {
      throw new PluginError('request.settled', `${requestId} is not running any more: return its machines instead`);
    }
    ports.log.info('request.cancelled', reason, { requestId });
    const creates = state.stage === 'open' ? [openOf(requestId, { state, version })] : [];
    const { requests } = await catchUpOpen(ports, context, { creates, returns: [] });
    return { requestId, status: 'cancelled', version: requests.get(requestId)?.version ?? version };
  };
