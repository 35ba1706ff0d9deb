import { isPluginError, messageOf } from '../../domain/errors.ts';
import { isCreateId, returnIdOf } from '../../domain/ids.ts';
import { catchUp } from '../life-cycle/catch-up.ts';
import { giveBack } from '../life-cycle/give-back.ts';
import type { HostRef } from '../life-cycle/host-lookup.ts';
import { keeperOf } from '../life-cycle/keepers.ts';
import type { LifeCyclePorts } from '../life-cycle/ports.ts';
import { correctClaim } from '../life-cycle/recount.ts';
import { type DecideContext, decideOnRequest } from '../life-cycle/streams.ts';
import type { LaunchTemplateShelf } from '../ports/capacity.ts';
import type { SweepMemory } from '../ports/memory.ts';
import type { RequestStreams } from '../ports/streams.ts';
import type { Progress } from '../ports/telemetry.ts';
import { type Found, findingsOf, isBeingCancelled } from './findings.ts';
import { findForgotten } from './look.ts';
import type { Finding, Owned } from './orphans.ts';

export interface SweepPorts extends LifeCyclePorts {
  readonly streams: RequestStreams;
  readonly memory: SweepMemory;
  readonly shelf: () => Promise<LaunchTemplateShelf>;
  /** Ids of returns that are not over. */
  readonly openReturns: () => Promise<readonly string[]>;
  readonly newId: () => string;
  readonly progress?: Progress | undefined;
}

interface Swept {
  readonly findings: readonly Finding[];
  /** Ids of what was released. */
  readonly released: readonly string[];
  /** What could not be checked or released, and why. */
  readonly warnings: readonly string[];
}

/**
 * Finds, and with `apply` releases, what nobody will ever ask about: requests whose id never reached Host Factory, and instances,
 * fleets and groups with our ownership tag that belong to no request. An orphan is released only when a later sweep finds it again.
 * What the caller holds (`held`), what another installation launched and what an unreadable record may know is left alone.
 */
export const sweep = async (
  ports: SweepPorts,
  context: DecideContext,
  { apply, held }: { readonly apply: boolean; readonly held: readonly HostRef[] },
): Promise<Swept> => {
  const found = await findForgotten(ports);
  const { findings, known, unfinished } = findingsOf(found, held, ports.policy);
  for (const { kind, id, why, verdict } of findings)
    ports.log.info('sweep.found', `${kind} ${id}: ${why}`, { verdict });
  const released: string[] = [];
  const warnings = [...found.warnings];
  if (apply && found.now !== undefined) {
    for (const id of known) await decideOnRequest(context, id, [{ type: 'Claim', now: ports.clock() }]);
    const due = findings.filter(({ verdict }) => verdict === 'release');
    const openReturns = await ports.openReturns();
    const waiting = findings.filter(({ verdict }) => verdict !== 'leave');
    await ports.memory.write({ orphans: new Map(waiting.map(({ id, since }) => [id, since] as const)) });
    const owned = found.owned.map((each) => onRecord(each, found));
    await release(ports, context, { due, owned, followed: [...unfinished, ...openReturns], released, warnings });
    await correctLedger(ports, found, warnings);
  }
  for (const warning of warnings) ports.log.warn('sweep.trouble', warning);
  return { findings, released, warnings };
};

/** What requests that are over hold, or never came to be: a process may have died between a record and the ledger. */
const correctLedger = async (ports: SweepPorts, { claims, requests }: Found, warnings: string[]): Promise<void> => {
  for (const claim of claims) {
    const request = requests.get(claim.requestId);
    // The others are written again with their next record.
    if (request === undefined || request.stage === 'open') continue;
    await correctClaim(ports, claim, request).catch((error: unknown) => {
      if (!isPluginError(error)) throw error;
      warnings.push(`the ledger of ${claim.templateId}: ${messageOf(error)}`);
    });
  }
};

interface Releasing {
  readonly due: readonly Finding[];
  readonly owned: readonly Owned[];
  /** Requests and returns that are to be looked at again: a killed sweep has begun them, or a caller who went away. */
  readonly followed: readonly string[];
  readonly released: string[];
  readonly warnings: string[];
}

/** Fleets and groups go before instances, or AWS would replace those. */
const release = async (
  ports: SweepPorts,
  context: DecideContext,
  { due, owned, followed, released, warnings }: Releasing,
): Promise<void> => {
  if (due.length + followed.length === 0) return;
  let done = 0;
  const attempt = async (ids: readonly string[], work: () => Promise<void>): Promise<void> => {
    ports.progress?.('released', done, due.length + 1);
    done += Math.max(1, ids.length);
    try {
      await work();
      released.push(...ids.filter((id) => due.some((finding) => finding.id === id)));
    } catch (error) {
      if (!isPluginError(error)) throw error;
      warnings.push(`${ids.join(', ')} not released: ${messageOf(error)}`);
    }
  };
  for (const { kind, id, why } of due)
    if (kind === 'request') await attempt([id], () => cancelUnclaimed(ports, context, id, why));
  await attempt([], () => followUp(ports, context, followed));
  for (const each of owned) {
    const isDue = each.resource !== undefined && due.some(({ id }) => id === each.id);
    if (isDue) await attempt([each.id], () => removeResource(ports, context, each));
  }
  for (const { kind, id } of due)
    if (kind === 'LaunchTemplate') await attempt([id], async () => (await ports.shelf()).remove(id));
  const instances = due.filter(({ kind }) => kind === 'instance');
  if (instances.length > 0) {
    await attempt(
      instances.map(({ id }) => id),
      () => releaseInstances(ports, context, instances),
    );
  }
};

/** Its record knows of a fleet's launch template. */
const onRecord = (each: Owned, { requests }: Found): Owned => {
  const request = requests.get(each.requestId);
  if (each.resource === undefined || request === undefined || request.stage === 'absent') return each;
  return { ...each, resource: request.resources.find(({ id }) => id === each.id) ?? each.resource };
};

/** Nothing where it is no fleet or group. */
const removeResource = async (
  ports: SweepPorts,
  context: DecideContext,
  { id, requestId, resource }: Owned,
): Promise<void> => {
  if (resource === undefined) return;
  await (await keeperOf(ports, resource.kind)).remove(resource);
  const change = { type: 'ChangeResource', now: ports.clock(), resourceId: id, stage: 'deleted' } as const;
  if (isCreateId(requestId)) await decideOnRequest(context, requestId, [change]);
};

/** Looks at requests and returns again, which ends what is still to be ended. */
const followUp = async (ports: SweepPorts, context: DecideContext, requestIds: readonly string[]) => {
  await catchUp(ports, context, requestIds, { includeSettled: true });
};

/** Ends a request that nobody asked about. */
const cancelUnclaimed = async (
  ports: SweepPorts,
  context: DecideContext,
  id: string,
  reason: string,
): Promise<void> => {
  const cancel = { type: 'Cancel', now: ports.clock(), reason, ifUnclaimed: true } as const;
  const { state } = await decideOnRequest(context, id, [cancel]);
  // Else somebody asked in the meantime.
  if (isBeingCancelled(state)) await followUp(ports, context, [id]);
};

/** Their requests are brought up to date first: a fleet that keeps its size must be told how many really live. */
const releaseInstances = async (
  ports: SweepPorts,
  context: DecideContext,
  instances: readonly Finding[],
): Promise<void> => {
  const requestIds = [...new Set(instances.map(({ requestId }) => requestId))].filter(isCreateId);
  await catchUp(ports, context, requestIds, { includeSettled: true });
  const hosts = instances.map(({ id }) => ({ machineId: id, name: '' }));
  await giveBack(ports, context, { id: returnIdOf(ports.newId()), hosts });
};
