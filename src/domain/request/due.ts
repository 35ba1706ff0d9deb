import { hasEnded, isGoing, type Machine, resultOf } from '../machine.ts';
import { onDemandRest } from '../template/template.ts';
import { fateOf, isLate, type LookPolicy, lossOf, mayAppearLater } from './learn.ts';
import type { Look, ResourceSight } from './look.ts';
import { cancelledText } from './message.ts';
import type { HeldResource, KnownRequest } from './state.ts';
import { isTried, type Step } from './step.ts';
import {
  countedDead,
  fillingResources,
  givenUpButAlive,
  isBetweenPools,
  isExplanationDue,
  liveMachines,
  liveUnits,
  missingUnits,
  targetFor,
  targetWithout,
  unresolvedLaunches,
  unsoughtUnits,
} from './units.ts';

/** The parts of the configuration that say what is due when, ms. */
export interface DuePolicy extends LookPolicy {
  /** A host that is not usable by then is given up. */
  readonly pendingTimeout: number;
  readonly tagInstanceId: boolean;
}

type Rule = (request: KnownRequest, look: Look, policy: DuePolicy) => readonly Step[];

const send: Rule = (request, { prepared }) =>
  unresolvedLaunches(request)
    .filter(({ clientToken }) => prepared.has(clientToken))
    .map((launch) => ({ do: 'send', launch }));

const resend: Rule = (request, look, policy) =>
  unresolvedLaunches(request)
    .filter((launch) => look.sought.has(launch.clientToken) && fateOf(request, look, launch, policy) === 'unknown')
    .map((launch) => {
      const otherwise = isLate(look, launch, policy) ? [lossOf(request, look, launch)] : [];
      return { do: 'resend', launch, otherwise };
    });

/** What a request asks for next, and of which API: after its spot fleet, a heterogeneous request goes on on demand. */
const nextLaunch = ({ template, providerApi, resources, launches }: KnownRequest, count: number) => {
  const isRest = template.priceType === 'heterogeneous' && resources.length > 0;
  const sought = isRest
    ? { template: onDemandRest(template), api: 'EC2Fleet' as const }
    : { template, api: providerApi };
  return { do: 'launch', attempt: launches.length, count, ...sought } as const;
};

/** Whether nobody waits for another launch any more. */
export const isTooLate = (
  { launches, createdAt }: KnownRequest,
  { at }: Look,
  { launchDeadline }: LookPolicy,
): boolean => at - (launches.at(-1)?.intendedAt ?? createdAt) > launchDeadline;

/** The next pool, or the rest on demand, after a launch that brought less than it was to. */
const nextPool: Rule = (request, look, policy) => {
  const missing = missingUnits(request);
  const isOwed = isBetweenPools(request) && missing > 0 && look.noPoolLeft !== true;
  return isOwed && !isTooLate(request, look, policy) ? [nextLaunch(request, missing)] : [];
};

/**
 * Machines from a group of the administrator's carry our tags only once we have put them there; those of our own fleets and groups
 * may have lost them, or EC2 does not show them yet.
 */
const tag: Rule = (request, { seen, resources, tried }) => {
  const filling = fillingResources(request);
  const resource = request.resources.find(({ adoption }) => adoption !== undefined) ?? filling[0];
  if (resource === undefined) return [];
  const arrived = filling.flatMap(({ id }) => resources.get(id)?.machineIds ?? []);
  const machineIds = [...new Set([...request.machines.keys(), ...arrived])].filter((id) => {
    const observation = seen.get(id);
    if (observation === undefined || tried.has(`tag ${id}`)) return false;
    return !(observation.ours || observation.ofOtherOwner === true || isGoing(observation.state));
  });
  return machineIds.length === 0 ? [] : [{ do: 'tag', resource, machineIds }];
};

/** A heterogeneous request turns to on demand so long before its spot fleet would expire, ms; half of the time is spot's at least. */
const turnBeforeExpiry = 60_000;

/** AWS has ended it, its time is over, or it was never there: soon after the launch AWS may just not know it yet. */
const isOver = (
  { cancelled, template }: KnownRequest,
  { at, isAwsTime }: Look,
  { expiresAt, createdAt }: HeldResource,
  { state }: ResourceSight,
  { consistencyWindow }: DuePolicy,
): boolean => {
  if (cancelled !== undefined) return true;
  // Without AWS's time only AWS's own word ends the search.
  if (!isAwsTime) return state === 'ended';
  if (state === 'missing' && at - createdAt < consistencyWindow) return false;
  const early = template.priceType === 'heterogeneous' ? Math.min(turnBeforeExpiry, (expiresAt - createdAt) / 2) : 0;
  return state !== 'active' || at >= expiresAt - early;
};

/** Returns may have lowered the target at the same time, or too late: it is brought to what the request holds and is owed. */
const aim = (request: KnownRequest, resource: HeldResource, { target }: ResourceSight): Step | undefined => {
  const total = liveUnits(request);
  if (!resource.refills || target === undefined || target <= total) return undefined;
  return { do: 'aim', resource, hold: { total, onDemand: targetWithout(request, resource, new Set()).onDemand } };
};

/** Ends the search, unless AWS does not tell yet what it has brought, or may still bring something. */
const end = (
  request: KnownRequest,
  look: Look,
  resource: HeldResource,
  sight: ResourceSight,
  policy: DuePolicy,
): Step | undefined => {
  const isShort = missingUnits(request) > 0;
  const when = sight.ended === undefined ? 'before' : 'after';
  // Once the search has ended AWS may not know its machines any more.
  const again: Step = { do: 'look-again', resource, when };
  if (isShort && !isTried(look, again)) return again;
  const { unshown = [] } = sight;
  if (isShort && (unshown === 'unknown' || (unshown.length > 0 && mayAppearLater(request, look, resource, policy))))
    return undefined;
  if (sight.ended !== undefined) return close(request, resource, sight.ended);
  const isTimeOver = sight.state !== 'active' || (look.isAwsTime && look.at >= resource.expiresAt);
  return {
    do: 'end-search',
    resource,
    hold: request.cancelled === undefined ? targetFor(request, liveMachines(request)) : { total: 0, onDemand: 0 },
    isShort,
    // A group of the administrator's that is owed something goes on launching for nobody.
    mayStay: !isShort || (resource.ours && (isTimeOver || request.cancelled !== undefined)),
  };
};

/** What is still missing of a heterogeneous request is asked for on demand in the same breath. */
const close = (
  request: KnownRequest,
  { kind, id }: HeldResource,
  { stage, why }: NonNullable<ResourceSight['ended']>,
): Step => {
  const refusal = {
    code: why?.code ?? 'Expired',
    fault: why?.fault ?? 'provider.capacity',
    message: why?.message ?? 'AWS found no more capacity in time',
    pool: `${kind} ${id}`,
  } as const;
  const missing = unsoughtUnits(request);
  const isRestWanted = missing > 0 && request.template.priceType === 'heterogeneous' && request.cancelled === undefined;
  const instead = { resourceId: id, stage, refusal };
  return isRestWanted ? { ...nextLaunch(request, missing), instead } : { do: 'close', end: instead };
};

/** Fleets and groups that have what was wanted, or whose time is over, end: nothing arrives after the request has settled. */
const search: Rule = (request, look, policy) =>
  fillingResources(request).flatMap((resource) => {
    const sight = look.resources.get(resource.id);
    if (sight === undefined) return [];
    const isEnding = sight.ended !== undefined || isOver(request, look, resource, sight, policy);
    const ends = isEnding || missingUnits(request) === 0;
    return (ends ? end(request, look, resource, sight, policy) : aim(request, resource, sight)) ?? [];
  });

/** Nothing of a cancelled request is wanted: what would make up for its machines goes before they do. */
const remove: Rule = ({ cancelled, resources }) =>
  cancelled === undefined
    ? []
    : resources.flatMap((resource) =>
        resource.ours && resource.stage === 'holding' ? [{ do: 'remove' as const, resource }] : [],
      );

/** Hosts that should be usable by now and are not; all live hosts of a cancelled request. */
const overdue = (
  { machines, cancelled }: KnownRequest,
  { at, isAwsTime }: Look,
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
      at - (machine.launchTime ?? at / 1000) * 1000 > pendingTimeout,
  );
};

const giveUpReason = (late: readonly Machine[], timeout: number): string => {
  const text = `not usable within ${timeout / 1000} s of its launch (AWS_INSTANCE_PENDING_TIMEOUT_SEC)`;
  const nameless = late.some(({ state, name }) => state === 'running' && name === '');
  return nameless ? `${text}; EC2 gives a private DNS name only where the VPC has DNS hostnames enabled` : text;
};

/** On record before EC2 is asked, and asked again at every look until EC2 shows the end. */
const terminate: Rule = (request, look, { pendingTimeout }) => {
  const late = overdue(request, look, pendingTimeout);
  const machines = [...late, ...givenUpButAlive(request)];
  if (machines.length === 0) return [];
  const { cancelled } = request;
  const reason = cancelled === undefined ? giveUpReason(late, pendingTimeout) : cancelledText(cancelled);
  return [{ do: 'terminate', machines, late: late.map(({ machineId }) => machineId), reason }];
};

/** Of a group of the administrator's, which counts a machine that died until it is taken out. */
const leaveGroup: Rule = (request, { tried }) =>
  request.resources
    .filter(({ ours }) => !ours)
    .flatMap((resource) => {
      const machineIds = countedDead(request)
        .map(({ machineId }) => machineId)
        .filter((id) => !tried.has(`leave-group ${id}`));
      return machineIds.length === 0 ? [] : [{ do: 'leave-group' as const, resource, machineIds }];
    });

const tagWithId: Rule = ({ machines }, { known, tried }, { tagInstanceId }) => {
  const isUsable = (machine: Machine | undefined): boolean => machine !== undefined && resultOf(machine) === 'succeed';
  const machineIds = [...machines.values()]
    .filter((machine) => isUsable(machine) && !isUsable(known.get(machine.machineId)))
    .map(({ machineId }) => machineId)
    .filter((id) => !tried.has(`tag-with-id ${id}`));
  return tagInstanceId && machineIds.length > 0 ? [{ do: 'tag-with-id', machineIds }] : [];
};

/** AWS is asked, seldom, why fleets and groups that still look for capacity find no more. */
const explain: Rule = (request, { at, isAwsTime, known, resources }) =>
  !isAwsTime || request.machines.size > known.size
    ? []
    : fillingResources(request)
        .filter((resource) => isExplanationDue(resource, at) && resources.get(resource.id)?.ended === undefined)
        .map((resource) => ({ do: 'explain', resource }));

/** In order of precedence. */
const whileOpen: readonly Rule[] = [
  send,
  resend,
  nextPool,
  tag,
  search,
  remove,
  terminate,
  leaveGroup,
  tagWithId,
  explain,
];
const onceSettled: readonly Rule[] = [tag, leaveGroup, tagWithId];

/** The next thing to do about a request: all that the program will ever do about it, in order of precedence. */
export const due = (request: KnownRequest, look: Look, policy: DuePolicy): Step | undefined => {
  for (const rule of request.stage === 'open' ? whileOpen : onceSettled) {
    const step = rule(request, look, policy).find((each) => !isTried(look, each));
    if (step !== undefined) return step;
  }
  return undefined;
};
