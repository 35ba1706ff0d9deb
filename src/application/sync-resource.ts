import { messageOf } from '../domain/errors.ts';
import type { Machine } from '../domain/machine.ts';
import {
  fillingResources,
  type HeldResource,
  type KnownRequest,
  liveMachines,
  missingUnits,
  type Refusal,
  type Request,
  type RequestCommand,
  unitsOfAll,
} from '../domain/request.ts';
import { onDemandRest } from '../domain/template.ts';
import { sendLaunch } from './launching.ts';
import type { ResourceKeeper, ResourceLook, TargetUnits } from './ports.ts';
import { type DecideContext, type Decided, decideOnRequest } from './streams.ts';
import { type OpenCreate, type SyncPorts, sightingOf } from './syncing.ts';

/** A heterogeneous request turns to on-demand capacity so long before its spot fleet would expire, ms. */
const turnBeforeExpiry = 60_000;

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

/** A look at each fleet and group through which AWS still seeks capacity for the requests. */
export const lookAtResources = async (
  ports: SyncPorts,
  creates: readonly OpenCreate[],
): Promise<ReadonlyMap<string, ResourceLook>> => {
  const filling = creates.flatMap(({ request }) => fillingResources(request));
  const looks = await Promise.all(
    filling.map(
      async (resource) => [resource.id, await (await keeperOf(ports, resource.kind)).look(resource)] as const,
    ),
  );
  return new Map(looks);
};

const isOver = (
  request: KnownRequest,
  { expiresAt }: HeldResource,
  look: ResourceLook | undefined,
  now: number,
): boolean => {
  const early = request.template.priceType === 'heterogeneous' ? turnBeforeExpiry : 0;
  return look?.ended === true || now >= expiresAt - early;
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
    if (state.stage === 'absent') return state;
    const now = ports.clock();
    if (missingUnits(state) === 0) state = (await endSatisfied(ports, context, id, resource, now)).state;
    else if (isOver(state, resource, looks.get(resource.id), now))
      state = await endShort(ports, context, id, state, resource);
  }
  return state;
};

const endSatisfied = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  resource: HeldResource,
  now: number,
): Promise<Decided<Request>> => {
  await (await keeperOf(ports, resource.kind)).satisfied(resource);
  const stage = resource.refills ? 'holding' : 'deleted';
  return decideOnRequest(context, id, [
    { type: 'ChangeResource', now, resourceId: resource.id, stage },
    { type: 'Settle', now },
  ]);
};

const endShort = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  request: KnownRequest,
  resource: HeldResource,
): Promise<Request> => {
  const keeper = await keeperOf(ports, resource.kind);
  const why = await keeper
    .explain(resource)
    .catch((error: unknown) => ({ code: 'Unexplained', message: messageOf(error) }));
  const held = targetFor(request, liveMachines(request));
  const keeps = resource.refills && held.total > 0;
  if (keeps) await keeper.hold(resource, held);
  else await keeper.remove(resource);
  const late = await adoptLate(ports, keeper, request, resource);
  const now = ports.clock();
  const adopted: RequestCommand = { type: 'RecordLaunch', now, clientToken: resource.clientToken, granted: late };
  const { state } = await decideOnRequest(context, id, [adopted]);
  const missing = state.stage === 'absent' ? 0 : missingUnits(state);
  const refusal: Refusal = {
    missing,
    code: why?.code ?? 'Expired',
    fault: 'provider.capacity',
    message: why?.message ?? 'AWS found no more capacity in time',
    pool: `${resource.kind} ${resource.id}`,
  };
  const change: RequestCommand = {
    type: 'ChangeResource',
    now,
    resourceId: resource.id,
    stage: keeps ? 'holding' : 'deleted',
    ...(missing > 0 ? { refusal } : {}),
  };
  if (missing === 0 || request.template.priceType !== 'heterogeneous') {
    return (await decideOnRequest(context, id, [change, { type: 'Settle', now }])).state;
  }
  return launchRest(ports, context, id, state, missing, change);
};

/** Machines that arrived between the look and the end of the search. */
const adoptLate = async (ports: SyncPorts, keeper: ResourceKeeper, request: KnownRequest, resource: HeldResource) => {
  const { machineIds } = await keeper.look(resource);
  const unknown = machineIds.filter((machineId) => !request.machines.has(machineId));
  if (unknown.length === 0) return [];
  return (await (await ports.hosts()).describe(unknown)).map(sightingOf);
};

const launchRest = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  request: Request,
  missing: number,
  change: RequestCommand,
): Promise<Request> => {
  const provider = await ports.providers('EC2Fleet');
  if (request.stage === 'absent') return request;
  const { template, attributes, launches } = request;
  const attempt = launches.length;
  const launch = await provider.prepare({
    requestId: id,
    template: onDemandRest(template),
    count: missing,
    attempt,
    attributes,
  });
  const now = ports.clock();
  if (launch === undefined) return (await decideOnRequest(context, id, [change, { type: 'Settle', now }])).state;
  const { state } = await decideOnRequest(context, id, [change, { type: 'IntendLaunch', now, launch }]);
  const outcome = await sendLaunch(ports, provider, launch);
  if (outcome === undefined) return state;
  return (await decideOnRequest(context, id, [outcome.record, { type: 'Settle', now: ports.clock() }])).state;
};
