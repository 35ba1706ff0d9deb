import { hasCode, isPluginError, messageOf } from '../../domain/errors.ts';
import type { RequestCommand } from '../../domain/request/commands.ts';
import type { PreparedLaunch, Refusal } from '../../domain/request/events.ts';
import type { HeldResource, KnownRequest, Request } from '../../domain/request/state.ts';
import { fillingResources, missingUnits, unitsOfAll, unresolvedLaunches } from '../../domain/request/units.ts';
import { onDemandRest, type ProviderApi, type Template } from '../../domain/template/template.ts';
import type { CapacityProvider, LaunchOrder } from '../ports/capacity.ts';
import type { Clock } from '../ports/policy.ts';
import type { Logger } from '../ports/telemetry.ts';
import { type DecideContext, type Decided, decideOnRequest } from './streams.ts';

export interface LaunchPorts {
  readonly clock: Clock;
  readonly log: Logger;
}

/** What to record of a launch call, and whether another pool is worth a try. */
export interface LaunchOutcome {
  readonly record: Extract<RequestCommand, { type: 'RecordLaunch' }>;
  readonly missing: number;
  readonly tryNextPool: boolean;
}

/**
 * Sends a prepared launch. `unknown`: nobody knows what became of it; the intent stays open on the stream and the next look
 * at the request finds out. `throttled`: AWS turned it away unread, so it made nothing.
 */
export const sendLaunch = async (
  { clock, log }: LaunchPorts,
  provider: CapacityProvider,
  launch: PreparedLaunch,
  isRepeat = false,
): Promise<LaunchOutcome | 'unknown' | 'throttled'> => {
  try {
    const { machines, resource, refusal, tryNextPool } = await provider.launch(launch, isRepeat);
    const missing = refusal?.missing ?? 0;
    return {
      record: {
        type: 'RecordLaunch',
        now: clock(),
        clientToken: launch.clientToken,
        granted: machines,
        ...(resource === undefined ? {} : { resource }),
        ...(refusal === undefined ? {} : { refusal: { ...refusal, ...(tryNextPool ? { tryNextPool } : {}) } }),
      },
      missing,
      tryNextPool,
    };
  } catch (error) {
    if (!hasCode(error, 'provider.throttled', 'provider.transient')) throw error;
    log.warn('launch.unknown', messageOf(error), { clientToken: launch.clientToken, aws: error.aws });
    // What makes a fleet or group takes several calls: of these an earlier one may have been heard.
    return error.code === 'provider.throttled' && launch.makesResource !== true ? 'throttled' : 'unknown';
  }
};

/** What a request's launches have in common, and where they are recorded. */
export interface Launching extends Pick<LaunchOrder, 'requestId' | 'template' | 'attributes'> {
  readonly context: DecideContext;
}

interface Intended extends Decided<Request> {
  /** As it is on record: another process with the same command id may have been first. */
  readonly launch: PreparedLaunch | undefined;
}

/** Puts the intent of a launch on record. */
export const intend = async (
  { clock }: LaunchPorts,
  { context, requestId }: Launching,
  launch: PreparedLaunch | undefined,
  before: readonly RequestCommand[] = [],
): Promise<Intended> => {
  const intent: readonly RequestCommand[] =
    launch === undefined ? [] : [{ type: 'IntendLaunch', now: clock(), launch }];
  const decided = await decideOnRequest(context, requestId, [...before, ...intent]);
  const launches = decided.state.stage === 'absent' ? [] : decided.state.launches;
  return { ...decided, launch: launches.find(({ clientToken }) => clientToken === launch?.clientToken) };
};

/** What a request asks for next, and of which API: once its spot fleet has been, a heterogeneous one goes on on demand. */
export const soughtBy = ({
  template,
  providerApi,
  resources,
}: KnownRequest): { readonly template: Template; readonly api: ProviderApi } =>
  template.priceType === 'heterogeneous' && resources.length > 0
    ? { template: onDemandRest(template), api: 'EC2Fleet' }
    : { template, api: providerApi };

interface Launched extends Decided<Request> {
  /** All that may be tried has been. */
  readonly noPoolLeft?: boolean;
}

/** Asks the next pool for what is missing; settles the request where no pool is left. */
export const launchInNextPool = async (
  ports: LaunchPorts,
  provider: CapacityProvider,
  launching: Launching,
  request: KnownRequest,
): Promise<Launched> => {
  const { context, requestId } = launching;
  const order = { ...launching, count: missingUnits(request), earlier: request.launches };
  const launch = await provider.prepare(order).catch((error: unknown) => {
    // What passes is tried again at the next look; what does not withholds no machine that is there.
    if (!isPluginError(error) || hasCode(error, 'provider.throttled', 'provider.transient')) throw error;
    ports.log.error('launch.unprepared', messageOf(error), { requestId });
    return undefined;
  });
  if (launch !== undefined) return sendPoolByPool(ports, provider, launching, await intend(ports, launching, launch));
  const settle: RequestCommand = { type: 'Settle', now: ports.clock(), noPoolLeft: true };
  return { ...(await decideOnRequest(context, requestId, [settle])), noPoolLeft: true };
};

/** Sends a launch that is on record, records what came of it, and goes on to the next pool where that may help. */
export const sendPoolByPool = async (
  ports: LaunchPorts,
  provider: CapacityProvider,
  launching: Launching,
  intended: Intended,
): Promise<Launched> => {
  if (intended.launch === undefined) return intended;
  const outcome = await sendLaunch(ports, provider, intended.launch);
  if (outcome === 'unknown') return intended;
  if (outcome === 'throttled') {
    const { clientToken } = intended.launch;
    const throttle: RequestCommand = { type: 'ThrottleLaunch', now: ports.clock(), clientToken, times: 1 };
    return decideOnRequest(launching.context, launching.requestId, [throttle]);
  }
  const next = outcome.missing > 0 && outcome.tryNextPool;
  const settle: readonly RequestCommand[] = next ? [] : [{ type: 'Settle', now: ports.clock() }];
  const decided = await decideOnRequest(launching.context, launching.requestId, [outcome.record, ...settle]);
  if (!next || decided.state.stage === 'absent') return decided;
  return launchInNextPool(ports, provider, launching, decided.state);
};

const refusalText = ({ code, pool, message }: Refusal): string =>
  `Error Code: ${code} (${pool})${message === '' ? '' : `: ${message}`}`;

const searchText = ({ kind, id, explained }: HeldResource): string => {
  const text = `${kind} ${id} is looking for the rest.`;
  const { shortage } = explained ?? {};
  return shortage === undefined ? text : `${text} AWS says: Error Code: ${shortage.code}: ${shortage.message}`;
};

const countText = (request: KnownRequest): string => {
  const { wanted, machines } = request;
  const units = unitsOfAll(request, [...machines.values()]);
  if (units === machines.size) return `${machines.size} of ${wanted} machines granted.`;
  return `${units} of ${wanted} units granted on ${machines.size} machines.`;
};

export const cancelledText = (reason: string): string => `Cancelled: ${reason}`;

/** What was asked and granted, and why there is less: the one sentence Host Factory's log shows the administrator. */
export const requestMessage = (request: KnownRequest): string => {
  const counts =
    request.cancelled === undefined ? countText(request) : `${cancelledText(request.cancelled)}. ${countText(request)}`;
  const unresolved = unresolvedLaunches(request);
  if (unresolved.length > 0) {
    if (unresolved.every(({ throttled = 0 }) => throttled > 0))
      return `${counts} AWS turned the launch away for too many calls; it will be sent again.`;
    return `${counts} AWS has not confirmed the launch yet; it will be looked up.`;
  }
  const filling = fillingResources(request).map(searchText);
  const reasons = [...new Set(request.refusals.map(refusalText))];
  return missingUnits(request) === 0 ? counts : [counts, ...filling, ...reasons].join(' ');
};
