import { isUnclaimed } from '../../domain/request/units.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { anyId, flag, texts, words } from '../bus/shapes.ts';
import { catchUp, passingTrouble } from '../life-cycle/catch-up.ts';
import { type HandedOn, keeping } from '../life-cycle/handed-on.ts';
import type { LifeCyclePorts } from '../life-cycle/ports.ts';
import { decideOnRequest } from '../life-cycle/streams.ts';
import type { RequestStreams } from '../ports/streams.ts';

export const syncRequests = defineOperation({
  name: 'SyncRequests',
  bus: 'command',
  role: 'operator',
  title: 'Update requests and returns from AWS',
  isHot: true,
  input: {
    requestIds: { type: 'array', items: anyId, maxItems: 100_000 },
    includeSettled: { ...flag, description: 'Also check the machines of requests that have finished' },
    claims: { ...flag, description: 'The caller has these ids from us, so the requests are not abandoned' },
  },
  required: ['requestIds'],
  answer: closed({
    /** Their last known state still counts. */
    unverified: {
      type: 'object',
      additionalProperties: words,
      description: 'Requests that could not be updated, and why',
    },
    /** They may still be released, so nobody must build on them yet. */
    unclaimed: { ...texts, description: 'Requests that could not be marked as claimed' },
  }),
});

export interface SyncRequestsPorts extends LifeCyclePorts {
  readonly streams: RequestStreams;
  readonly handedOn: HandedOn;
}

/** Brings requests and returns up to date with AWS. A request that is final costs nothing. */
export const syncRequestsHandler =
  (ports: SyncRequestsPorts): HandlerOf<typeof syncRequests> =>
  async ({ requestIds, includeSettled = false, claims = false }, origin) => {
    const streams = keeping(ports.streams, ports.handedOn);
    const context = { streams, origin };
    const claim = { type: 'Claim', now: ports.clock() } as const;
    const news = claims ? [claim] : [];
    const { requests, unverified } = await catchUp({ ...ports, streams }, context, requestIds, {
      includeSettled,
      news,
    });
    const troubles = new Map(unverified);
    const unclaimed = new Set<string>();
    // Where the claim was not written along with other news.
    for (const [id, decided] of claims ? requests : []) {
      if (decided.state.stage === 'absent' || !isUnclaimed(decided.state)) continue;
      await decideOnRequest(context, id, [claim], decided).catch((error: unknown) => {
        troubles.set(id, passingTrouble(ports.log, error));
        unclaimed.add(id);
      });
    }
    return { unverified: Object.fromEntries(troubles), unclaimed: [...unclaimed] };
  };
