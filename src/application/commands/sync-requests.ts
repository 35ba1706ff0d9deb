import { hasCode, isPluginError, messageOf } from '../../domain/errors.ts';
import { isReturnId } from '../../domain/ids.ts';
import type { RequestCommand } from '../../domain/request/commands.ts';
import { fillingResources, isUnclaimed, liveMachines, unresolvedLaunches } from '../../domain/request/units.ts';
import { openItems } from '../../domain/return/return-request.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { anyId, flag, texts, words } from '../bus/shapes.ts';
import { decideOnRequest, foldRequest, foldReturn } from '../life-cycle/streams.ts';
import { syncCreate } from '../life-cycle/sync-create.ts';
import { lookAtResources, membersUnseen } from '../life-cycle/sync-resource.ts';
import { type OpenReturn, syncReturn } from '../life-cycle/sync-return.ts';
import type { Look, OpenCreate, SyncPorts } from '../life-cycle/syncing.ts';
import type { RequestStreams, Stream } from '../ports/streams.ts';
import type { Logger } from '../ports/telemetry.ts';

export const syncRequests = defineOperation({
  name: 'SyncRequests',
  bus: 'command',
  role: 'operator',
  title: 'Bring requests and returns up to date with AWS',
  isHot: true,
  input: {
    requestIds: { type: 'array', items: anyId, maxItems: 100_000 },
    includeSettled: { ...flag, description: 'Look also at the machines of create requests that have settled' },
    claims: { ...flag, description: 'The caller knows the ids as its own: the requests are not taken for lost' },
  },
  required: ['requestIds'],
  answer: closed({
    /** Their last known state stands. */
    unverified: {
      type: 'object',
      additionalProperties: words,
      description: 'Requests that could not be brought up to date, and why',
    },
    /** They may still be released, so nobody must build on them yet. */
    unclaimed: { ...texts, description: 'Requests that could not be marked as claimed' },
  }),
});

export interface SyncRequestsPorts extends SyncPorts {
  readonly streams: RequestStreams;
}

/**
 * Brings requests up to date with AWS: one batched look for all of them, then per request what follows from it. A request
 * that is final costs nothing. A fault while reading changes nothing.
 */
export const syncRequestsHandler =
  (ports: SyncRequestsPorts): HandlerOf<typeof syncRequests> =>
  async ({ requestIds, includeSettled = false, claims = false }, origin) => {
    const unverified = new Map<string, string>();
    const unclaimed = new Set<string>();
    const loaded = await loadEach(ports, [...new Set(requestIds)], unverified);
    const { creates, returns } = sortOpen(loaded, includeSettled);
    const context = { streams: ports.streams, origin };
    const claim: readonly RequestCommand[] = claims ? [{ type: 'Claim', now: ports.clock() }] : [];
    const noteTrouble = (ids: readonly string[], error: unknown): void => {
      const reason = passingTrouble(ports.log, error);
      for (const id of ids) unverified.set(id, reason);
    };
    try {
      const look = await lookAt(ports, creates, returns);
      const syncs = [
        ...creates.map((open) => ({ id: open.id, run: () => syncCreate(ports, context, open, look, claim) })),
        ...returns.map((open) => ({ id: open.id, run: () => syncReturn(ports, context, open, look) })),
      ];
      for (const { id, run } of syncs) await run().catch((error: unknown) => noteTrouble([id], error));
    } catch (error) {
      noteTrouble(
        [...creates, ...returns].map(({ id }) => id),
        error,
      );
    }
    // Where the claim was not written along with other news.
    const synced = new Set(creates.map(({ id }) => id).filter((id) => !unverified.has(id)));
    for (const [id, stream] of claims ? loaded : []) {
      const request = foldRequest(stream);
      if (synced.has(id) || request.stage === 'absent' || !isUnclaimed(request)) continue;
      await decideOnRequest(context, id, claim).catch((error: unknown) => {
        noteTrouble([id], error);
        unclaimed.add(id);
      });
    }
    return { unverified: Object.fromEntries(unverified), unclaimed: [...unclaimed] };
  };

/** Trouble with one request or with AWS is told and passes: Host Factory asks again. */
const passingTrouble = (log: Logger, error: unknown): string => {
  if (!isPluginError(error)) throw error;
  log.warn('sync.unverified', messageOf(error), { aws: error.aws });
  return messageOf(error);
};

/** One record that cannot be read is told by its name; it does not hold up the others. */
const loadEach = async (
  { streams, log }: { readonly streams: RequestStreams; readonly log: Logger },
  ids: readonly string[],
  unverified: Map<string, string>,
): Promise<readonly (readonly [string, Stream])[]> => {
  const loaded = await Promise.all(
    ids.map(async (id) => {
      try {
        return [[id, await streams.load(id)] as const];
      } catch (error) {
        if (!hasCode(error, 'storage.unreadable')) throw error;
        log.error('sync.unreadable', messageOf(error), { requestId: id });
        unverified.set(id, messageOf(error));
        return [];
      }
    }),
  );
  return loaded.flat();
};

const sortOpen = (loaded: readonly (readonly [string, Stream])[], includeSettled: boolean) => {
  const creates: OpenCreate[] = [];
  const returns: OpenReturn[] = [];
  for (const [id, stream] of loaded) {
    if (isReturnId(id)) {
      const request = foldReturn(stream);
      if (request.stage === 'open') returns.push({ id, request });
      continue;
    }
    const request = foldRequest(stream);
    if (request.stage === 'open') {
      const unfinished = [...request.machines.values()].filter(({ state }) => state !== 'terminated');
      creates.push({ id, request, asked: unfinished.map(({ machineId }) => machineId) });
    } else if (request.stage === 'settled' && includeSettled) {
      creates.push({ id, request, asked: liveMachines(request).map(({ machineId }) => machineId) });
    }
  }
  return { creates, returns };
};

const lookAt = async (
  ports: SyncPorts,
  creates: readonly OpenCreate[],
  returns: readonly OpenReturn[],
): Promise<Look> => {
  const resources = await lookAtResources(ports, creates);
  const ids = new Set([
    ...creates.filter((open) => !isFoundByTag(open)).flatMap(({ asked }) => asked),
    ...[...resources.values()].flatMap(({ machineIds }) => machineIds),
    ...returns.flatMap(({ request }) => openItems(request).map(({ machineId }) => machineId)),
  ]);
  const growing = creates.filter(isGrowing).map(({ id }) => id);
  if (ids.size + growing.length === 0) return { ...timeOf(ports), seen: new Map(), launched: new Map(), resources };
  const ec2 = await ports.hosts();
  const [seen, byRequest] = await Promise.all([ec2.describe([...ids]), ec2.describeByRequest(growing)]);
  const launched = new Map<string, typeof byRequest>();
  for (const sighting of byRequest) {
    const { owner = '' } = sighting;
    launched.set(owner, [...(launched.get(owner) ?? []), sighting]);
  }
  const shown = new Map([...byRequest, ...seen].map((sighting) => [sighting.machineId, sighting] as const));
  const untagged = await lookWithoutTag(ports, creates.filter(isFoundByTag), { resources, launched, shown });
  return { ...timeOf(ports), launched, ...untagged };
};

/** What the search by tag has not shown of growing requests: machines they hold, and those that AWS says it gave them. */
const lookWithoutTag = async (
  ports: SyncPorts,
  growing: readonly OpenCreate[],
  { resources, launched, shown }: Pick<Look, 'resources' | 'launched'> & { readonly shown: Look['seen'] },
): Promise<Pick<Look, 'seen' | 'resources'>> => {
  const ids = growing.flatMap(({ asked }) => asked).filter((machineId) => !shown.has(machineId));
  const looks = new Map(resources);
  for (const open of growing) {
    for (const [id, unseen] of await membersUnseen(ports, open, resources, launched.get(open.id) ?? [])) {
      const look = looks.get(id);
      if (look !== undefined) looks.set(id, { ...look, machineIds: [...look.machineIds, ...unseen] });
      ids.push(...unseen);
    }
  }
  if (ids.length === 0) return { seen: shown, resources };
  const late = await (await ports.hosts()).describe(ids);
  return { seen: new Map([...shown, ...late.map((each) => [each.machineId, each] as const)]), resources: looks };
};

/** Afterwards: only AWS's answers tell its time. */
const timeOf = ({ awsTime, clock }: SyncPorts): Pick<Look, 'at' | 'isAwsTime'> => {
  const told = awsTime();
  return { at: told ?? clock(), isAwsTime: told !== undefined };
};

const isGrowing = ({ request }: OpenCreate): boolean =>
  unresolvedLaunches(request).length > 0 || fillingResources(request).length > 0;

/** What a request that may still grow has launched is looked for by tag, known machines included; one call shows both. */
const isFoundByTag = (open: OpenCreate): boolean =>
  isGrowing(open) && open.request.resources.every(({ adoption }) => adoption === undefined);
