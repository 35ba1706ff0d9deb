import { isPluginError, messageOf } from '../domain/errors.ts';
import { isCreateId } from '../domain/ids.ts';
import { hasEnded } from '../domain/machine.ts';
import {
  type KnownReturn,
  needsTermination,
  openItems,
  type ReturnCommand,
  type ReturnItem,
} from '../domain/return-request.ts';
import type { Hosts, LiveRequests, Logger } from './ports.ts';
import { type DecideContext, decideOnRequest, decideOnReturn } from './streams.ts';
import { keepBooks, type Look, type SyncPorts } from './sync-create.ts';

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
  const accepted = await terminateStanding(ports, context, id, now, openItems(state));
  await markReturned(ports, context, id, now, [...accepted, ...newlyEnding(request, state)]);
};

/** Items that EC2 shows as going for the first time: their requests may not know yet. */
const newlyEnding = (before: KnownReturn, after: KnownReturn): readonly ReturnItem[] => {
  const isEnding = (item: ReturnItem | undefined): boolean => item?.last !== undefined && hasEnded(item.last.state);
  return [...after.items.values()].filter((item) => isEnding(item) && !isEnding(before.items.get(item.key)));
};

/** Sends the terminate call for the items that still stand, records what EC2 refused, and answers with the others. */
export const terminateStanding = async (
  { hosts, log }: { readonly hosts: () => Promise<Hosts>; readonly log: Logger },
  context: DecideContext,
  returnId: string,
  now: number,
  items: readonly ReturnItem[],
): Promise<readonly ReturnItem[]> => {
  const standing = items.filter(needsTermination);
  if (standing.length === 0) return [];
  const targets = standing.flatMap(({ last }) => (last === undefined ? [] : [last]));
  const refused = await (await hosts()).terminate(targets);
  for (const [machineId, reason] of refused) log.warn('return.refused', reason, { returnId, machineId });
  if (refused.size > 0) await decideOnReturn(context, returnId, [{ type: 'Refuse', now, refused }]);
  return standing.filter(({ machineId }) => !refused.has(machineId));
};

/**
 * Notes on the requests that launched the machines that Host Factory has given them back, and takes them off the books. What
 * cannot be noted now is noted when EC2 shows the machine as going: it never holds up the return itself.
 */
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
    try {
      const mark = { type: 'MarkReturned', now, returnId, machineIds } as const;
      const { state } = await decideOnRequest(context, owner, [mark, { type: 'Settle', now }]);
      await keepBooks(live, owner, state);
    } catch (error) {
      if (!isPluginError(error)) throw error;
      log.error('return.unmarked', messageOf(error), { returnId, requestId: owner });
    }
  }
};
