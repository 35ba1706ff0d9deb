import { hasCode, isPluginError, messageOf } from '../../domain/errors.ts';
import { isCreateId } from '../../domain/ids.ts';
import { absentRequest, type KnownRequest, type Request } from '../../domain/request/state.ts';
import { liveMachines } from '../../domain/request/units.ts';
import type { ReturnItem } from '../../domain/return/events.ts';
import { wasRefused } from '../../domain/return/state.ts';
import type { Logger } from '../ports/telemetry.ts';
import { keeperOf, unlessFault } from './keepers.ts';
import type { KnownRequests } from './known-requests.ts';
import type { LifeCyclePorts } from './ports.ts';
import { isUnread } from './streams.ts';
import { terminateInResources } from './terminate.ts';

export type ReturnPorts = Pick<LifeCyclePorts, 'hosts' | 'log' | 'providers'>;

/** What came of the terminate calls: the items that are being ended, and AWS's reason per id refused. */
interface Sent {
  readonly accepted: readonly ReturnItem[];
  readonly refused: ReadonlyMap<string, string>;
}

/** Sends the terminate calls for live hosts. Throws `provider.*` when EC2 took none of them. */
export const terminate = async (
  ports: ReturnPorts,
  requests: KnownRequests,
  items: readonly ReturnItem[],
): Promise<Sent> => {
  const { done, refused } = await terminateByRequest(ports, requests, items);
  const left = items.filter(({ machineId }) => !done.has(machineId) && !refused.has(machineId));
  // Those refused before go apart and last: they are not to hold up the others.
  const fresh = left.filter((item) => !wasRefused(item));
  for (const [machineId, reason] of await terminateByEc2(ports, fresh)) refused.set(machineId, reason);
  const again = left.filter(wasRefused);
  const refusedAgain = await terminateByEc2(ports, again).catch((error: unknown) => {
    // What became of the others has to be noted.
    if (!isPluginError(error) || again.length === items.length) throw error;
    return new Map(again.map(({ machineId }) => [machineId, messageOf(error)] as const));
  });
  for (const [machineId, reason] of refusedAgain) refused.set(machineId, reason);
  return { accepted: items.filter(({ machineId }) => !refused.has(machineId)), refused };
};

const terminateByEc2 = async (
  ports: ReturnPorts,
  items: readonly ReturnItem[],
): Promise<ReadonlyMap<string, string>> => {
  const targets = items.flatMap(({ last }) => last ?? []);
  return targets.length === 0 ? new Map() : (await ports.hosts()).terminate(targets);
};

const requestIdsOf = (items: readonly ReturnItem[]): readonly string[] => [
  ...new Set(items.flatMap(({ requestId }) => (requestId !== undefined && isCreateId(requestId) ? [requestId] : []))),
];

/** A damaged record is no reason to keep a host: it goes, and its fleet does not hear of it. */
const withoutRecord =
  (log: Logger) =>
  (error: unknown): Request => {
    if (!isUnread(error)) throw error;
    log.error('return.unreleased', messageOf(error));
    return absentRequest;
  };

/** Machines that fleets and groups have to terminate themselves, request by request; the requests are read all at once. */
const terminateByRequest = async (
  ports: ReturnPorts,
  requests: KnownRequests,
  items: readonly ReturnItem[],
): Promise<{ readonly done: ReadonlySet<string>; readonly refused: Map<string, string> }> => {
  const done = new Set<string>();
  const refused = new Map<string, string>();
  const readOne = async (requestId: string) => {
    const ofRequest = items.filter((item) => item.requestId === requestId);
    const withoutAnswer = (error: unknown): Request => {
      if (!hasCode(error, 'storage.unavailable', 'storage.moved')) return withoutRecord(ports.log)(error);
      // Money first: a host goes all the same, unless its fleet or group, which only the record tells, might make up for it.
      for (const { machineId, isMember } of ofRequest) if (isMember === true) refused.set(machineId, messageOf(error));
      ports.log.error('return.unreleased', messageOf(error), { requestId });
      return absentRequest;
    };
    return { ofRequest, request: await requests.read(requestId).catch(withoutAnswer) };
  };
  for (const { ofRequest, request } of await Promise.all(requestIdsOf(items).map(readOne))) {
    if (request.stage === 'absent') continue;
    const going = ofRequest.map(({ machineId }) => machineId);
    const outcome = await terminateInResources(ports, request, new Set(going));
    for (const machineId of outcome.done) done.add(machineId);
    for (const [machineId, reason] of outcome.refused) refused.set(machineId, reason);
  }
  return { done, refused };
};

/**
 * Tags hosts as those of the request that has them on record, where a group of the administrator's launched them and that never
 * succeeded: only then are they ours to end. What is denied is asked for again at the next look.
 */
export const tag = async (ports: ReturnPorts, requests: KnownRequests, items: readonly ReturnItem[]): Promise<void> => {
  const tagOne = async (requestId: string): Promise<void> => {
    const request = await requests.read(requestId).catch(withoutRecord(ports.log));
    const resource = request.stage === 'absent' ? undefined : request.resources.find(({ ours }) => !ours);
    if (request.stage === 'absent' || resource === undefined) return;
    const ofRequest = items.filter((item) => item.requestId === requestId).map(({ machineId }) => machineId);
    const machineIds = ofRequest.filter((machineId) => {
      const machine = request.machines.get(machineId);
      // Whose tag was there has lost it to somebody who wants to keep it.
      return machine !== undefined && machine.tagged !== true && machine.disowned !== true;
    });
    if (machineIds.length === 0) return;
    const { template, attributes } = request;
    const keeper = await keeperOf(ports, resource.kind);
    await unlessFault(ports.log, resource, keeper.tag(resource, machineIds, { requestId, template, attributes }));
  };
  await Promise.all(requestIdsOf(items).map(tagOne));
};

/** When a return is over: what its hosts leave behind in fleets and groups. What cannot go now is no reason to hold up the return. */
export const leave = async (
  ports: ReturnPorts,
  requests: KnownRequests,
  now: number,
  items: readonly ReturnItem[],
): Promise<void> => {
  const readOne = async (requestId: string) =>
    [requestId, await requests.read(requestId).catch(withoutRecord(ports.log))] as const;
  for (const [requestId, request] of await Promise.all(requestIdsOf(items).map(readOne))) {
    if (request.stage === 'absent') continue;
    const gone = items.filter((item) => item.requestId === requestId && item.verdict === 'gone');
    await leaveGroups(ports, requests, {
      requestId,
      request,
      now,
      gone: new Set(gone.map(({ machineId }) => machineId)),
    });
    await removeEmptied(ports, requests, requestId, request, now);
  }
};

interface Leaving {
  readonly requestId: string;
  readonly request: KnownRequest;
  readonly now: number;
  readonly gone: ReadonlySet<string>;
}

/**
 * A host that died by itself is still counted by the group of the administrator's that it was launched into: it leaves with the
 * capacity it stands for. What the group does not let go now is on record as dead: the sweep asks again.
 */
const leaveGroups = async (
  ports: ReturnPorts,
  requests: KnownRequests,
  { requestId, request, now, gone }: Leaving,
): Promise<void> => {
  const resources = request.resources.filter(({ ours }) => !ours);
  if (gone.size === 0 || resources.length === 0) return;
  const { refused } = await terminateInResources(ports, { ...request, resources }, gone);
  for (const [machineId, reason] of refused) ports.log.warn('return.counted', reason, { machineId });
  const left = { type: 'LeaveGroup', now, machineIds: [...gone].filter((id) => !refused.has(id)) } as const;
  const dead = [...refused].map(
    ([machineId, reason]) =>
      ({ type: 'ReportStatus', now, machineId, status: 'terminated', metadata: { reason } }) as const,
  );
  await requests.decide(requestId, [left, ...dead]).catch((error: unknown) => {
    if (!isPluginError(error)) throw error;
    ports.log.error('return.unmarked', messageOf(error), { requestId });
  });
};

/** Removes our own groups once none of their machines is wanted any more. */
const removeEmptied = async (
  ports: ReturnPorts,
  requests: KnownRequests,
  requestId: string,
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
    if (removed === true) await requests.decide(requestId, [change]);
  }
};

/**
 * Notes on the requests that launched the machines that Host Factory has given them back, and takes them out of the ledger; also
 * those that were left for want of our tag: a sweep ends them once they carry it. What cannot be noted now is noted when EC2 shows
 * the machine as going: it never holds up the return itself.
 */
export const tellRequests = async (
  { log }: Pick<ReturnPorts, 'log'>,
  requests: KnownRequests,
  { returnId, now, items }: { readonly returnId: string; readonly now: number; readonly items: readonly ReturnItem[] },
): Promise<void> => {
  const tellOne = async (requestId: string): Promise<void> => {
    const machineIds = items.filter((item) => item.requestId === requestId).map(({ machineId }) => machineId);
    try {
      const returned = { type: 'MarkReturned', now, returnId, machineIds } as const;
      await requests.decide(requestId, [returned, { type: 'Settle', now }]);
    } catch (error) {
      if (!isPluginError(error)) throw error;
      log.error('return.unmarked', messageOf(error), { returnId, requestId });
    }
  };
  // Each is a record and a ledger of its own.
  await Promise.all(requestIdsOf(items).map(tellOne));
};
