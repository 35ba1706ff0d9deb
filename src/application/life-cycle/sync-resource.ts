import { hasCode, isPluginError, messageOf, type PluginError } from '../../domain/errors.ts';
import { hasEnded, type Machine, type Sighting } from '../../domain/machine.ts';
import type { RequestCommand } from '../../domain/request/commands.ts';
import { isExplanationDue } from '../../domain/request/decide.ts';
import type { PreparedLaunch, Refusal } from '../../domain/request/events.ts';
import type { HeldResource, KnownRequest, Request } from '../../domain/request/state.ts';
import {
  fillingResources,
  liveMachines,
  liveUnits,
  missingUnits,
  unitsOfAll,
  unsoughtUnits,
} from '../../domain/request/units.ts';
import type { OwnedSighting } from '../../domain/return/return-request.ts';
import type { CapacityProvider, LaunchOrder, ResourceKeeper, ResourceLook, TargetUnits } from '../ports/capacity.ts';
import type { Logger } from '../ports/telemetry.ts';
import { sendPoolByPool, soughtBy } from './launching.ts';
import { type DecideContext, decideOnRequest } from './streams.ts';
import { type OpenCreate, type SyncPorts, sightingOf } from './syncing.ts';

/** A heterogeneous request turns to on demand so long before its spot fleet would expire, ms; half of the time is spot's at least. */
const turnBeforeExpiry = 60_000;
const parallelLooks = 4;

export const keeperOf = async (
  { providers }: Pick<SyncPorts, 'providers'>,
  kind: HeldResource['kind'],
): Promise<ResourceKeeper> => {
  const { keeper } = await providers(kind);
  if (keeper === undefined) throw new Error(`no keeper for ${kind}`);
  return keeper;
};

/** The target of a fleet or group that shall hold just these machines. */
export const targetFor = (request: KnownRequest, machines: readonly Machine[]): TargetUnits => ({
  total: unitsOfAll(request, machines),
  onDemand: unitsOfAll(
    request,
    machines.filter(({ priceType }) => priceType === 'ondemand'),
  ),
});

/** A fault with one fleet or group is told and passes: its own request waits for the next look, the others do not. */
export const unlessFault = async <T>(
  log: Logger,
  { kind, id }: HeldResource,
  action: Promise<T>,
): Promise<T | undefined> => {
  try {
    return await action;
  } catch (error) {
    if (!isPluginError(error)) throw error;
    log.warn('resource.unverified', `${kind} ${id}: ${messageOf(error)}`, { aws: error.aws });
    return undefined;
  }
};

/** A look at each fleet and group through which AWS still seeks capacity for the requests, as far as AWS lets us look. */
export const lookAtResources = async (
  ports: SyncPorts,
  creates: readonly OpenCreate[],
): Promise<ReadonlyMap<string, ResourceLook>> => {
  const looks = new Map<string, ResourceLook>();
  const waiting = creates.flatMap(({ request }) => fillingResources(request));
  const lookOn = async (): Promise<void> => {
    for (let resource = waiting.shift(); resource !== undefined; resource = waiting.shift()) {
      const keeper = await keeperOf(ports, resource.kind);
      const look = await unlessFault(ports.log, resource, keeper.look(resource));
      if (look !== undefined) looks.set(resource.id, look);
    }
  };
  await Promise.all(Array.from({ length: parallelLooks }, lookOn));
  return looks;
};

/** AWS has ended it, its time is over, or it was never there: soon after the launch AWS may just not know it yet. */
const isOver = (
  request: KnownRequest,
  { expiresAt, createdAt }: HeldResource,
  { state }: ResourceLook,
  { now, consistencyWindow }: { readonly now: number | undefined; readonly consistencyWindow: number },
): boolean => {
  if (request.cancelled !== undefined) return true;
  // Without AWS's time only AWS's own word ends the search.
  if (now === undefined) return state === 'ended';
  const early =
    request.template.priceType === 'heterogeneous' ? Math.min(turnBeforeExpiry, (expiresAt - createdAt) / 2) : 0;
  if (state === 'missing' && now - createdAt < consistencyWindow) return false;
  return state !== 'active' || now >= expiresAt - early;
};

/**
 * Ends the search of fleets and groups that have what was wanted, or whose time is over: nothing arrives after the request has
 * settled. What is still missing of a heterogeneous request is then asked for on demand.
 */
export const settleResources = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  request: KnownRequest,
  looks: ReadonlyMap<string, ResourceLook>,
): Promise<Request> => {
  let state: Request = request;
  for (const resource of fillingResources(request)) {
    const look = looks.get(resource.id);
    if (state.stage === 'absent' || look === undefined) return state;
    const { consistencyWindow } = ports.policy;
    if (missingUnits(state) === 0 || isOver(state, resource, look, { now: ports.awsTime(), consistencyWindow }))
      state = await endSearch(ports, context, id, { before: state, resource, look });
    else await keepAim(ports, state, resource, look);
  }
  return state;
};

/** Returns may have lowered the target at the same time, or too late: it is brought to what the request holds and is owed. */
const keepAim = async (
  ports: SyncPorts,
  request: KnownRequest,
  resource: HeldResource,
  { target }: ResourceLook,
): Promise<void> => {
  const wanted = liveUnits(request);
  if (!resource.refills || target === undefined || target <= wanted) return;
  const { onDemand } = targetFor(request, liveMachines(request));
  const owed = request.template.priceType === 'ondemand' ? missingUnits(request) : 0;
  const keeper = await keeperOf(ports, resource.kind);
  await unlessFault(ports.log, resource, keeper.aim(resource, { total: wanted, onDemand: onDemand + owed }));
};

/**
 * Asks AWS, seldom, why fleets and groups that still look for capacity find no more: `before` is the request as it was at the last
 * look. A fault tells nothing and is not asked about again before the next time.
 */
export const explainSearches = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  { before, after }: { readonly before: KnownRequest; readonly after: KnownRequest },
): Promise<void> => {
  const now = ports.awsTime();
  if (now === undefined || after.machines.size > before.machines.size) return;
  for (const resource of fillingResources(after)) {
    if (!isExplanationDue(resource, now)) continue;
    const keeper = await keeperOf(ports, resource.kind);
    const shortage = await unlessFault(ports.log, resource, keeper.explain(resource));
    await decideOnRequest(context, id, [{ type: 'ExplainSearch', now, resourceId: resource.id, shortage }]);
  }
};

/** Faults after which the same call may well succeed at the next look. */
const isPassing = (error: PluginError): boolean =>
  hasCode(error, 'provider.throttled', 'provider.transient', 'provider.unreachable');

interface Search {
  readonly before: KnownRequest;
  readonly resource: HeldResource;
  readonly look: ResourceLook;
}

/** Goes on another time where AWS does not tell yet what it has brought, or may still bring something. */
const endSearch = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  { before, resource, look }: Search,
): Promise<Request> => {
  const keeper = await keeperOf(ports, resource.kind);
  // Once it has ended AWS may not know it any more.
  const brought = await adoptLate(ports, context, id, before, resource);
  if (!brought.isAll || brought.state.stage === 'absent') return brought.state;
  const { state } = brought;
  const isShort = missingUnits(state) > 0;
  const why = isShort ? await unlessFault(ports.log, resource, keeper.explain(resource)) : undefined;
  const stage = await endOrLeave(ports, keeper, { before: state, resource, look });
  if (stage === undefined) return state;
  const { state: late, isAll } = await adoptLate(ports, context, id, state, resource);
  if (!isAll || late.stage === 'absent') return late;
  const refusal: Omit<Refusal, 'missing'> = {
    code: why?.code ?? 'Expired',
    fault: why?.fault ?? 'provider.capacity',
    message: why?.message ?? 'AWS found no more capacity in time',
    pool: `${resource.kind} ${resource.id}`,
  };
  const change = { type: 'ChangeResource', now: ports.clock(), resourceId: resource.id, stage, refusal } as const;
  const missing = unsoughtUnits(late);
  if (missing === 0 || late.template.priceType !== 'heterogeneous' || late.cancelled !== undefined) {
    const settle: RequestCommand = { type: 'Settle', now: ports.clock() };
    return (await decideOnRequest(context, id, [change, settle])).state;
  }
  return launchRest(ports, context, id, late, missing, change);
};

/**
 * What AWS does not let go of is no reason to withhold machines that are there: it stays on the books, gives up machines as a group
 * does, and the sweep asks again for its end. A search that ended short may still bring something: there a fault that passes is
 * waited for, and after any other its time has to be over.
 */
const endOrLeave = async (
  ports: SyncPorts,
  keeper: ResourceKeeper,
  { before, resource, look }: Search,
): Promise<'holding' | 'deleted' | undefined> => {
  const isShort = missingUnits(before) > 0;
  const held = targetFor(before, before.cancelled === undefined ? liveMachines(before) : []);
  try {
    return await keeper.end(resource, held, isShort);
  } catch (error) {
    if (!isPluginError(error)) throw error;
    if (isShort && isPassing(error)) throw error;
    const { kind, id, ours, expiresAt } = resource;
    ports.log.warn('resource.left', `${kind} ${id} is left for now: ${messageOf(error)}`, { aws: error.aws });
    const isOver = look.state !== 'active' || (ports.awsTime() ?? 0) >= expiresAt;
    return isOver || !isShort || !ours || before.cancelled !== undefined ? 'holding' : undefined;
  }
};

/**
 * Nothing of a cancelled request is wanted: what would make up for its machines goes before they do. What cannot go now is asked
 * for again at the next look, and by the sweep.
 */
export const abandonResources = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  request: KnownRequest,
): Promise<Request> => {
  let state: Request = request;
  for (const resource of request.resources.filter(({ stage, ours }) => ours && stage === 'holding')) {
    const keeper = await keeperOf(ports, resource.kind);
    const removal = keeper.remove(resource).then(() => true);
    if ((await unlessFault(ports.log, resource, removal)) !== true) continue;
    const change = { type: 'ChangeResource', now: ports.clock(), resourceId: resource.id, stage: 'deleted' } as const;
    ({ state } = await decideOnRequest(context, id, [change]));
  }
  return state;
};

/** Puts our mark on machines of a fleet or group that carry none, and tells of them and of those that carry another's. */
export const markUnmarked = async (
  ports: Pick<SyncPorts, 'providers' | 'log'>,
  requestId: string,
  { template, attributes }: KnownRequest,
  { resource, seen }: { readonly resource: HeldResource; readonly seen: readonly OwnedSighting[] },
): Promise<void> => {
  const without = seen.filter(({ ours, state }) => !(ours || hasEnded(state)));
  const idsOf = (isOthers: boolean): readonly string[] =>
    without.filter(({ ofOtherOwner = false }) => ofOtherOwner === isOthers).map(({ machineId }) => machineId);
  const [unmarked, others] = [idsOf(false), idsOf(true)];
  const { kind, id } = resource;
  if (others.length > 0)
    ports.log.warn('machine.foreign', `${kind} ${id} holds ${others.join(', ')}, with another owner's tag`, {
      requestId,
    });
  if (unmarked.length === 0) return;
  if (resource.adoption === undefined)
    ports.log.warn('machine.unmarked', `EC2 shows no tag of ours on machines of ${kind} ${id}: tagged again`, {
      requestId,
      machineIds: unmarked,
    });
  const keeper = await keeperOf(ports, kind);
  await unlessFault(ports.log, resource, keeper.mark(resource, unmarked, { requestId, template, attributes }));
};

/**
 * Members that AWS's own answer shows and the search by tag does not, by fleet or group; a further call only where the sums
 * differ.
 */
export const membersUnseen = async (
  ports: Pick<SyncPorts, 'providers' | 'log'>,
  { request }: Pick<OpenCreate, 'request'>,
  looks: ReadonlyMap<string, ResourceLook>,
  seen: readonly OwnedSighting[],
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const found = new Set([...seen.map(({ machineId }) => machineId), ...request.machines.keys()]);
  const unknown = seen.filter(({ machineId, state }) => !(request.machines.has(machineId) || hasEnded(state)));
  const units = unitsOfAll(request, [...liveMachines(request), ...unknown]);
  const unseen = new Map<string, readonly string[]>();
  for (const resource of fillingResources(request)) {
    const { members, fulfilled = 0 } = looks.get(resource.id) ?? {};
    if (members === undefined && fulfilled <= units) continue;
    const keeper = await keeperOf(ports, resource.kind);
    const all = members ?? (await unlessFault(ports.log, resource, keeper.members(resource))) ?? [];
    const missing = all.filter((machineId) => !found.has(machineId));
    if (missing.length > 0) unseen.set(resource.id, missing);
  }
  return unseen;
};

/** Undefined after a fault that passes. */
const membersOf = async (ports: SyncPorts, resource: HeldResource): Promise<readonly string[] | undefined> => {
  const keeper = await keeperOf(ports, resource.kind);
  try {
    return await keeper.members(resource);
  } catch (error) {
    if (!isPluginError(error)) throw error;
    const text = `AWS does not tell the machines of ${resource.kind} ${resource.id}, they are found by their tags alone`;
    ports.log.warn('resource.unlisted', `${text}: ${messageOf(error)}`, { aws: error.aws });
    return isPassing(error) ? undefined : [];
  }
};

/** A machine of which nothing but its id is known. */
const unseenMachine = ({ template }: KnownRequest, machineId: string): Sighting => ({
  machineId,
  state: 'pending',
  name: '',
  privateIpAddress: '',
  publicIpAddress: '',
  instanceType: '',
  priceType: template.priceType === 'ondemand' ? 'ondemand' : 'spot',
});

/**
 * Machines that arrived between the look and the end of the search, by AWS's own answer as well as by their tags. Those that EC2 does
 * not show are waited for (not `isAll`), then on record by their ids alone: as any other they are looked for from then on.
 */
const adoptLate = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  request: KnownRequest,
  resource: HeldResource,
): Promise<{ readonly state: Request; readonly isAll: boolean }> => {
  if (missingUnits(request) === 0) return { state: request, isAll: true };
  const members = await membersOf(ports, resource);
  if (members === undefined) return { state: request, isAll: false };
  const hosts = await ports.hosts();
  const found = await hosts.describeByRequest([id]);
  const known = new Set([...found.map(({ machineId }) => machineId), ...request.machines.keys()]);
  const untold = await hosts.describe(members.filter((machineId) => !known.has(machineId)));
  await markUnmarked(ports, id, request, { resource, seen: untold });
  const held = untold.filter(({ ofOtherOwner, state }) => !(ofOtherOwner === true || hasEnded(state)));
  const shown = new Set([...known, ...untold.map(({ machineId }) => machineId)]);
  const unshown = members.filter((machineId) => !shown.has(machineId));
  const latest = resource.expiresAt + ports.policy.consistencyWindow;
  const isEarly = request.cancelled === undefined && (ports.awsTime() ?? 0) < latest;
  if (unshown.length > 0)
    ports.log.warn('machine.unshown', `${resource.kind} ${resource.id} has brought machines that EC2 does not show`, {
      requestId: id,
      machineIds: unshown,
    });
  const granted = [
    ...[...found, ...held].filter(({ machineId }) => !request.machines.has(machineId)).map(sightingOf),
    ...(isEarly ? [] : unshown.map((machineId) => unseenMachine(request, machineId))),
  ];
  const isAll = unshown.length === 0 || !isEarly;
  if (granted.length === 0) return { state: request, isAll };
  const { clientToken } = resource;
  const record = { type: 'RecordLaunch', now: ports.clock(), clientToken, granted } as const;
  return { state: (await decideOnRequest(context, id, [record])).state, isAll };
};

type Change = Extract<RequestCommand, { type: 'ChangeResource' }>;

/** What is asked for instead, or why it cannot be asked for: only faults that pass are worth another look. */
const prepareRest = async (
  provider: CapacityProvider,
  order: LaunchOrder,
): Promise<{ readonly rest?: PreparedLaunch; readonly trouble?: string }> => {
  try {
    const rest = await provider.prepare(order);
    return rest === undefined ? {} : { rest };
  } catch (error) {
    if (!isPluginError(error) || hasCode(error, 'provider.throttled', 'provider.transient')) throw error;
    return { trouble: messageOf(error) };
  }
};

const launchRest = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  request: KnownRequest,
  missing: number,
  change: Change,
): Promise<Request> => {
  const { template, api } = soughtBy(request);
  const provider = await ports.providers(api);
  const { attributes, launches: earlier } = request;
  const launching = { context, requestId: id, template, attributes };
  const { rest, trouble } = await prepareRest(provider, { ...launching, count: missing, earlier });
  if (rest === undefined) {
    const { refusal } = change;
    const told =
      trouble === undefined || refusal === undefined
        ? change
        : { ...change, refusal: { ...refusal, message: trouble } };
    return (await decideOnRequest(context, id, [told, { type: 'Settle', now: ports.clock() }])).state;
  }
  const decided = await decideOnRequest(context, id, [{ ...change, rest }]);
  const launches = decided.state.stage === 'absent' ? [] : decided.state.launches;
  const launch = launches.find(({ clientToken, resolved }) => clientToken === rest.clientToken && !resolved);
  return (await sendPoolByPool(ports, provider, launching, { ...decided, launch })).state;
};
