import { type Machine, resultOf, type Sighting } from '../domain/machine.ts';
import {
  givenUpButStanding,
  type KnownRequest,
  liveUnits,
  type PreparedLaunch,
  type Refusal,
  type RequestCommand,
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
  /** What the requests with an unresolved launch have running, by the launch's client token. */
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

/** Finds out what became of a launch whose answer was lost: adopt what exists, ask again with the same token, or give up. */
const resolveLaunch = async (
  { providers, policy, ...ports }: SyncPorts,
  { request }: OpenCreate,
  launch: PreparedLaunch & { readonly intendedAt: number },
  { at: now, launched }: Look,
): Promise<readonly RequestCommand[]> => {
  const { clientToken, count, pool } = launch;
  const granted = (launched.get(clientToken) ?? []).map(sightingOf);
  const refusal = (code: string, message: string): Refusal => {
    return { missing: count - granted.length, code, fault: 'provider.capacity', message, pool };
  };
  if (granted.length > 0) {
    const short = granted.length < count ? { refusal: refusal('PartialGrant', 'EC2 launched fewer than asked') } : {};
    return [{ type: 'RecordLaunch', now, clientToken, granted, ...short }];
  }
  if (now - request.createdAt > policy.launchDeadline) {
    const lost = refusal('LaunchUnconfirmed', 'EC2 shows nothing of this launch');
    return [{ type: 'RecordLaunch', now, clientToken, granted, refusal: lost }];
  }
  // EC2 may not show yet what it launched. The same token and parameters again are safe even then, but cost a call.
  if (now - launch.intendedAt < policy.consistencyWindow) return [];
  const provider = await providers(request.providerApi);
  const outcome = provider === undefined ? undefined : await sendLaunch(ports, provider, launch);
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
    commands.push(...(await resolveLaunch(ports, open, launch, look)));
  }
  const seen = asked.flatMap((machineId) => {
    const sighting = look.seen.get(machineId);
    return sighting === undefined ? [] : [sightingOf(sighting)];
  });
  commands.push({ type: 'Observe', now, asked, seen, consistencyWindow: policy.consistencyWindow });
  const { state } = await decideOnRequest(context, id, [...commands, { type: 'Settle', now }]);
  if (state.stage === 'absent') return;
  const after = state.stage === 'open' ? await giveUpOverdue(ports, context, id, state, now) : state;
  if (policy.tagInstanceId) await tagNewlyUsable(ports, request, after);
  const units = liveUnits(after);
  if (units !== liveUnits(request)) {
    await live.settle({ templateId: after.template.templateId, requestId: id, units });
  }
};

/** On record before EC2 is asked, and asked again at every look until EC2 shows the end. */
const giveUpOverdue = async (
  { policy, hosts, log }: SyncPorts,
  context: DecideContext,
  id: string,
  request: KnownRequest,
  now: number,
): Promise<KnownRequest> => {
  const late = overdue(request, now, policy.pendingTimeout);
  const doomed = [...late, ...givenUpButStanding(request)];
  if (doomed.length === 0) return request;
  const machineIds = late.map(({ machineId }) => machineId);
  const reason = giveUpReason(late, policy.pendingTimeout / 1000);
  if (late.length > 0) log.warn('machine.given-up', reason, { requestId: id, machineIds });
  const { state } = await decideOnRequest(context, id, [{ type: 'GiveUp', now, machineIds, reason }]);
  await (await hosts()).terminate(doomed);
  return state.stage === 'absent' ? request : state;
};

const tagNewlyUsable = async ({ hosts }: SyncPorts, before: KnownRequest, after: KnownRequest): Promise<void> => {
  const usable = [...after.machines.values()].filter((machine) => {
    const earlier = before.machines.get(machine.machineId);
    return resultOf(machine) === 'succeed' && (earlier === undefined || resultOf(earlier) !== 'succeed');
  });
  if (usable.length > 0) await (await hosts()).tagWithOwnId(usable.map(({ machineId }) => machineId));
};
