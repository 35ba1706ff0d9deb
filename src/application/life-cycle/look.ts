import { hasCode, isPluginError, messageOf } from '../../domain/errors.ts';
import { hasEnded, type OwnedObservation } from '../../domain/machine.ts';
import { type Look, noLook, type ResourceLook, type ResourceSight } from '../../domain/request/look.ts';
import type { HeldResource, KnownRequest } from '../../domain/request/state.ts';
import { fillingResources, liveMachines, unitsOfAll, unresolvedLaunches } from '../../domain/request/units.ts';
import { type KnownReturn, openItems } from '../../domain/return/state.ts';
import type { Logger } from '../ports/telemetry.ts';
import { keeperOf, unlessFault } from './keepers.ts';
import type { LifeCyclePorts } from './ports.ts';

/** What is seen of the fleets and groups of requests, by request and by their own ids: several may share a group. */
type ResourceLooks = ReadonlyMap<string, ReadonlyMap<string, ResourceLook>>;

/** One batched look at AWS for many requests and returns. */
export interface SharedLook extends Pick<Look, 'at' | 'isAwsTime' | 'seen'> {
  readonly resources: ResourceLooks;
  /** What EC2 shows as launched by the requests that may still grow, by request. */
  readonly launched: ReadonlyMap<string, readonly OwnedObservation[]>;
}

export interface OpenCreate {
  readonly id: string;
  readonly request: KnownRequest;
  readonly version: number;
  /** The machines looked at. */
  readonly asked: readonly string[];
}

export interface OpenReturn {
  readonly id: string;
  readonly request: KnownReturn;
  readonly version: number;
}

type LookPorts = Pick<LifeCyclePorts, 'providers' | 'log'>;

const parallelLooks = 4;

/** A look at each fleet and group through which AWS still seeks capacity for the requests, as far as AWS lets us look. */
const lookAtResources = async (ports: LifeCyclePorts, creates: readonly OpenCreate[]): Promise<ResourceLooks> => {
  const looks = new Map(creates.map(({ id }) => [id, new Map<string, ResourceLook>()] as const));
  const waiting = creates.flatMap(({ id, request }) => fillingResources(request).map((resource) => ({ id, resource })));
  const lookOn = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { id, resource } = next;
      const keeper = await keeperOf(ports, resource.kind);
      const look = await unlessFault(ports.log, resource, keeper.look(resource));
      if (look !== undefined) looks.get(id)?.set(resource.id, look);
    }
  };
  await Promise.all(Array.from({ length: parallelLooks }, lookOn));
  return looks;
};

/**
 * Members that AWS's own answer shows and the search by tag does not, by fleet or group; a further call only where the sums
 * differ.
 */
const membersUnseen = async (
  ports: LookPorts,
  { request }: Pick<OpenCreate, 'request'>,
  looks: ReadonlyMap<string, ResourceLook>,
  seen: readonly OwnedObservation[],
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

export const lookAt = async (
  ports: LifeCyclePorts,
  creates: readonly OpenCreate[],
  returns: readonly OpenReturn[],
): Promise<SharedLook> => {
  const resources = await lookAtResources(ports, creates);
  const ids = new Set([
    ...creates.filter((open) => !isFoundByTag(open)).flatMap(({ asked }) => asked),
    ...[...resources.values()].flatMap((ofOne) => [...ofOne.values()].flatMap(({ machineIds }) => machineIds)),
    ...returns.flatMap(({ request }) => openItems(request).map(({ machineId }) => machineId)),
  ]);
  const growing = creates.filter(isGrowing).map(({ id }) => id);
  if (ids.size + growing.length === 0) return { ...timeOf(ports), seen: new Map(), launched: new Map(), resources };
  const ec2 = await ports.hosts();
  const [seen, byRequest] = await Promise.all([ec2.describe([...ids]), ec2.describeByRequest(growing)]);
  const launched = new Map<string, typeof byRequest>();
  for (const observation of byRequest) {
    const { requestId = '' } = observation;
    launched.set(requestId, [...(launched.get(requestId) ?? []), observation]);
  }
  const shown = new Map([...byRequest, ...seen].map((observation) => [observation.machineId, observation] as const));
  const untagged = await lookWithoutTag(ports, creates.filter(isFoundByTag), { resources, launched, shown });
  return { ...timeOf(ports), launched, ...untagged };
};

/** What the search by tag has not shown of growing requests: machines they hold, and those that AWS says it gave them. */
const lookWithoutTag = async (
  ports: LifeCyclePorts,
  growing: readonly OpenCreate[],
  { resources, launched, shown }: Pick<SharedLook, 'resources' | 'launched'> & { readonly shown: SharedLook['seen'] },
): Promise<Pick<SharedLook, 'seen' | 'resources'>> => {
  const ids = growing.flatMap(({ asked }) => asked).filter((machineId) => !shown.has(machineId));
  const looks = new Map(resources);
  for (const open of growing) {
    const ofOne = new Map(resources.get(open.id));
    looks.set(open.id, ofOne);
    for (const [id, unseen] of await membersUnseen(ports, open, ofOne, launched.get(open.id) ?? [])) {
      const look = ofOne.get(id);
      if (look !== undefined) ofOne.set(id, { ...look, machineIds: [...look.machineIds, ...unseen] });
      ids.push(...unseen);
    }
  }
  if (ids.length === 0) return { seen: shown, resources };
  const late = await (await ports.hosts()).describe(ids);
  return { seen: new Map([...shown, ...late.map((each) => [each.machineId, each] as const)]), resources: looks };
};

/** Afterwards: only AWS's answers tell its time. */
const timeOf = ({ awsTime, clock }: LifeCyclePorts): Pick<Look, 'at' | 'isAwsTime'> => {
  const time = awsTime();
  return { at: time ?? clock(), isAwsTime: time !== undefined };
};

const isGrowing = ({ request }: OpenCreate): boolean =>
  unresolvedLaunches(request).length > 0 || fillingResources(request).length > 0;

/** What a request that may still grow has launched is looked for by tag, known machines included; one call shows both. */
const isFoundByTag = (open: OpenCreate): boolean =>
  isGrowing(open) && open.request.resources.every(({ adoption }) => adoption === undefined);

/** What a batched look shows of one request. */
export const lookOf = (
  log: Logger,
  { at, isAwsTime, seen, launched, ...shared }: SharedLook,
  { id, request, asked }: OpenCreate,
): Look => {
  const resources = shared.resources.get(id) ?? new Map<string, ResourceLook>();
  const filling = fillingResources(request);
  const resource = request.resources.find(({ adoption }) => adoption !== undefined) ?? filling[0];
  const arrived = filling.flatMap((each) => resources.get(each.id)?.machineIds ?? []);
  const observations = [...new Set([...asked, ...arrived])].flatMap((machineId) => seen.get(machineId) ?? []);
  if (resource !== undefined) warnOfOthers(log, id, resource, observations);
  return {
    ...noLook(at),
    isAwsTime,
    known: request.machines,
    asked,
    sought: new Set(unresolvedLaunches(request).map(({ clientToken }) => clientToken)),
    seen,
    launched: launched.get(id) ?? [],
    resources,
  };
};

/** Undefined after a fault that passes. */
const membersOf = async (ports: LookPorts, resource: HeldResource): Promise<readonly string[] | undefined> => {
  const keeper = await keeperOf(ports, resource.kind);
  try {
    return await keeper.members(resource);
  } catch (error) {
    if (!isPluginError(error)) throw error;
    const text = `AWS does not list the machines of ${resource.kind} ${resource.id}; only those with our tags are found`;
    ports.log.warn('resource.unlisted', `${text}: ${messageOf(error)}`, { aws: error.aws });
    return hasCode(error, 'provider.throttled', 'provider.transient', 'provider.unreachable') ? undefined : [];
  }
};

/**
 * Looks for machines that have arrived since the look, by AWS's own answer as well as by their tags: nothing is to arrive
 * unseen while the search of a fleet or group is ended.
 */
export const lookAgain = async (
  ports: LookPorts & Pick<LifeCyclePorts, 'hosts'>,
  requestId: string,
  request: KnownRequest,
  resource: HeldResource,
  look: Look,
): Promise<Look> => {
  const sight = look.resources.get(resource.id);
  if (sight === undefined) return look;
  const withSight = (news: Partial<ResourceSight>) =>
    new Map([...look.resources, [resource.id, { ...sight, ...news }]]);
  const members = await membersOf(ports, resource);
  if (members === undefined) return { ...look, resources: withSight({ unshown: 'unknown' }) };
  const hosts = await ports.hosts();
  const found = await hosts.describeByRequest([requestId]);
  const known = new Set([...found.map(({ machineId }) => machineId), ...request.machines.keys()]);
  const described = await hosts.describe(members.filter((machineId) => !known.has(machineId)));
  warnOfOthers(ports.log, requestId, resource, described);
  const shown = new Set([...known, ...described.map(({ machineId }) => machineId)]);
  const unshown = members.filter((machineId) => !shown.has(machineId));
  if (unshown.length > 0)
    ports.log.warn('machine.unshown', `${resource.kind} ${resource.id} has brought machines that EC2 does not show`, {
      requestId,
      machineIds: unshown,
    });
  const alive = described.filter(({ state }) => !hasEnded(state)).map(({ machineId }) => machineId);
  return {
    ...look,
    seen: new Map([...look.seen, ...[...found, ...described].map((each) => [each.machineId, each] as const)]),
    launched: found,
    resources: withSight({ machineIds: [...sight.machineIds, ...alive], unshown }),
  };
};

/** Machines of a fleet or group with the tags of somebody else: they are left alone. */
const warnOfOthers = (
  log: Logger,
  requestId: string,
  { kind, id }: HeldResource,
  seen: readonly OwnedObservation[],
): void => {
  const others = seen.filter(({ ours, ofOtherOwner, state }) => !ours && ofOtherOwner === true && !hasEnded(state));
  if (others.length === 0) return;
  const ids = others.map(({ machineId }) => machineId);
  log.warn('machine.foreign', `${kind} ${id} holds ${ids.join(', ')}, with another owner's tag`, { requestId });
};
