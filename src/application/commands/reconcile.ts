import { isPluginError, messageOf } from '../../domain/errors.ts';
import { isCreateId } from '../../domain/ids.ts';
import { absentRequest, type KnownRequest, type Request } from '../../domain/request/state.ts';
import type { ProviderApi } from '../../domain/template/template.ts';
import { closed, type FromSchema, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf, type MessageOf } from '../bus/operation.ts';
import { flag, hosts, texts, time, words } from '../bus/shapes.ts';
import { catchUp } from '../life-cycle/catch-up.ts';
import { keeperOf } from '../life-cycle/keepers.ts';
import type { LifeCyclePorts } from '../life-cycle/ports.ts';
import { type DecideContext, decideOnRequest, foldRequest, foldReturn } from '../life-cycle/streams.ts';
import type { LaunchTemplateShelf } from '../ports/capacity.ts';
import type { SweepMemory } from '../ports/memory.ts';
import type { IsDue } from '../ports/policy.ts';
import type { RequestStreams } from '../ports/streams.ts';
import type { Progress } from '../ports/telemetry.ts';
import { isoTime } from '../read-model/told-times.ts';
import {
  type Finding,
  judgeOrphan,
  judgeUnclaimed,
  type Owned,
  ownedInstance,
  ownedResource,
  ownedTemplate,
  type Requests,
  returnIdOf,
} from '../sweep/orphans.ts';
import { returnMachinesHandler } from './return-machines.ts';

export const reconcile = defineOperation({
  name: 'Reconcile',
  bus: 'command',
  role: 'admin',
  title: 'Find, and release with apply, what runs at AWS and nobody will ask about',
  isHot: true,
  input: {
    apply: { ...flag, description: 'Release what is due; without it, only look' },
    nowAndThen: { ...flag, description: 'Do nothing when it was begun lately' },
    held: { ...hosts, description: 'Hosts the caller holds: never taken for orphans' },
  },
  answer: closed({
    findings: listOf(
      closed({
        kind: { enum: ['request', 'instance', 'LaunchTemplate', 'EC2Fleet', 'SpotFleet', 'ASG'] },
        id: words,
        requestId: { ...words, description: 'Empty where its tags name none' },
        why: words,
        verdict: { enum: ['release', 'wait', 'leave'] },
        since: { ...time, description: 'When it was first found so' },
        dueAt: { ...time, description: 'When it is old enough to be released' },
      }),
    ),
    released: { ...texts, description: 'Ids of what was released' },
    warnings: { ...texts, description: 'What could not be looked at or released, and why' },
  }),
});

export type ReconcileAnswer = FromSchema<typeof reconcile.answer>;

interface Swept extends Pick<ReconcileAnswer, 'released' | 'warnings'> {
  readonly findings: readonly Finding[];
}

export interface ReconcilePorts extends LifeCyclePorts {
  readonly streams: RequestStreams;
  readonly memory: SweepMemory;
  readonly shelf: () => Promise<LaunchTemplateShelf>;
  /** Ids of returns that are not over. */
  readonly openReturns: () => Promise<readonly string[]>;
  readonly newId: () => string;
  readonly progress?: Progress | undefined;
  readonly isDue: IsDue;
  readonly letCallerGo: () => void;
}

const kindsOfResources = ['EC2Fleet', 'SpotFleet', 'ASG'] as const satisfies readonly ProviderApi[];

/**
 * Finds and releases what nobody will ever ask about: requests whose id never reached Host Factory, and instances, fleets and
 * groups with our mark that belong to no request. EC2 is read before the records, so that a launch under way is never taken for
 * an orphan; an orphan is released only when a later sweep finds it again. What the caller holds, what another installation
 * launched and what an unreadable record may know is left alone.
 */
export const reconcileHandler =
  (ports: ReconcilePorts): HandlerOf<typeof reconcile> =>
  async (message, origin) => {
    if (message.nowAndThen === true) {
      if (!(await ports.isDue('sweep', ports.policy.sweepInterval)))
        return { findings: [], released: [], warnings: [] };
      ports.letCallerGo();
    }
    const { findings, ...rest } = await sweep(ports, { streams: ports.streams, origin }, message);
    return {
      ...rest,
      findings: findings.map((each) => ({ ...each, since: isoTime(each.since), dueAt: isoTime(each.dueAt) })),
    };
  };

const sweep = async (
  ports: ReconcilePorts,
  context: DecideContext,
  { apply = false, held = [] }: MessageOf<typeof reconcile>,
): Promise<Swept> => {
  const warnings: string[] = [];
  const owned = await lookAtAws(ports, warnings);
  const now = ports.awsTime();
  if (now === undefined) return withoutTime(ports);
  const judge = { clock: () => now, policy: ports.policy };
  const seen = await ports.memory.read();
  const claims = await ports.live.list();
  const ids = [...owned, ...claims].map(({ requestId }) => requestId);
  const requests = await loadRequests(ports, ids, warnings);
  const isHeld = ({ id, name }: { readonly id: string; readonly name: string }): boolean =>
    held.some((host) => host.machineId === id || (host.name !== '' && host.name === name));
  const isKnown = ({ machines }: KnownRequest): boolean =>
    [...machines.values()].some(({ machineId, name }) => isHeld({ id: machineId, name }));
  const suspects = judgeUnclaimed(judge, seen.orphans, requests);
  // Whoever holds a machine of it knows it.
  const [known, unclaimed] = split(suspects, ({ id }) => {
    const request = requests.get(id);
    return request !== undefined && request.stage !== 'absent' && isKnown(request);
  });
  for (const { id } of known) await decideOnRequest(context, id, [{ type: 'Claim', now: ports.clock() }]);
  const open = await openOf(ports, new Set(owned.flatMap((each) => returnIdOf(each, requests) ?? [])));
  const isReturning = (each: Owned): boolean => open.has(returnIdOf(each, requests) ?? '');
  const marked = new Set(owned.filter(({ kind }) => kind === 'instance').map(({ id }) => id));
  const orphans = owned
    .filter((each) => !isHeld(each))
    .flatMap((each) => judgeOrphan(judge, { seenBefore: seen.orphans, requests, marked, isReturning }, each));
  const findings = [...unclaimed, ...orphans];
  for (const { kind, id, why, verdict } of findings)
    ports.log.info('sweep.found', `${kind} ${id}: ${why}`, { verdict });

  const due = apply ? findings.filter(({ verdict }) => verdict === 'release') : [];
  // Of these perhaps nobody asks any more: a killed sweep has begun them, or a caller who went away.
  const cancelled = [...requests].flatMap(([id, request]) => (isBeingCancelled(request) ? [id] : []));
  const openReturns = apply ? await ports.openReturns() : [];
  if (apply)
    await ports.memory.write({
      orphans: new Map(
        findings.flatMap(({ id, since, verdict }) => (verdict === 'leave' ? [] : [[id, since] as const])),
      ),
    });
  const released: string[] = [];
  if (apply && due.length + openReturns.length + cancelled.length > 0)
    await release(ports, context, {
      due,
      owned: owned.map((each) => onRecord(each, requests)),
      cancelled,
      openReturns,
      released,
      warnings,
    });
  for (const warning of warnings) ports.log.warn('sweep.trouble', warning);
  return { findings, released, warnings };
};

/** How old something is cannot be told then. */
const withoutTime = ({ log }: ReconcilePorts): Swept => {
  const warning = 'AWS did not tell the time: nothing is judged';
  log.warn('sweep.trouble', warning);
  return { findings: [], released: [], warnings: [warning] };
};

/** The returns of these that are not over, as far as can be read. */
const openOf = async ({ streams }: ReconcilePorts, returnIds: ReadonlySet<string>): Promise<ReadonlySet<string>> => {
  const open = new Set<string>();
  for (const id of returnIds) {
    const stage = await streams.load(id).then(
      (stream) => foldReturn(stream).stage,
      (error: unknown) => {
        if (!isPluginError(error)) throw error;
        return 'open' as const;
      },
    );
    if (stage === 'open') open.add(id);
  }
  return open;
};

const split = <T>(items: readonly T[], isFirst: (item: T) => boolean): readonly [readonly T[], readonly T[]] => [
  items.filter(isFirst),
  items.filter((item) => !isFirst(item)),
];

const isBeingCancelled = (request: Request | undefined): boolean =>
  request?.stage === 'open' && request.cancelled !== undefined;

const lookAtAws = async (ports: ReconcilePorts, warnings: string[]): Promise<readonly Owned[]> => {
  const owned = (await (await ports.hosts()).ours()).map(ownedInstance);
  for (const [index, kind] of kindsOfResources.entries()) {
    ports.progress?.('looks at AWS', index + 1, kindsOfResources.length + 1);
    try {
      owned.push(...(await (await keeperOf(ports, kind)).owned()).map(ownedResource));
    } catch (error) {
      if (!isPluginError(error)) throw error;
      warnings.push(`${kind}: ${messageOf(error)}`);
    }
  }
  try {
    owned.push(...(await (await ports.shelf()).list()).flatMap(ownedTemplate));
  } catch (error) {
    if (!isPluginError(error)) throw error;
    warnings.push(`launch templates: ${messageOf(error)}`);
  }
  return owned;
};

const loadRequests = async (
  { streams, progress }: ReconcilePorts,
  ids: readonly string[],
  warnings: string[],
): Promise<Requests> => {
  const requests = new Map<string, Request | undefined>();
  const wanted = new Set(ids);
  for (const id of wanted) {
    progress?.('records read', requests.size, wanted.size);
    try {
      requests.set(id, isCreateId(id) ? foldRequest(await streams.load(id)) : absentRequest);
    } catch (error) {
      if (!isPluginError(error)) throw error;
      requests.set(id, undefined);
      warnings.push(messageOf(error));
    }
  }
  return requests;
};

interface Releasing {
  readonly due: readonly Finding[];
  readonly owned: readonly Owned[];
  /** Requests that were cancelled and still hold something. */
  readonly cancelled: readonly string[];
  readonly openReturns: readonly string[];
  readonly released: string[];
  readonly warnings: string[];
}

/** Fleets and groups go before instances, or AWS would replace those. */
const release = async (
  ports: ReconcilePorts,
  context: DecideContext,
  { due, owned, cancelled, openReturns, released, warnings }: Releasing,
): Promise<void> => {
  let done = 0;
  const attempt = async (ids: readonly string[], work: () => Promise<void>): Promise<void> => {
    ports.progress?.('released', done, due.length + 1);
    done += Math.max(1, ids.length);
    try {
      await work();
      released.push(...ids.filter((id) => due.some((finding) => finding.id === id)));
    } catch (error) {
      if (!isPluginError(error)) throw error;
      warnings.push(`${ids.join(', ')} not released: ${messageOf(error)}`);
    }
  };
  for (const { kind, id, why } of due)
    if (kind === 'request') await attempt([id], () => cancelUnclaimed(ports, context, id, why));
  await attempt([], () => followUp(ports, context, [...cancelled, ...openReturns]));
  for (const each of owned) {
    const isDue = each.resource !== undefined && due.some(({ id }) => id === each.id);
    if (isDue) await attempt([each.id], () => removeResource(ports, context, each));
  }
  for (const { kind, id } of due)
    if (kind === 'LaunchTemplate') await attempt([id], async () => (await ports.shelf()).remove(id));
  const instances = due.filter(({ kind }) => kind === 'instance');
  if (instances.length > 0) {
    await attempt(
      instances.map(({ id }) => id),
      () => releaseInstances(ports, context, instances),
    );
  }
};

/** Its record knows of a fleet's launch template. */
const onRecord = (each: Owned, requests: Requests): Owned => {
  const request = requests.get(each.requestId);
  if (each.resource === undefined || request === undefined || request.stage === 'absent') return each;
  return { ...each, resource: request.resources.find(({ id }) => id === each.id) ?? each.resource };
};

/** Nothing where it is no fleet or group. */
const removeResource = async (
  ports: ReconcilePorts,
  context: DecideContext,
  { id, requestId, resource }: Owned,
): Promise<void> => {
  if (resource === undefined) return;
  await (await keeperOf(ports, resource.kind)).remove(resource);
  const change = { type: 'ChangeResource', now: ports.clock(), resourceId: id, stage: 'deleted' } as const;
  if (isCreateId(requestId)) await decideOnRequest(context, requestId, [change]);
};

/** Looks at requests and returns again, which ends what is still to be ended. */
const followUp = async (ports: ReconcilePorts, context: DecideContext, requestIds: readonly string[]) => {
  await catchUp(ports, context, requestIds);
};

/** Ends a request that nobody asked about. */
const cancelUnclaimed = async (
  ports: ReconcilePorts,
  context: DecideContext,
  id: string,
  reason: string,
): Promise<void> => {
  const cancel = { type: 'Cancel', now: ports.clock(), reason, ifUnclaimed: true } as const;
  const { state } = await decideOnRequest(context, id, [cancel]);
  // Else somebody asked in the meantime.
  if (isBeingCancelled(state)) await followUp(ports, context, [id]);
};

/** Their requests are brought up to date first: a fleet that keeps its size must be told how many really live. */
const releaseInstances = async (
  ports: ReconcilePorts,
  context: DecideContext,
  instances: readonly Finding[],
): Promise<void> => {
  const requestIds = [...new Set(instances.map(({ requestId }) => requestId))].filter(isCreateId);
  await catchUp(ports, context, requestIds, { includeSettled: true });
  const machines = instances.map(({ id }) => ({ machineId: id, name: '' }));
  // A command id of its own: it becomes the id of the return.
  const origin = { ...context.origin, commandId: ports.newId() };
  await returnMachinesHandler(ports)({ type: 'ReturnMachines', machines }, origin);
};
