import type { Machine, Observation } from '../machine.ts';
import { withObservation } from '../machine.ts';
import { expiryMs, type ProviderApi, type Template } from '../template/template.ts';
import type { PreparedLaunch, Refusal, RequestEvent, Resource, ResourceStage, Shortage } from './events.ts';

export interface Launch extends PreparedLaunch {
  /**
   * From when its deadline counts, ms: when it was first to be sent, by a clock that may not have been compared with AWS's yet;
   * once AWS was heard, when that was.
   */
  readonly intendedAt: number;
  /** When it was last sent, ms. */
  readonly sentAt: number;
  /** Whether it went out again, as it does before it is given up. */
  readonly sentAgain?: boolean;
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

const sighted = (request: KnownRequest, seen: readonly Observation[]): Machines =>
  withMachines(
    request.machines,
    seen.map((observation) => withObservation(request.machines.get(observation.machineId), observation)),
  );

const reopened = ({ settledMachines: _then, settledAt: _when, ...request }: KnownRequest): KnownRequest => ({
  ...request,
  stage: 'open',
});

/** Keeps the earlier reason where AWS gives no new one. */
const withExplanation = (
  resource: HeldResource,
  { at, shortage = resource.explained?.shortage }: Extract<RequestEvent, { type: 'SearchExplained' }>,
): HeldResource => ({
  ...resource,
  explained: { at, times: (resource.explained?.times ?? 0) + 1, ...(shortage === undefined ? {} : { shortage }) },
});

/** The end was dated before AWS was heard, by a clock that was wrong perhaps: no search is longer than it was to be, or over at once. */
const endOfSearch = (
  { at, resource: { expiresAt } }: Extract<RequestEvent, { type: 'ResourceCreated' }>,
  longest: number,
): number => (expiresAt > at && expiresAt <= at + longest ? expiresAt : at + longest);

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
          return { ...sent, sentAt: event.at, sentAgain: true, ...(!launch.sentAgain && { intendedAt: event.at }) };
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
            expiresAt: endOfSearch(event, expiryMs(request.template)),
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
            ? { ...launch, tryNextPool: true, intendedAt: event.at }
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
    case 'MachinesLeftGroup':
      return {
        ...request,
        machines: changeMachines(request, event.machineIds, (machine) => ({ ...machine, leftGroup: true })),
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
