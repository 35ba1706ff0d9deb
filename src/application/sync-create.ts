import { messageOf } from '../domain/errors.ts';
import { type Machine, resultOf } from '../domain/machine.ts';
import {
  fillingResources,
  givenUpButStanding,
  type KnownRequest,
  type PreparedLaunch,
  type Refusal,
  type RequestCommand,
  unitsOfAll,
  unresolvedLaunches,
} from '../domain/request.ts';
import { sendLaunch } from './launching.ts';
import { type DecideContext, decideOnRequest } from './streams.ts';
import { settleResources } from './sync-resource.ts';
import { keepBooks, type Look, type OpenCreate, type SyncPorts, sightingOf } from './syncing.ts';

const lost = (launch: PreparedLaunch, granted: number): Refusal => ({
  missing: launch.count - granted,
  code: 'LaunchUnconfirmed',
  fault: 'provider.capacity',
  message: 'EC2 does not show what this launch was to bring',
  pool: launch.pool,
});

/**
 * Finds out what became of a launch whose answer was lost. All of it is there: adopt it. EC2 may show instances one by one, so
 * less is no answer before the consistency window has passed; then the same call goes out again, to which EC2 answers with the
 * whole first result. A fleet or group is asked for again at once: only the answer tells its id. Only when no answer can be had at all is the rest given up.
 */
const resolveLaunch = async (
  { providers, policy, ...ports }: SyncPorts,
  context: DecideContext,
  { id, request }: OpenCreate,
  launch: ReturnType<typeof unresolvedLaunches>[number],
  { at: now, launched }: Look,
): Promise<readonly RequestCommand[]> => {
  const { clientToken, count, makesResource = false } = launch;
  const granted = (launched.get(id) ?? []).map(sightingOf).filter(({ machineId }) => !request.machines.has(machineId));
  const units = unitsOfAll(request, granted);
  if (!makesResource && units >= count) return [{ type: 'RecordLaunch', now, clientToken, granted }];
  if (!makesResource && now - launch.sentAt < policy.consistencyWindow) return [];
  if (now - request.createdAt > policy.launchDeadline) {
    return [{ type: 'RecordLaunch', now, clientToken, granted, refusal: lost(launch, units) }];
  }
  const provider = await providers(launch.api ?? request.providerApi);
  await decideOnRequest(context, id, [{ type: 'RepeatLaunch', now, clientToken }]);
  const outcome = await sendLaunch(ports, provider, launch);
  return outcome === undefined ? [] : [outcome.record];
};

/** Hosts that should be usable by now and are not. */
const overdue = ({ machines }: KnownRequest, now: number, pendingTimeout: number): readonly Machine[] =>
  [...machines.values()].filter(
    (machine) => resultOf(machine) === 'executing' && now - (machine.launchTime ?? now / 1000) * 1000 > pendingTimeout,
  );

const giveUpReason = (late: readonly Machine[], seconds: number): string => {
  const text = `not usable within ${seconds} s of its launch (AWS_INSTANCE_PENDING_TIMEOUT_SEC)`;
  const nameless = late.some(({ state, name }) => state === 'running' && name === '');
  return nameless ? `${text}; EC2 gives a private DNS name only where the VPC has DNS hostnames enabled` : text;
};

/** Machines that fleets and groups have brought since. */
const arrivals = (request: KnownRequest, { at: now, seen, resources }: Look): readonly RequestCommand[] =>
  fillingResources(request).flatMap(({ id, clientToken }) => {
    const fresh = (resources.get(id)?.machineIds ?? []).filter((machineId) => !request.machines.has(machineId));
    const granted = fresh.flatMap((machineId) => {
      const sighting = seen.get(machineId);
      return sighting === undefined ? [] : [sightingOf(sighting)];
    });
    return granted.length === 0 ? [] : [{ type: 'RecordLaunch', now, clientToken, granted } as const];
  });

/** Brings one create request up to date with a look at EC2. */
export const syncCreate = async (
  ports: SyncPorts,
  context: DecideContext,
  open: OpenCreate,
  look: Look,
): Promise<void> => {
  const { policy, live } = ports;
  const { id, request, asked } = open;
  const now = look.at;
  const commands: RequestCommand[] = [];
  for (const launch of unresolvedLaunches(request)) {
    commands.push(...(await resolveLaunch(ports, context, open, launch, look)));
  }
  commands.push(...arrivals(request, look));
  const seen = asked.flatMap((machineId) => {
    const sighting = look.seen.get(machineId);
    return sighting === undefined ? [] : [sightingOf(sighting)];
  });
  commands.push({ type: 'Observe', now, asked, seen, consistencyWindow: policy.consistencyWindow });
  const decided = await decideOnRequest(context, id, [...commands, { type: 'Settle', now }]);
  // Before any further call to AWS: whatever fails there, the books are right.
  await keepBooks(live, id, decided.state);
  let { state } = decided;
  if (state.stage === 'open' && fillingResources(state).length > 0) {
    state = await settleResources(ports, context, id, state, look.resources);
    await keepBooks(live, id, state);
  }
  if (state.stage === 'open') await giveUpOverdue(ports, context, id, state, now);
  if (policy.tagInstanceId && state.stage !== 'absent') await tagNewlyUsable(ports, request, state);
};

/** On record before EC2 is asked, and asked again at every look until EC2 shows the end. */
const giveUpOverdue = async (
  { policy, hosts, log }: SyncPorts,
  context: DecideContext,
  id: string,
  request: KnownRequest,
  now: number,
): Promise<void> => {
  const late = overdue(request, now, policy.pendingTimeout);
  const doomed = [...late, ...givenUpButStanding(request)];
  if (doomed.length === 0) return;
  const machineIds = late.map(({ machineId }) => machineId);
  const reason = giveUpReason(late, policy.pendingTimeout / 1000);
  if (late.length > 0) log.warn('machine.given-up', reason, { requestId: id, machineIds });
  await decideOnRequest(context, id, [{ type: 'GiveUp', now, machineIds, reason }]);
  const refused = await (await hosts()).terminate(doomed);
  for (const [machineId, why] of refused) log.error('machine.refused', why, { requestId: id, machineId });
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
