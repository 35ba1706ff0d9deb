import { hasCode, messageOf } from '../domain/errors.ts';
import { isCreateId } from '../domain/ids.ts';
import { liveUnits } from '../domain/request.ts';
import {
  type KnownReturn,
  needsTermination,
  openItems,
  type ReturnCommand,
  type ReturnItem,
} from '../domain/return-request.ts';
import type { Hosts, LiveRequests, Logger } from './ports.ts';
import { type DecideContext, decideOnRequest, decideOnReturn } from './streams.ts';
import type { Look, SyncPorts } from './sync-create.ts';

export interface OpenReturn {
  readonly id: string;
  readonly request: KnownReturn;
}

/** Brings one return request up to date with a look at EC2, and asks EC2 again for what still stands. */
export const syncReturn = async (
  ports: Pick<SyncPorts, 'hosts' | 'live' | 'log' | 'policy'>,
  context: DecideContext,
  { id, request }: OpenReturn,
  { at: now, seen }: Look,
): Promise<void> => {
  const { consistencyWindow } = ports.policy;
  const observe: ReturnCommand = { type: 'Observe', now, seen: [...seen.values()], consistencyWindow };
  const { state } = await decideOnReturn(context, id, [observe]);
  if (state.stage === 'absent') return;
  const refused = await terminateStanding(ports, openItems(state));
  if (refused.size > 0) await decideOnReturn(context, id, [{ type: 'Refuse', now, refused }]);
  await markReturned(ports, context, id, now, newlyOwned(request, state));
};

/** Sends the terminate call for the items that still stand; answers with EC2's reason per id it refused. */
export const terminateStanding = async (
  { hosts, log }: { readonly hosts: () => Promise<Hosts>; readonly log: Logger },
  items: readonly ReturnItem[],
): Promise<ReadonlyMap<string, string>> => {
  const standing = items.filter(needsTermination).flatMap(({ last }) => (last === undefined ? [] : [last]));
  if (standing.length === 0) return new Map();
  const refused = await (await hosts()).terminate(standing);
  for (const [machineId, reason] of refused) log.warn('return.refused', reason, { machineId });
  return refused;
};

const newlyOwned = (before: KnownReturn, after: KnownReturn): readonly ReturnItem[] =>
  [...after.items.values()].filter(
    ({ key, owner }) => owner !== undefined && before.items.get(key)?.owner === undefined,
  );

/** A damaged record of the request that launched a host is no reason to keep the host. */
const skipUnreadable = (log: Logger) => (error: unknown) => {
  if (!hasCode(error, 'storage.unreadable')) throw error;
  log.error('return.unmarked', messageOf(error));
  return undefined;
};

/** Notes on the requests that launched the machines that Host Factory has given them back, and takes them off the books. */
export const markReturned = async (
  { live, log }: { readonly live: LiveRequests; readonly log: Logger },
  context: DecideContext,
  returnId: string,
  now: number,
  items: readonly ReturnItem[],
): Promise<void> => {
  const byOwner = new Map<string, string[]>();
  for (const { owner, machineId, verdict } of items) {
    if (owner === undefined || verdict === 'foreign' || !isCreateId(owner)) continue;
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), machineId]);
  }
  for (const [owner, machineIds] of byOwner) {
    const decided = await decideOnRequest(context, owner, [
      { type: 'MarkReturned', now, returnId, machineIds },
      { type: 'Settle', now },
    ]).catch(skipUnreadable(log));
    if (decided === undefined || decided.state.stage === 'absent') continue;
    const { state } = decided;
    await live.settle({ templateId: state.template.templateId, requestId: owner, units: liveUnits(state) });
  }
};
