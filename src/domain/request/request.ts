import type { ErrorCode } from '../errors.ts';
import { differs, hasEnded, type Machine, resultOf, type Sighting, withSighting } from '../machine.ts';
import { type ProviderApi, type Template, weightsOf } from '../template/template.ts';

/** A launch call as it was prepared: what is stored is what goes out, now and in every retry. */
export interface PreparedLaunch {
  /** Makes the call idempotent at EC2; derived from the request id, never random. */
  readonly clientToken: string;
  readonly count: number;
  /** The API that makes the call, where it is not the request's own: the on-demand rest of a heterogeneous request. */
  readonly api?: ProviderApi;
  /** Whether it makes a fleet or group, whose id only an answer tells: instances alone do not resolve it. */
  readonly makesResource?: boolean;
  /** Where the capacity is sought, for messages: `m5.large in subnet-1`. */
  readonly pool: string;
  /** The provider's own rendering of the call. Only the provider reads it. */
  readonly call: Readonly<Record<string, unknown>>;
}

/**
 * A fleet or group that gives a request its machines over time. `filling`: AWS still looks for capacity; `holding`: a group that
 * has what it will get, or a fleet that AWS would not end; `deleted`: gone, or AWS does nothing for it any more.
 */
export interface Resource {
  readonly kind: Exclude<ProviderApi, 'RunInstances'>;
  readonly id: string;
  /** Whether AWS replaces what is lost while it looks for capacity: maintain fleets, and groups of the administrator's. */
  readonly refills: boolean;
  /** Whether AWS goes on looking for capacity after the launch call. */
  readonly seeks: boolean;
  /** False for a group of the administrator's own, which is never deleted. */
  readonly ours: boolean;
  /** Milliseconds since the epoch; when the search for capacity ends. */
  readonly expiresAt: number;
  /** A launch template made for this request alone. */
  readonly launchTemplateId?: string;
  /** Where the members that answer this request have to be picked out and marked: a group of the administrator's. */
  readonly adoption?: {
    readonly requestId: string;
    readonly tags: readonly (readonly [key: string, value: string])[];
  };
}

type ResourceStage = 'filling' | 'holding' | 'deleted';

/** Faults after which nobody need look for what is missing: AWS refused it, or never got the call. */
export type RefusalFault = Extract<
  ErrorCode,
  | 'provider.capacity'
  | 'provider.quota'
  | 'provider.denied'
  | 'provider.misconfigured'
  | 'provider.missing'
  | 'provider.unreachable'
>;

/** Capacity that was asked for and not given. */
export interface Refusal {
  readonly missing: number;
  /** AWS's code, or `PartialGrant` where AWS gives none. */
  readonly code: string;
  /** Our kind of the fault behind it. */
  readonly fault: RefusalFault;
  readonly message: string;
  readonly pool: string;
  readonly awsRequestId?: string;
  /** Another pool may have what this one lacked. */
  readonly tryNextPool?: boolean;
}

/** Why a fleet or group lacks capacity. */
export type Shortage = Pick<Refusal, 'code' | 'fault' | 'message'>;

/**
 * Whether a refusal of a launch that was sent before says that the earlier send brought nothing either: AWS looks at the client
 * token first, but not before it has let the caller in.
 */
export const deniesEarlierSends = ({ fault }: Refusal): boolean =>
  !(fault === 'provider.denied' || fault === 'provider.unreachable');

export type RequestEvent =
  | {
      readonly type: 'RequestCreated';
      readonly at: number;
      readonly template: Template;
      readonly providerApi: ProviderApi;
      readonly wanted: number;
      readonly attributes: Readonly<Record<string, string>>;
    }
  | { readonly type: 'LaunchIntended'; readonly at: number; readonly launch: PreparedLaunch }
  | { readonly type: 'LaunchRepeated'; readonly at: number; readonly clientToken: string }
  /** AWS turned the call away unread, and all before it: they made nothing. */
  | { readonly type: 'LaunchThrottled'; readonly at: number; readonly clientToken: string; readonly times: number }
  | {
      readonly type: 'CapacityGranted';
      readonly at: number;
      readonly clientToken: string;
      readonly machines: readonly Sighting[];
    }
  | {
      readonly type: 'ResourceCreated';
      readonly at: number;
      readonly clientToken: string;
      readonly resource: Resource;
    }
  | {
      readonly type: 'ResourceChanged';
      readonly at: number;
      readonly resourceId: string;
      readonly stage: ResourceStage;
    }
  | { readonly type: 'CapacityRefused'; readonly at: number; readonly clientToken: string; readonly refusal: Refusal }
  | {
      /** AWS was asked why a fleet or group finds no more; without `shortage` no reason was to be had. */
      readonly type: 'SearchExplained';
      readonly at: number;
      readonly resourceId: string;
      readonly shortage?: Shortage;
    }
  | { readonly type: 'MachinesObserved'; readonly at: number; readonly machines: readonly Sighting[] }
  | { readonly type: 'MachinesMissed'; readonly at: number; readonly machineIds: readonly string[] }
  | {
      readonly type: 'MachinesGivenUp';
      readonly at: number;
      readonly machineIds: readonly string[];
      readonly reason: string;
    }
  | {
      /** They carry no ownership tag of ours and were left alone. */
      readonly type: 'MachinesDisowned';
      readonly at: number;
      readonly machineIds: readonly string[];
      readonly reason: string;
    }
  | {
      readonly type: 'MachineStatusReported';
      readonly at: number;
      readonly machineId: string;
      readonly status: Machine['state'];
      readonly metadata: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'MachinesReturned';
      readonly at: number;
      readonly returnId: string;
      readonly machineIds: readonly string[];
    }
  | { readonly type: 'RequestCancelled'; readonly at: number; readonly reason: string }
  | { readonly type: 'RequestCompleted'; readonly at: number }
  /** Somebody asked about the request: its id did reach its caller. */
  | { readonly type: 'RequestClaimed'; readonly at: number };

interface Launch extends PreparedLaunch {
  /** When it was first to be sent, ms. */
  readonly intendedAt: number;
  /** When it was last sent, ms. */
  readonly sentAt: number;
  readonly resolved: boolean;
  /** How often AWS has turned it away unread, where it did nothing else with it. */
  readonly throttled?: number;
  /** It was refused in a way that has another pool tried. */
  readonly tryNextPool?: boolean;
}

export interface HeldResource extends Resource {
  readonly stage: ResourceStage;
  readonly clientToken: string;
  readonly createdAt: number;
  /** When AWS was last asked why it finds no more, how often in all, and what AWS said. */
  readonly explained?: { readonly at: number; readonly times: number; readonly shortage?: Shortage };
}

type Machines = ReadonlyMap<string, Machine>;

export interface KnownRequest {
  readonly stage: 'open' | 'settled';
  readonly template: Template;
  readonly providerApi: ProviderApi;
  readonly wanted: number;
  readonly createdAt: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly launches: readonly Launch[];
  readonly refusals: readonly Refusal[];
  readonly resources: readonly HeldResource[];
  /** As last seen. */
  readonly machines: Machines;
  /** As they stood when the request settled: Host Factory gets the same answer for ever. */
  readonly settledMachines?: Machines;
  readonly settledAt?: number;
  /** When somebody first asked about it, ms. */
  readonly claimedAt?: number;
  /** Why nothing of it is wanted any more: nothing is launched for it, and all it has is released. */
  readonly cancelled?: string;
}

export type Request = { readonly stage: 'absent' } | KnownRequest;

export const absentRequest: Request = { stage: 'absent' };

const withMachines = (machines: Machines, changed: Iterable<Machine>): Machines => {
  const next = new Map(machines);
  for (const machine of changed) next.set(machine.machineId, machine);
  return next;
};

const changeMachines = (
  { machines }: KnownRequest,
  ids: readonly string[],
  change: (machine: Machine) => Machine,
): Machines =>
  withMachines(
    machines,
    ids.flatMap((id) => {
      const machine = machines.get(id);
      return machine === undefined ? [] : [change(machine)];
    }),
  );

const resolve = (launches: readonly Launch[], clientToken: string): readonly Launch[] =>
  launches.map((launch) => (launch.clientToken === clientToken ? { ...launch, resolved: true } : launch));

const sighted = (request: KnownRequest, seen: readonly Sighting[]): Machines =>
  withMachines(
    request.machines,
    seen.map((sighting) => withSighting(request.machines.get(sighting.machineId), sighting)),
  );

const reopened = ({ settledMachines: _then, settledAt: _when, ...request }: KnownRequest): KnownRequest => ({
  ...request,
  stage: 'open',
});

/** A reason known before stands where no new one was to be had. */
const withExplanation = (
  resource: HeldResource,
  { at, shortage = resource.explained?.shortage }: Extract<RequestEvent, { type: 'SearchExplained' }>,
): HeldResource => ({
  ...resource,
  explained: { at, times: (resource.explained?.times ?? 0) + 1, ...(shortage === undefined ? {} : { shortage }) },
});

const evolveKnown = (request: KnownRequest, event: RequestEvent): KnownRequest => {
  switch (event.type) {
    case 'RequestCreated':
      return request;
    case 'LaunchIntended':
      return {
        ...request,
        launches: [...request.launches, { ...event.launch, intendedAt: event.at, sentAt: event.at, resolved: false }],
      };
    case 'LaunchRepeated':
      return {
        ...request,
        launches: request.launches.map((launch) => {
          if (launch.clientToken !== event.clientToken) return launch;
          const { throttled: _before, ...sent } = launch;
          return { ...sent, sentAt: event.at };
        }),
      };
    case 'LaunchThrottled':
      return {
        ...request,
        launches: request.launches.map((launch) =>
          launch.clientToken === event.clientToken ? { ...launch, sentAt: event.at, throttled: event.times } : launch,
        ),
      };
    case 'CapacityGranted':
      // A grant after settling (a launch thought lost that turned up) opens the request again.
      return {
        ...reopened(request),
        launches: resolve(request.launches, event.clientToken),
        machines: sighted(request, event.machines),
      };
    case 'ResourceCreated':
      return {
        ...reopened(request),
        launches: resolve(request.launches, event.clientToken),
        resources: [
          ...request.resources,
          {
            ...event.resource,
            stage: event.resource.seeks ? 'filling' : 'holding',
            clientToken: event.clientToken,
            createdAt: event.at,
          },
        ],
      };
    case 'ResourceChanged':
      return {
        ...request,
        resources: request.resources.map((resource) =>
          resource.id === event.resourceId ? { ...resource, stage: event.stage } : resource,
        ),
      };
    case 'CapacityRefused':
      return {
        ...request,
        launches: resolve(request.launches, event.clientToken).map((launch) =>
          launch.clientToken === event.clientToken && event.refusal.tryNextPool === true
            ? { ...launch, tryNextPool: true }
            : launch,
        ),
        refusals: [...request.refusals, event.refusal],
      };
    case 'SearchExplained':
      return {
        ...request,
        resources: request.resources.map((resource) =>
          resource.id === event.resourceId ? withExplanation(resource, event) : resource,
        ),
      };
    case 'MachinesObserved':
      return { ...request, machines: sighted(request, event.machines) };
    case 'MachinesMissed':
      return {
        ...request,
        machines: changeMachines(request, event.machineIds, (machine) => ({
          ...machine,
          missedSince: Math.min(event.at, machine.missedSince ?? event.at),
        })),
      };
    case 'MachinesGivenUp':
      return {
        ...request,
        machines: changeMachines(request, event.machineIds, (machine) => ({ ...machine, givenUp: event.reason })),
      };
    case 'MachinesDisowned':
      return {
        ...request,
        machines: changeMachines(request, event.machineIds, (machine) => ({
          ...machine,
          givenUp: event.reason,
          disowned: true,
        })),
      };
    case 'MachineStatusReported':
      return {
        ...request,
        // The reason EC2 gave was that of another state.
        machines: changeMachines(request, [event.machineId], ({ reason: _earlier, ...machine }) => ({
          ...machine,
          state: event.status,
          ...(event.metadata['reason'] ? { reason: event.metadata['reason'] } : {}),
        })),
      };
    case 'MachinesReturned':
      return {
        ...request,
        machines: changeMachines(request, event.machineIds, (machine) => ({ ...machine, returnId: event.returnId })),
      };
    case 'RequestCancelled':
      return { ...reopened(request), cancelled: event.reason };
    case 'RequestCompleted':
      return { ...request, stage: 'settled', settledMachines: request.machines, settledAt: event.at };
    case 'RequestClaimed':
      return { ...request, claimedAt: event.at };
  }
};

export const evolveRequest = (request: Request, event: RequestEvent): Request => {
  if (request.stage !== 'absent') return evolveKnown(request, event);
  if (event.type !== 'RequestCreated') return request;
  const { template, providerApi, wanted, attributes, at } = event;
  return {
    stage: 'open',
    template,
    providerApi,
    wanted,
    attributes,
    createdAt: at,
    launches: [],
    refusals: [],
    resources: [],
    machines: new Map(),
  };
};

/** Launches whose outcome is not on record: in flight, or lost with the process or connection that sent them. */
export const unresolvedLaunches = (request: KnownRequest): readonly Launch[] =>
  request.launches.filter(({ resolved }) => !resolved);

/** Whether the process that went from pool to pool ended before it had tried them all. */
export const isBetweenPools = ({ stage, launches, cancelled }: KnownRequest): boolean =>
  stage === 'open' && cancelled === undefined && launches.at(-1)?.tryNextPool === true;

/** Machines that may run and are not being returned: what counts against a template's `maxNumber`. */
export const liveMachines = (request: KnownRequest): readonly Machine[] =>
  [...request.machines.values()].filter(
    ({ state, returnId, disowned }) => !hasEnded(state) && returnId === undefined && disowned === undefined,
  );

/** Fleets and groups through which AWS still looks for capacity. */
export const fillingResources = ({ resources }: KnownRequest): readonly HeldResource[] =>
  resources.filter(({ stage }) => stage === 'filling');

const firstExplanationAge = 120_000;
const mostExplanations = 4;

/** Whether it is time to ask AWS why a search finds no more: at the age of two minutes, then at doubled ages, four times in all. */
export const isExplanationDue = ({ stage, createdAt, explained }: HeldResource, now: number): boolean => {
  if (stage !== 'filling') return false;
  if (explained === undefined) return now - createdAt >= firstExplanationAge;
  return explained.times < mostExplanations && now - createdAt >= 2 * (explained.at - createdAt);
};

/** Units of machines: each counts for its type's weight where the template gives weights, else 1. */
export const unitsOfAll = ({ providerApi, template }: KnownRequest, machines: readonly Machine[]): number => {
  const weights = providerApi === 'RunInstances' ? {} : weightsOf(template);
  return machines.reduce((sum, { instanceType }) => sum + (weights[instanceType] ?? 1), 0);
};

/**
 * Units asked for and not given: what AWS still owes. A machine that was given and died is not owed again, except where AWS
 * replaces what is lost; one that was returned never.
 */
export const missingUnits = (request: KnownRequest): number => {
  const refills = request.resources.some((resource) => resource.refills && resource.stage === 'filling');
  const given = [...request.machines.values()].filter(
    ({ state, returnId }) => !(refills && hasEnded(state) && returnId === undefined),
  );
  return Math.max(0, request.wanted - unitsOfAll(request, given));
};

/** What AWS owes and no launch on its way may bring. */
export const unsoughtUnits = (request: KnownRequest): number => {
  const underway = unresolvedLaunches(request).reduce((sum, { count }) => sum + count, 0);
  return Math.max(0, missingUnits(request) - underway);
};

/** Units the request holds or may still get. */
export const liveUnits = (request: KnownRequest): number => {
  const held = unitsOfAll(request, liveMachines(request));
  const unresolved = unresolvedLaunches(request).reduce((sum, { count }) => sum + count, 0);
  const filling = fillingResources(request).length > 0 ? missingUnits(request) : 0;
  return held + unresolved + filling;
};

export type RequestCommand =
  | {
      readonly type: 'Create';
      readonly now: number;
      readonly template: Template;
      readonly providerApi: ProviderApi;
      readonly wanted: number;
      readonly attributes: Readonly<Record<string, string>>;
    }
  | { readonly type: 'IntendLaunch'; readonly now: number; readonly launch: PreparedLaunch }
  | { readonly type: 'RepeatLaunch'; readonly now: number; readonly clientToken: string }
  | { readonly type: 'ThrottleLaunch'; readonly now: number; readonly clientToken: string; readonly times: number }
  | {
      readonly type: 'RecordLaunch';
      readonly now: number;
      readonly clientToken: string;
      readonly granted: readonly Sighting[];
      readonly resource?: Resource;
      readonly refusal?: Refusal;
    }
  | {
      readonly type: 'ChangeResource';
      readonly now: number;
      readonly resourceId: string;
      readonly stage: ResourceStage;
      /** Why the search for capacity ended; recorded where it ended short. */
      readonly refusal?: Omit<Refusal, 'missing'>;
      /** What asks for the rest elsewhere. Nothing is changed where the rest is not that much any more. */
      readonly rest?: PreparedLaunch;
    }
  | {
      readonly type: 'ExplainSearch';
      readonly now: number;
      readonly resourceId: string;
      /** Undefined where no reason was to be had. */
      readonly shortage: Shortage | undefined;
    }
  | {
      /** What one batched look at EC2 showed of the machines `asked` for. */
      readonly type: 'Observe';
      readonly now: number;
      readonly asked: readonly string[];
      readonly seen: readonly Sighting[];
      /** Milliseconds for which EC2 may not know an id it gave out itself; undefined where `now` is not AWS's time: then no miss counts. */
      readonly consistencyWindow: number | undefined;
    }
  | {
      readonly type: 'GiveUp';
      readonly now: number;
      readonly machineIds: readonly string[];
      readonly reason: string;
    }
  | {
      readonly type: 'Disown';
      readonly now: number;
      readonly machineIds: readonly string[];
      readonly reason: string;
    }
  | {
      readonly type: 'ReportStatus';
      readonly now: number;
      readonly machineId: string;
      readonly status: Machine['state'];
      readonly metadata: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'MarkReturned';
      readonly now: number;
      readonly returnId: string;
      readonly machineIds: readonly string[];
    }
  | {
      readonly type: 'Settle';
      readonly now: number;
      /** Nobody goes on to a next pool: none is left, or it is too late. */
      readonly noPoolLeft?: boolean;
    }
  /**
   * Ends a request: nothing more is launched for it, and what it got goes back. Only while it is open, or, `ifUnclaimed`, at any
   * time unless somebody has asked about it.
   */
  | { readonly type: 'Cancel'; readonly now: number; readonly reason: string; readonly ifUnclaimed?: true }
  | { readonly type: 'Claim'; readonly now: number };

const goneReason = 'Client.InstanceUnknown: no longer known to EC2';

/** What a look that did not show a machine makes of it. */
const unshown = (known: Machine, now: number, consistencyWindow: number | undefined): 'missed' | 'gone' | undefined => {
  if (consistencyWindow === undefined) return undefined;
  const { missedSince, state } = known;
  // A time that lies ahead was noted by a clock that was wrong.
  if (missedSince === undefined || missedSince > now) return 'missed';
  const hasPassed = now - Math.max(missedSince, launchedAt(known)) >= consistencyWindow;
  return hasPassed && !hasEnded(state) ? 'gone' : undefined;
};

const observe = (
  request: KnownRequest,
  { now, asked, seen, consistencyWindow }: Extract<RequestCommand, { type: 'Observe' }>,
): readonly RequestEvent[] => {
  const found = new Map(seen.map((sighting) => [sighting.machineId, sighting]));
  const changed: Sighting[] = [];
  const missed: string[] = [];
  for (const machineId of asked) {
    const known = request.machines.get(machineId);
    const sighting = found.get(machineId);
    if (known === undefined) continue;
    if (sighting !== undefined) {
      if (differs(known, withSighting(known, sighting))) changed.push(sighting);
      continue;
    }
    const fate = unshown(known, now, consistencyWindow);
    if (fate === 'missed') missed.push(machineId);
    if (fate === 'gone') {
      const { missedSince: _gone, returnId: _kept, givenUp: _also, disowned: _too, ...last } = known;
      changed.push({ ...last, state: 'terminated', reason: goneReason });
    }
  }
  const events: RequestEvent[] = [];
  if (changed.length > 0) events.push({ type: 'MachinesObserved', at: now, machines: changed });
  if (missed.length > 0) events.push({ type: 'MachinesMissed', at: now, machineIds: missed });
  return events;
};

const launchedAt = ({ launchTime = 0 }: Machine): number => launchTime * 1000;

const recordLaunch = (
  request: KnownRequest,
  { now, clientToken, granted, resource, refusal }: Extract<RequestCommand, { type: 'RecordLaunch' }>,
): readonly RequestEvent[] => {
  const resolved = request.launches.some((launch) => launch.clientToken === clientToken && launch.resolved);
  const fresh = granted.filter(({ machineId }) => !request.machines.has(machineId));
  const events: RequestEvent[] = [];
  if (resource !== undefined && !request.resources.some(({ id }) => id === resource.id)) {
    events.push({ type: 'ResourceCreated', at: now, clientToken, resource });
  }
  if (fresh.length > 0) events.push({ type: 'CapacityGranted', at: now, clientToken, machines: fresh });
  if (refusal !== undefined && !resolved) events.push({ type: 'CapacityRefused', at: now, clientToken, refusal });
  return events;
};

/** Those of the ids that the request holds and of which it is not so yet. */
const heldBut = (
  { machines }: KnownRequest,
  ids: readonly string[],
  isSo: (machine: Machine) => boolean,
): readonly string[] =>
  ids.filter((id) => {
    const machine = machines.get(id);
    return machine !== undefined && !isSo(machine);
  });

/** Of two processes that end a search for capacity, the first to record it asks for the rest. */
const changeResource = (
  request: KnownRequest,
  { now: at, resourceId, stage, refusal, rest }: Extract<RequestCommand, { type: 'ChangeResource' }>,
): readonly RequestEvent[] => {
  const resource = request.resources.find(({ id }) => id === resourceId);
  if (resource === undefined || resource.stage === stage) return [];
  const missing = unsoughtUnits(request);
  if (rest !== undefined && rest.count !== missing) return [];
  const { clientToken } = resource;
  const events: RequestEvent[] = [{ type: 'ResourceChanged', at, resourceId, stage }];
  if (refusal !== undefined && missing > 0)
    events.push({ type: 'CapacityRefused', at, clientToken, refusal: { ...refusal, missing } });
  if (rest !== undefined) events.push({ type: 'LaunchIntended', at, launch: rest });
  return events;
};

/** Of two processes that asked at the same time, the first to record it is heard. */
const explainSearch = (
  request: KnownRequest,
  { now: at, resourceId, shortage }: Extract<RequestCommand, { type: 'ExplainSearch' }>,
): readonly RequestEvent[] => {
  const resource = request.resources.find(({ id }) => id === resourceId);
  if (resource === undefined || !isExplanationDue(resource, at)) return [];
  return [{ type: 'SearchExplained', at, resourceId, ...(shortage === undefined ? {} : { shortage }) }];
};

/** Machines we gave up and EC2 has not shown as ended yet. */
export const givenUpButStanding = ({ machines }: KnownRequest): readonly Machine[] =>
  [...machines.values()].filter(
    ({ givenUp, disowned, state }) => givenUp !== undefined && disowned === undefined && !hasEnded(state),
  );

/** Whether nobody has asked about it, nor ended it. */
export const isUnclaimed = ({ claimedAt, cancelled }: KnownRequest): boolean => (claimedAt ?? cancelled) === undefined;

/** Settled: nothing more will come and every machine is either usable or lost; of a cancelled request all are lost. */
const canSettle = (request: KnownRequest): boolean =>
  request.stage === 'open' &&
  unresolvedLaunches(request).length === 0 &&
  fillingResources(request).length === 0 &&
  givenUpButStanding(request).length === 0 &&
  [...request.machines.values()].every((machine) =>
    request.cancelled === undefined
      ? resultOf(machine) !== 'executing'
      : hasEnded(machine.state) || machine.disowned === true,
  );

/** Whoever goes from pool to pool for it is about to ask the next one. */
const isOwedByPools = (request: KnownRequest): boolean => isBetweenPools(request) && missingUnits(request) > 0;

/** What becomes of the request as a whole. */
const decideEnd = (
  command: Extract<RequestCommand, { type: 'Cancel' | 'Settle' | 'Claim' }>,
  request: KnownRequest,
): readonly RequestEvent[] => {
  const at = command.now;
  switch (command.type) {
    case 'Cancel': {
      const isRunning = request.stage === 'open' && request.cancelled === undefined;
      const may = command.ifUnclaimed === true ? isUnclaimed(request) : isRunning;
      return may ? [{ type: 'RequestCancelled', at, reason: command.reason }] : [];
    }
    case 'Settle':
      return canSettle(request) && (command.noPoolLeft === true || !isOwedByPools(request))
        ? [{ type: 'RequestCompleted', at }]
        : [];
    case 'Claim':
      return isUnclaimed(request) ? [{ type: 'RequestClaimed', at }] : [];
  }
};

const decideKnown = (
  command: Exclude<RequestCommand, { type: 'Create' }>,
  request: KnownRequest,
): readonly RequestEvent[] => {
  const at = command.now;
  switch (command.type) {
    case 'IntendLaunch': {
      const known = request.launches.some(({ clientToken }) => clientToken === command.launch.clientToken);
      const isOver = request.stage === 'settled' || request.cancelled !== undefined;
      // A parallel look may be ahead with a launch of its own for the same.
      const isSought = command.launch.count > unsoughtUnits(request);
      return known || isOver || isSought ? [] : [{ type: 'LaunchIntended', at, launch: command.launch }];
    }
    case 'RepeatLaunch':
      return [{ type: 'LaunchRepeated', at, clientToken: command.clientToken }];
    case 'ThrottleLaunch':
      return [{ type: 'LaunchThrottled', at, clientToken: command.clientToken, times: command.times }];
    case 'RecordLaunch':
      return recordLaunch(request, command);
    case 'ChangeResource':
      return changeResource(request, command);
    case 'ExplainSearch':
      return explainSearch(request, command);
    case 'Observe':
      return observe(request, command);
    case 'GiveUp': {
      const machineIds = heldBut(request, command.machineIds, ({ givenUp }) => givenUp !== undefined);
      return machineIds.length === 0 ? [] : [{ type: 'MachinesGivenUp', at, machineIds, reason: command.reason }];
    }
    case 'Disown': {
      const machineIds = heldBut(request, command.machineIds, ({ disowned }) => disowned === true);
      return machineIds.length === 0 ? [] : [{ type: 'MachinesDisowned', at, machineIds, reason: command.reason }];
    }
    case 'ReportStatus': {
      const { machineId, status, metadata } = command;
      const news = heldBut(request, [machineId], ({ state }) => state === status).length > 0;
      return news ? [{ type: 'MachineStatusReported', at, machineId, status, metadata }] : [];
    }
    case 'MarkReturned': {
      const { returnId } = command;
      const machineIds = heldBut(request, command.machineIds, (machine) => machine.returnId === returnId);
      return machineIds.length === 0 ? [] : [{ type: 'MachinesReturned', at, returnId, machineIds }];
    }
    case 'Cancel':
    case 'Settle':
    case 'Claim':
      return decideEnd(command, request);
  }
};

/** What follows from a command in the present state; nothing when it was carried out before. */
export const decideRequest = (command: RequestCommand, request: Request): readonly RequestEvent[] => {
  if (command.type !== 'Create') return request.stage === 'absent' ? [] : decideKnown(command, request);
  if (request.stage !== 'absent') return [];
  const { now: at, template, providerApi, wanted, attributes } = command;
  return [{ type: 'RequestCreated', at, template, providerApi, wanted, attributes }];
};
