import { messageOf } from '../../domain/errors.ts';
import { hasEnded, type Machine, resultOf } from '../../domain/machine.ts';
import type { RequestCommand } from '../../domain/request/commands.ts';
import { deniesEarlierSends, type PreparedLaunch, type Refusal } from '../../domain/request/events.ts';
import type { KnownRequest } from '../../domain/request/state.ts';
import {
  fillingResources,
  givenUpButStanding,
  isBetweenPools,
  missingUnits,
  unitsOfAll,
  unresolvedLaunches,
} from '../../domain/request/units.ts';
import type { OwnedSighting } from '../../domain/return/return-request.ts';
import { terminateMachines } from './ending.ts';
import { cancelledText, type LaunchOutcome, launchInNextPool, sendLaunch, soughtBy } from './launching.ts';
import { noteOutcome } from './protection.ts';
import { type DecideContext, decideOnRequest } from './streams.ts';
import { abandonResources, explainSearches, markUnmarked, settleResources } from './sync-resource.ts';
import { keepBooks, type Look, type OpenCreate, type SyncPorts, sightingOf, windowOf } from './syncing.ts';

const lost = (launch: PreparedLaunch, granted: number): Refusal => ({
  missing: launch.count - granted,
  code: 'LaunchUnconfirmed',
  fault: 'provider.capacity',
  message: 'EC2 does not show what this launch was to bring',
  pool: launch.pool,
});

type Launch = ReturnType<typeof unresolvedLaunches>[number];

/**
 * Finds out what became of a launch whose answer was lost. All of it is there: adopt it. EC2 may show instances one by one, so
 * less is no answer before the consistency window has passed; then the same call goes out again, to which EC2 answers with the
 * whole first result, unless nobody wants it any more. A fleet or group is asked for again at once, even then: only the answer tells its id.
 * When the deadline is over and no answer to be had, the rest is given up.
 */
const resolveLaunch = async (
  { providers, policy, ...ports }: SyncPorts,
  context: DecideContext,
  { id, request }: OpenCreate,
  launch: Launch,
  { at: now, isAwsTime, launched }: Look,
): Promise<readonly RequestCommand[]> => {
  const { clientToken, count, makesResource = false, throttled = 0, sentAgain = false } = launch;
  const granted = (launched.get(id) ?? []).map(sightingOf).filter(({ machineId }) => !request.machines.has(machineId));
  const units = unitsOfAll(request, granted);
  if (!makesResource && units >= count) return [{ type: 'RecordLaunch', now, clientToken, granted }];
  if (!makesResource && isResting(launch, now, policy.consistencyWindow)) return [];
  // Before it went out again its time is that of a clock that AWS's was not compared with.
  const isLate = isAwsTime && sentAgain && now - launch.intendedAt > policy.launchDeadline;
  const giveUp: RequestCommand = { type: 'RecordLaunch', now, clientToken, granted, refusal: lost(launch, units) };
  if (!makesResource && (request.cancelled !== undefined || isLate)) return [giveUp];
  const provider = await providers(launch.api ?? request.providerApi);
  await decideOnRequest(context, id, [{ type: 'RepeatLaunch', now, clientToken }]);
  const outcome = await sendLaunch(ports, provider, launch, true);
  if (outcome === 'throttled' && throttled > 0)
    return [{ type: 'ThrottleLaunch', now: ports.clock(), clientToken, times: throttled + 1 }];
  if (typeof outcome === 'object' && isCertain(outcome)) return [outcome.record];
  return isLate ? [giveUp] : [];
};

/** Doubled with each time in a row, at most the window. */
const throttlePause = 10_000;

/** A clock that was set back tells nothing: the same call again does no harm. */
const isResting = (launch: Launch, now: number, window: number): boolean =>
  now >= launch.sentAt && now - launch.sentAt < pauseAfter(launch, window);

/** How long an unresolved launch rests before the same call goes out again, ms. */
const pauseAfter = ({ throttled = 0 }: Launch, window: number): number =>
  throttled === 0 ? window : Math.min(window, throttlePause * 2 ** (throttled - 1));

const isCertain = ({ record: { refusal } }: LaunchOutcome): boolean =>
  refusal === undefined || deniesEarlierSends(refusal);

/** Hosts that should be usable by now and are not; of a cancelled request all that still stand. */
const overdue = (
  { machines, cancelled }: KnownRequest,
  { at: now, isAwsTime }: Look,
  pendingTimeout: number,
): readonly Machine[] => {
  if (cancelled !== undefined)
    return [...machines.values()].filter(({ state, givenUp }) => !hasEnded(state) && givenUp === undefined);
  // The launch is dated by AWS: the clock of this host says nothing about it.
  if (!isAwsTime) return [];
  // One that EC2 did not show this time may well be usable: whether it is gone is another question.
  return [...machines.values()].filter(
    (machine) =>
      resultOf(machine) === 'executing' &&
      machine.missedSince === undefined &&
      now - (machine.launchTime ?? now / 1000) * 1000 > pendingTimeout,
  );
};

const giveUpReason = (late: readonly Machine[], seconds: number): string => {
  const text = `not usable within ${seconds} s of its launch (AWS_INSTANCE_PENDING_TIMEOUT_SEC)`;
  const nameless = late.some(({ state, name }) => state === 'running' && name === '');
  return nameless ? `${text}; EC2 gives a private DNS name only where the VPC has DNS hostnames enabled` : text;
};

const sightings = (ids: readonly string[], { seen }: Look): readonly OwnedSighting[] =>
  ids.flatMap((id) => {
    const sighting = seen.get(id);
    return sighting === undefined ? [] : [sighting];
  });

/** Machines that fleets and groups have brought since. */
const arrivals = ({ id, request }: OpenCreate, look: Look): readonly RequestCommand[] => {
  const { at: now, launched, resources } = look;
  const filling = fillingResources(request);
  const [first] = filling;
  if (first === undefined) return [];
  const unmarked = filling.flatMap((resource) => resources.get(resource.id)?.machineIds ?? []);
  const granted = [...(launched.get(id) ?? []), ...sightings(unmarked, look)]
    .filter(({ machineId, ofOtherOwner }) => ofOtherOwner !== true && !request.machines.has(machineId))
    .map(sightingOf);
  return granted.length === 0 ? [] : [{ type: 'RecordLaunch', now, clientToken: first.clientToken, granted }];
};

/**
 * Machines from a group of the administrator's carry our mark only once we have put it there; those of our own fleets and groups
 * may have lost it, or EC2 does not show it yet.
 */
const markArrivals = async (ports: SyncPorts, { id, request, asked }: OpenCreate, look: Look): Promise<void> => {
  const filling = fillingResources(request);
  const resource = request.resources.find(({ adoption }) => adoption !== undefined) ?? filling[0];
  if (resource === undefined) return;
  const arrived = filling.flatMap((each) => look.resources.get(each.id)?.machineIds ?? []);
  await markUnmarked(ports, id, request, { resource, seen: sightings([...new Set([...asked, ...arrived])], look) });
};

/** Nobody waits for another launch any more. */
const isTooLate = ({ clock, policy }: SyncPorts, { launches, createdAt }: KnownRequest): boolean =>
  clock() - (launches.at(-1)?.intendedAt ?? createdAt) > policy.launchDeadline;

/** Records what came of launches and goes on to the pools that were to be tried after them; tells where none is left. */
const resumePools = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  found: readonly RequestCommand[],
): Promise<{ readonly noPoolLeft?: boolean }> => {
  const { state } = await decideOnRequest(context, id, found);
  if (state.stage === 'absent' || !isBetweenPools(state) || missingUnits(state) === 0) return {};
  if (isTooLate(ports, state)) return { noPoolLeft: true };
  const { attributes } = state;
  const { template, api } = soughtBy(state);
  const launching = { context, requestId: id, template, attributes };
  return launchInNextPool(ports, await ports.providers(api), launching, state);
};

/** Brings one create request up to date with a look at EC2; `before` is decided first. */
export const syncCreate = async (
  ports: SyncPorts,
  context: DecideContext,
  open: OpenCreate,
  look: Look,
  before: readonly RequestCommand[] = [],
): Promise<void> => {
  const { policy, live } = ports;
  const { id, request, asked } = open;
  const now = look.at;
  const found: RequestCommand[] = [];
  for (const launch of unresolvedLaunches(request)) {
    found.push(...(await resolveLaunch(ports, context, open, launch, look)));
  }
  const resumes = found.length > 0 || isBetweenPools(request);
  const { noPoolLeft = false } = resumes ? await resumePools(ports, context, id, found) : {};
  const commands: RequestCommand[] = [...before, ...arrivals(open, look)];
  const seen = sightings(asked, look);
  await markArrivals(ports, open, look);
  commands.push({
    type: 'Observe',
    now,
    asked,
    seen: seen.map(sightingOf),
    consistencyWindow: windowOf(look, policy),
  });
  const settle: RequestCommand = { type: 'Settle', now, noPoolLeft };
  const decided = await decideOnRequest(context, id, [...commands, settle]);
  // Before any further call to AWS: whatever fails there, the books are right.
  await keepBooks(live, id, decided.state);
  let { state } = decided;
  if (state.stage === 'open' && fillingResources(state).length > 0) {
    state = await settleResources(ports, context, id, state, look.resources);
    await keepBooks(live, id, state);
  }
  if (state.stage === 'open' && state.cancelled !== undefined)
    state = await abandonResources(ports, context, id, state);
  if (state.stage === 'open') await giveUpOverdue(ports, context, id, state, look);
  if (policy.tagInstanceId && state.stage !== 'absent') await tagNewlyUsable(ports, request, state);
  await noteOutcome(ports, request, state);
  if (state.stage === 'open') await explainSearches(ports, context, id, { before: request, after: state });
};

/** On record before EC2 is asked, and asked again at every look until EC2 shows the end. */
const giveUpOverdue = async (
  ports: SyncPorts,
  context: DecideContext,
  id: string,
  request: KnownRequest,
  look: Look,
): Promise<void> => {
  const { policy, log } = ports;
  const now = look.at;
  const late = overdue(request, look, policy.pendingTimeout);
  const doomed = [...late, ...givenUpButStanding(request)];
  if (doomed.length === 0) return;
  const machineIds = late.map(({ machineId }) => machineId);
  const { cancelled } = request;
  const reason = cancelled === undefined ? giveUpReason(late, policy.pendingTimeout / 1000) : cancelledText(cancelled);
  if (late.length > 0) log.warn('machine.given-up', reason, { requestId: id, machineIds });
  await decideOnRequest(context, id, [{ type: 'GiveUp', now, machineIds, reason }]);
  const { refused, foreign } = await terminateMachines(ports, request, doomed);
  for (const [machineId, why] of refused) log.error('machine.refused', why, { requestId: id, machineId });
  if (foreign.length > 0) await disown(ports, context, id, foreign, reason);
};

/** Nothing more is to be expected of them. */
const disown = async (
  { live, log, clock }: SyncPorts,
  context: DecideContext,
  id: string,
  machineIds: readonly string[],
  given: string,
): Promise<void> => {
  const reason = `${given}; not terminated: it does not carry this provider's ownership tag`;
  log.warn('machine.disowned', reason, { requestId: id, machineIds });
  const now = clock();
  const { state } = await decideOnRequest(context, id, [
    { type: 'Disown', now, machineIds, reason },
    { type: 'Settle', now },
  ]);
  await keepBooks(live, id, state);
};

/** A tag less is no reason to withhold a host: it is said in the log. */
const tagNewlyUsable = async ({ hosts, log }: SyncPorts, before: KnownRequest, after: KnownRequest): Promise<void> => {
  const usable = [...after.machines.values()].filter((machine) => {
    const earlier = before.machines.get(machine.machineId);
    return resultOf(machine) === 'succeed' && (earlier === undefined || resultOf(earlier) !== 'succeed');
  });
  if (usable.length === 0) return;
  const machineIds = usable.map(({ machineId }) => machineId);
  try {
    await (await hosts()).tagWithOwnId(machineIds);
  } catch (error) {
    log.warn('machine.untagged', messageOf(error), { machineIds });
  }
};
