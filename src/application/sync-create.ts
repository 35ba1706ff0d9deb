import { messageOf } from '../domain/errors.ts';
import { type Machine, resultOf, type Sighting } from '../domain/machine.ts';
import {
  givenUpButStanding,
  type KnownRequest,
  liveUnits,
  type PreparedLaunch,
  type Refusal,
  type Request,
  type RequestCommand,
  unitsOfAll,
  unresolvedLaunches,
} from '../domain/request.ts';
import type { OwnedSighting } from '../domain/return-request.ts';
import { sendLaunch } from './launching.ts';
import type { CapacityProviders, Clock, Hosts, LiveRequests, Logger, Policy } from './ports.ts';
import { type DecideContext, decideOnRequest } from './streams.ts';

export interface SyncPorts {
  readonly live: LiveRequests;
  readonly hosts: () => Promise<Hosts>;
  readonly providers: CapacityProviders;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One batched look at EC2. */
export interface Look {
  readonly at: number;
  readonly seen: ReadonlyMap<string, OwnedSighting>;
  /** What EC2 shows as launched by the requests that have an unresolved launch, by request. */
  readonly launched: ReadonlyMap<string, readonly OwnedSighting[]>;
}

export interface OpenCreate {
  readonly id: string;
  readonly request: KnownRequest;
  /** The machines looked at. */
  readonly asked: readonly string[];
}

const sightingOf = ({ ours: _mark, owner: _owner, instanceTags: _tags, ...sighting }: OwnedSighting): Sighting =>
  sighting;

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
 * whole first result. Only when no answer can be had at all is the rest given up.
 */
const resolveLaunch = async (
  { providers, policy, ...ports }: SyncPorts,
  context: DecideContext,
  { id, request }: OpenCreate,
  launch: ReturnType<typeof unresolvedLaunches>[number],
  { at: now, launched }: Look,
): Promise<readonly RequestCommand[]> => {
  const { clientToken, count } = launch;
  const granted = (launched.get(id) ?? []).map(sightingOf).filter(({ machineId }) => !request.machines.has(machineId));
  const units = unitsOfAll(request, granted);
  if (units >= count) return [{ type: 'RecordLaunch', now, clientToken, granted }];
  if (now - launch.sentAt < policy.consistencyWindow) return [];
  if (now - request.createdAt > policy.launchDeadline) {
    return [{ type: 'RecordLaunch', now, clientToken, granted, refusal: lost(launch, units) }];
  }
  const provider = await providers(launch.api ?? request.providerApi);
  if (provider === undefined) return [];
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

/** States on the books of the template what the request holds now. */
export const keepBooks = async (live: LiveRequests, requestId: string, request: Request): Promise<void> => {
  if (request.stage === 'absent') return;
  await live.settle({ templateId: request.template.templateId, requestId, units: liveUnits(request) });
};

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
  const seen = asked.flatMap((machineId) => {
    const sighting = look.seen.get(machineId);
    return sighting === undefined ? [] : [sightingOf(sighting)];
  });
  commands.push({ type: 'Observe', now, asked, seen, consistencyWindow: policy.consistencyWindow });
  const { state } = await decideOnRequest(context, id, [...commands, { type: 'Settle', now }]);
  // Before any further call to AWS: whatever fails there, the books are right.
  await keepBooks(live, id, state);
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
