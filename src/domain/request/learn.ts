import type { Observation, OwnedObservation } from '../machine.ts';
import type { RequestCommand } from './commands.ts';
import type { Look } from './look.ts';
import type { HeldResource, KnownRequest, Launch } from './state.ts';
import { fillingResources, missingUnits, unitsOfAll, unresolvedLaunches } from './units.ts';

/** What a look is judged by, ms. */
export interface LookPolicy {
  /** For so long EC2 may not know an id it gave out itself. */
  readonly consistencyWindow: number;
  /** A launch whose outcome is unknown is no longer tried after that. */
  readonly launchDeadline: number;
}

/** An observation as it is recorded: without what the tags said, but that they are ours where only we can have put them there. */
const observationOf =
  ({ resources }: KnownRequest) =>
  ({
    ours,
    ofOtherOwner: _else,
    requestId: _request,
    ofOtherStore: _store,
    isMember: _member,
    instanceTags: _tags,
    ...observation
  }: OwnedObservation): Observation =>
    ours && resources.some((resource) => !resource.ours) ? { ...observation, tagged: true } : observation;

/** A launch is throttled for so long, ms, doubled with each time in a row, at most the consistency window. */
const throttlePause = 10_000;

/** How long an unresolved launch rests before the same call goes out again, ms. */
const pauseAfter = ({ throttled = 0 }: Launch, window: number): number =>
  throttled === 0 ? window : Math.min(window, throttlePause * 2 ** (throttled - 1));

/** A clock that was set back tells nothing: the same call again does no harm. */
const isResting = (launch: Launch, now: number, window: number): boolean =>
  now >= launch.sentAt && now - launch.sentAt < pauseAfter(launch, window);

/** Before it went out again its time is that of a clock that AWS's was not compared with. */
export const isLate = (
  { at, isAwsTime }: Look,
  { intendedAt, sentAgain = false }: Launch,
  { launchDeadline }: LookPolicy,
): boolean => isAwsTime && sentAgain && at - intendedAt > launchDeadline;

const launchedBy = (request: KnownRequest, { launched }: Look): readonly Observation[] =>
  launched.map(observationOf(request)).filter(({ machineId }) => !request.machines.has(machineId));

/**
 * What became of a launch whose answer was lost. `found`: all of it is there. `resting`: EC2 may show instances one by one, so less
 * is no answer before the consistency window has passed. `lost`: nobody wants it any more, or waits for it. `unknown`: the same
 * call has to go out again, to which EC2 answers with the whole first result. Of a fleet or group only an answer tells the id: it is
 * asked for again at once, even where nobody wants it any more.
 */
export const fateOf = (
  request: KnownRequest,
  look: Look,
  launch: Launch,
  policy: LookPolicy,
): 'found' | 'resting' | 'lost' | 'unknown' => {
  if (launch.makesResource === true) return 'unknown';
  if (unitsOfAll(request, launchedBy(request, look)) >= launch.count) return 'found';
  if (isResting(launch, look.at, policy.consistencyWindow)) return 'resting';
  return request.cancelled !== undefined || isLate(look, launch, policy) ? 'lost' : 'unknown';
};

/** Gives up what a launch has not brought. */
export const lossOf = (request: KnownRequest, look: Look, { clientToken, count, pool }: Launch): RequestCommand => {
  const granted = launchedBy(request, look);
  const refusal = {
    missing: count - unitsOfAll(request, granted),
    code: 'LaunchUnconfirmed',
    fault: 'provider.capacity',
    message: 'EC2 shows no machines of this launch',
    pool,
  } as const;
  return { type: 'RecordLaunch', now: look.at, clientToken, granted, refusal };
};

const outcomes = (request: KnownRequest, look: Look, policy: LookPolicy): readonly RequestCommand[] =>
  unresolvedLaunches(request).flatMap((launch): readonly RequestCommand[] => {
    const fate = fateOf(request, look, launch, policy);
    if (fate === 'lost') return [lossOf(request, look, launch)];
    if (fate !== 'found') return [];
    const granted = launchedBy(request, look);
    return [{ type: 'RecordLaunch', now: look.at, clientToken: launch.clientToken, granted }];
  });

/** Whether members of a fleet or group that EC2 does not show are waited for. */
export const mayAppearLater = (
  { cancelled }: KnownRequest,
  { at, isAwsTime }: Look,
  { expiresAt }: HeldResource,
  { consistencyWindow }: LookPolicy,
): boolean => cancelled === undefined && (isAwsTime ? at : 0) < expiresAt + consistencyWindow;

/** A machine of which only the id is known. */
const unseenMachine = ({ template }: KnownRequest, machineId: string): Observation => ({
  machineId,
  state: 'pending',
  name: '',
  privateIpAddress: '',
  publicIpAddress: '',
  instanceType: '',
  priceType: template.priceType === 'ondemand' ? 'ondemand' : 'spot',
});

/**
 * Machines that fleets and groups have brought since. Those that EC2 has not shown for long are on record by their ids alone: as
 * any other they are looked for from then on.
 */
export const arrivals = (request: KnownRequest, look: Look, policy: LookPolicy): readonly RequestCommand[] => {
  const filling = fillingResources(request);
  const [first] = filling;
  if (first === undefined) return [];
  const untagged = filling.flatMap(({ id }) => look.resources.get(id)?.machineIds ?? []);
  const shown = [...look.launched, ...untagged.flatMap((id) => look.seen.get(id) ?? [])]
    .filter(({ ofOtherOwner }) => ofOtherOwner !== true)
    .map(observationOf(request));
  const unshown = filling.flatMap((resource) => {
    const ids = look.resources.get(resource.id)?.unshown ?? [];
    if (ids === 'unknown' || missingUnits(request) === 0 || mayAppearLater(request, look, resource, policy)) return [];
    return ids.map((id) => unseenMachine(request, id));
  });
  const granted = [...shown, ...unshown].filter(({ machineId }) => !request.machines.has(machineId));
  if (granted.length === 0) return [];
  return [{ type: 'RecordLaunch', now: look.at, clientToken: first.clientToken, granted }];
};

/** All that a look tells of a request. */
export const learn = (request: KnownRequest, look: Look, policy: LookPolicy): readonly RequestCommand[] => {
  const { at: now, asked, isAwsTime } = look;
  const seen = asked.flatMap((id) => look.seen.get(id) ?? []).map(observationOf(request));
  const consistencyWindow = isAwsTime ? policy.consistencyWindow : undefined;
  return [
    ...outcomes(request, look, policy),
    ...arrivals(request, look, policy),
    { type: 'Observe', now, asked, seen, consistencyWindow },
  ];
};
