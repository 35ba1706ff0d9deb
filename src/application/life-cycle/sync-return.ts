import { hasCode, isPluginError, messageOf } from '../../domain/errors.ts';
import { isCreateId } from '../../domain/ids.ts';
import { hasEnded } from '../../domain/machine.ts';
import { absentRequest, type KnownRequest, type Request } from '../../domain/request/state.ts';
import { liveMachines } from '../../domain/request/units.ts';
import {
  decideReturn,
  evolveReturn,
  type KnownReturn,
  needsTermination,
  openItems,
  type ReturnCommand,
  type ReturnItem,
  type ReturnRequest,
  wasRefused,
} from '../../domain/return/return-request.ts';
import type { LiveRequests } from '../ports/streams.ts';
import type { Logger } from '../ports/telemetry.ts';
import { keepBooks } from './bookkeeping.ts';
import { keeperOf, unlessFault } from './keepers.ts';
import type { OpenReturn, SharedLook } from './look.ts';
import type { LifeCyclePorts } from './ports.ts';
import { type DecideContext, decideOnRequest, decideOnReturn, foldRequest } from './streams.ts';
import { terminateInResources } from './terminate.ts';

export type ReturnPorts = Pick<LifeCyclePorts, 'hosts' | 'live' | 'log' | 'providers'>;

/** Brings one return request up to date with a look at EC2, and asks EC2 again for what still stands. */
export const syncReturn = async (
  ports: ReturnPorts & Pick<LifeCyclePorts, 'policy'>,
  context: DecideContext,
  { id, request }: OpenReturn,
  look: SharedLook,
): Promise<void> => {
  const { at: now, seen } = look;
  const consistencyWindow = look.isAwsTime ? ports.policy.consistencyWindow : undefined;
  const observe: ReturnCommand = { type: 'Observe', now, seen: [...seen.values()], consistencyWindow };
  const after = decideReturn(observe, request).reduce<ReturnRequest>(evolveReturn, request);
  if (after.stage === 'settled') {
    // Before the return is complete: nobody asks about it afterwards.
    await markReturned(ports, context, id, now, newlyEnding(request, after));
    await leaveResources(ports, context, now, [...after.items.values()]);
  }
  const { state } = await decideOnReturn(context, id, [observe]);
  if (state.stage !== 'open') return;
  const accepted = await terminateStanding(ports, context, id, now, openItems(state));
  await markReturned(ports, context, id, now, [...accepted, ...newlyEnding(request, state)]);
};

/** Items that are going, taken for gone, or not ours to end, for the first time: their requests may not know yet. */
const newlyEnding = (before: KnownReturn, after: KnownReturn): readonly ReturnItem[] => {
  const isEnding = (item: ReturnItem | undefined): boolean =>
    item?.verdict === 'gone' || item?.verdict === 'foreign' || (item?.last !== undefined && hasEnded(item.last.state));
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
  const { done, refused } = await terminateByOwner(ports, context, standing);
  const left = standing.filter(({ machineId }) => !done.has(machineId) && !refused.has(machineId));
  // Those refused before go apart and last: they are not to hold up the others.
  const fresh = left.filter((item) => !wasRefused(item));
  for (const [machineId, reason] of await terminateByEc2(ports, fresh)) refused.set(machineId, reason);
  const again = left.filter(wasRefused);
  const refusedAgain = await terminateByEc2(ports, again).catch((error: unknown) => {
    // What became of the others has to be noted.
    if (!isPluginError(error) || again.length === standing.length) throw error;
    return new Map(again.map(({ machineId }) => [machineId, messageOf(error)] as const));
  });
  for (const [machineId, reason] of refusedAgain) refused.set(machineId, reason);
  for (const [machineId, reason] of refused) ports.log.warn('return.refused', reason, { returnId, machineId });
  if (refused.size > 0) await decideOnReturn(context, returnId, [{ type: 'Refuse', now, refused }]);
  return standing.filter(({ machineId }) => !refused.has(machineId));
};

const terminateByEc2 = async (
  ports: ReturnPorts,
  items: readonly ReturnItem[],
): Promise<ReadonlyMap<string, string>> => {
  const targets = items.flatMap(({ last }) => last ?? []);
  return targets.length === 0 ? new Map() : (await ports.hosts()).terminate(targets);
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

/** Machines that fleets and groups have to terminate themselves, request by request. */
const terminateByOwner = async (
  ports: ReturnPorts,
  { streams }: DecideContext,
  items: readonly ReturnItem[],
): Promise<{ readonly done: ReadonlySet<string>; readonly refused: Map<string, string> }> => {
  const done = new Set<string>();
  const refused = new Map<string, string>();
  for (const owner of ownersOf(items)) {
    const request = await streams.load(owner).then(foldRequest, withoutRecord(ports.log));
    if (request.stage === 'absent') continue;
    const going = items.filter((item) => item.owner === owner).map(({ machineId }) => machineId);
    const outcome = await terminateInResources(ports, request, new Set(going));
    for (const machineId of outcome.done) done.add(machineId);
    for (const [machineId, reason] of outcome.refused) refused.set(machineId, reason);
  }
  return { done, refused };
};

/** When a return is over: what its hosts leave behind in fleets and groups. What cannot go now is no reason to hold up the return. */
export const leaveResources = async (
  ports: ReturnPorts,
  context: DecideContext,
  now: number,
  items: readonly ReturnItem[],
): Promise<void> => {
  for (const owner of ownersOf(items)) {
    const request = await context.streams.load(owner).then(foldRequest, withoutRecord(ports.log));
    if (request.stage === 'absent') continue;
    const gone = items.filter((item) => item.owner === owner && item.verdict === 'gone');
    await leaveGroups(ports, request, new Set(gone.map(({ machineId }) => machineId)));
    await removeEmptied(ports, context, owner, request, now);
  }
};

/**
 * A host that died by itself is still counted by the group of the administrator's that it was launched into: it leaves with the
 * capacity it stands for.
 */
const leaveGroups = async (ports: ReturnPorts, request: KnownRequest, gone: ReadonlySet<string>): Promise<void> => {
  const resources = request.resources.filter(({ ours }) => !ours);
  if (gone.size === 0 || resources.length === 0) return;
  const { refused } = await terminateInResources(ports, { ...request, resources }, gone);
  for (const [machineId, reason] of refused) ports.log.warn('return.counted', reason, { machineId });
};

/** Removes groups of ours of which nothing is wanted any more. */
const removeEmptied = async (
  ports: ReturnPorts,
  context: DecideContext,
  owner: string,
  request: KnownRequest,
  now: number,
): Promise<void> => {
  if (request.stage !== 'settled' || liveMachines(request).length > 0) return;
  for (const resource of request.resources.filter(({ stage, ours }) => ours && stage !== 'deleted')) {
    const keeper = await keeperOf(ports, resource.kind);
    const removed = await unlessFault(
      ports.log,
      resource,
      keeper.remove(resource).then(() => true),
    );
    const change = { type: 'ChangeResource', now, resourceId: resource.id, stage: 'deleted' } as const;
    if (removed === true) await decideOnRequest(context, owner, [change]);
  }
};

/**
 * Notes on the requests that launched the machines that Host Factory has given them back, and takes them off the books; also
 * those that were left for want of our tag: a sweep ends them once they carry it. What cannot be noted now is noted when EC2 shows
 * the machine as going: it never holds up the return itself.
 */
export const markReturned = async (
  { live, log }: { readonly live: LiveRequests; readonly log: Logger },
  context: DecideContext,
  returnId: string,
  now: number,
  items: readonly ReturnItem[],
): Promise<void> => {
  const byOwner = new Map<string, string[]>();
  for (const { owner, machineId } of items) {
    if (owner === undefined || !isCreateId(owner)) continue;
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
