import { hasCode, isPluginError, messageOf } from '../domain/errors.ts';
import { isCreateId } from '../domain/ids.ts';
import { hasEnded } from '../domain/machine.ts';
import { absentRequest, liveMachines, missingUnits, type Request } from '../domain/request.ts';
import {
  decideReturn,
  evolveReturn,
  type KnownReturn,
  needsTermination,
  openItems,
  type ReturnCommand,
  type ReturnItem,
  type ReturnRequest,
} from '../domain/return-request.ts';
import type { LiveRequests, Logger } from './ports.ts';
import { type DecideContext, decideOnRequest, decideOnReturn, foldRequest } from './streams.ts';
import { keeperOf, targetFor } from './sync-resource.ts';
import { keepBooks, type Look, type SyncPorts } from './syncing.ts';

export type ReturnPorts = Pick<SyncPorts, 'hosts' | 'live' | 'log' | 'providers'>;

export interface OpenReturn {
  readonly id: string;
  readonly request: KnownReturn;
}

/** Brings one return request up to date with a look at EC2, and asks EC2 again for what still stands. */
export const syncReturn = async (
  ports: ReturnPorts & Pick<SyncPorts, 'policy'>,
  context: DecideContext,
  { id, request }: OpenReturn,
  { at: now, seen }: Look,
): Promise<void> => {
  const { consistencyWindow } = ports.policy;
  const observe: ReturnCommand = { type: 'Observe', now, seen: [...seen.values()], consistencyWindow };
  const after = decideReturn(observe, request).reduce<ReturnRequest>(evolveReturn, request);
  if (after.stage === 'settled') {
    // Before the return is complete: nobody asks about it afterwards.
    await markReturned(ports, context, id, now, newlyEnding(request, after));
    await removeEmptied(ports, context, now, [...after.items.values()]);
  }
  const { state } = await decideOnReturn(context, id, [observe]);
  if (state.stage !== 'open') return;
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
  ports: ReturnPorts,
  context: DecideContext,
  returnId: string,
  now: number,
  items: readonly ReturnItem[],
): Promise<readonly ReturnItem[]> => {
  const standing = items.filter(needsTermination);
  if (standing.length === 0) return [];
  const done = await releaseFromResources(ports, context, standing);
  const targets = standing.flatMap(({ last }) => (last === undefined || done.has(last.machineId) ? [] : [last]));
  const refused = targets.length === 0 ? new Map<string, string>() : await (await ports.hosts()).terminate(targets);
  for (const [machineId, reason] of refused) ports.log.warn('return.refused', reason, { returnId, machineId });
  if (refused.size > 0) await decideOnReturn(context, returnId, [{ type: 'Refuse', now, refused }]);
  return standing.filter(({ machineId }) => !refused.has(machineId));
};

const ownersOf = (items: readonly ReturnItem[]): readonly string[] => [
  ...new Set(items.flatMap(({ owner }) => (owner !== undefined && isCreateId(owner) ? [owner] : []))),
];

/** A damaged record is no reason to keep a host: it goes without its fleet being told. */
const withoutRecord =
  (log: Logger) =>
  (error: unknown): Request => {
    if (!hasCode(error, 'storage.unreadable')) throw error;
    log.error('return.unreleased', messageOf(error));
    return absentRequest;
  };

/**
 * Machines of a maintain fleet or a group would be replaced: it is told first what it shall hold from now on. Answers with the ids
 * that a group terminates itself.
 */
const releaseFromResources = async (
  ports: ReturnPorts,
  { streams }: DecideContext,
  items: readonly ReturnItem[],
): Promise<ReadonlySet<string>> => {
  const done = new Set<string>();
  for (const owner of ownersOf(items)) {
    const request = await streams.load(owner).then(foldRequest, withoutRecord(ports.log));
    if (request.stage === 'absent') continue;
    const going = new Set(items.filter((item) => item.owner === owner).map(({ machineId }) => machineId));
    const staying = liveMachines(request).filter(({ machineId }) => !going.has(machineId));
    for (const resource of request.resources.filter(({ stage, refills }) => refills && stage !== 'deleted')) {
      const owed = resource.stage === 'filling' ? missingUnits(request) : 0;
      const keeper = await keeperOf(ports, resource.kind);
      const { total, onDemand } = targetFor(request, staying);
      const share = request.template.priceType === 'ondemand' ? owed : 0;
      const target = { total: total + owed, onDemand: onDemand + share };
      const released = await keeper.release(resource, [...going], target);
      for (const machineId of released) done.add(machineId);
    }
  }
  return done;
};

/** Removes fleets and groups of ours of which nothing is wanted any more. */
const removeEmptied = async (
  ports: ReturnPorts,
  context: DecideContext,
  now: number,
  items: readonly ReturnItem[],
): Promise<void> => {
  for (const owner of ownersOf(items)) {
    const request = foldRequest(await context.streams.load(owner));
    if (request.stage !== 'settled' || liveMachines(request).length > 0) continue;
    for (const resource of request.resources.filter(({ stage, ours }) => ours && stage !== 'deleted')) {
      await (await keeperOf(ports, resource.kind)).remove(resource);
      const change = { type: 'ChangeResource', now, resourceId: resource.id, stage: 'deleted' } as const;
      await decideOnRequest(context, owner, [change]);
    }
  }
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
