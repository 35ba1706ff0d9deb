import { isPluginError, messageOf } from '../../domain/errors.ts';
import { hasEnded, type MachineState, machineStates, type OwnedObservation } from '../../domain/machine.ts';
import { closed, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { hosts, instanceEvent, number, unseenHosts, words } from '../bus/shapes.ts';
import {
  type FoundHost,
  findHosts,
  type HostLookupPorts,
  type HostRef,
  type RecalledMachine,
} from '../life-cycle/host-lookup.ts';
import type { InstanceEvent } from '../ports/instance-events.ts';
import type { UnseenHosts } from '../ports/memory.ts';
import type { Policy } from '../ports/policy.ts';

export const getReturnRequests = defineOperation({
  name: 'GetReturnRequests',
  bus: 'query',
  role: 'admin',
  title: 'List the hosts that AWS is taking away or has taken away',
  isHot: true,
  input: {
    machines: { ...hosts, description: 'The hosts Host Factory holds from this provider' },
    events: { ...listOf(instanceEvent), description: 'What AWS announced about them' },
    look: { enum: ['all', 'announced'], description: 'Check only hosts with an event; default: all' },
  },
  required: ['machines'],
  answer: closed({
    reclaims: listOf(closed({ host: hosts.items, machineId: words, gracePeriod: number })),
    notices: listOf(
      closed({
        requestId: words,
        machineId: words,
        status: { enum: [...machineStates, 'missed'] },
        reason: words,
      }),
    ),
    ...unseenHosts,
  }),
});

/** A host that AWS takes away or has taken away. */
export interface Reclaim {
  readonly host: HostRef;
  readonly machineId: string;
  /** Seconds left; 0 when it is going now or gone. */
  readonly gracePeriod: number;
}

/** Something seen on the way that our records do not hold yet. */
export interface Notice {
  readonly requestId: string;
  readonly machineId: string;
  /** `missed`: EC2 did not show it this time. */
  readonly status: MachineState | 'missed';
  readonly reason: string;
}

export interface GetReturnRequestsAnswer {
  readonly reclaims: readonly Reclaim[];
  readonly notices: readonly Notice[];
  /** What is to be noted of hosts on no record, so that later looks know since when EC2 has not shown them. */
  readonly unseen: readonly string[];
  readonly shown: readonly string[];
}

export interface GetReturnRequestsPorts extends HostLookupPorts {
  readonly policy: Pick<Policy, 'consistencyWindow'>;
  readonly unseen: Pick<UnseenHosts, 'since'>;
}

interface Judgement {
  readonly reclaimed: boolean;
  readonly notice?: Notice;
}

/**
 * Which of the hosts are or will be taken away, out of band. Hosts that Host Factory is returning itself are left out. Throws
 * `provider.*` when EC2 cannot be read: a fault never makes a host "gone".
 */
export const getReturnRequestsHandler =
  (ports: GetReturnRequestsPorts): HandlerOf<typeof getReturnRequests, GetReturnRequestsAnswer> =>
  async ({ machines, events = [], look = 'all' }) => {
    const announced = new Set(events.map(({ machineId }) => machineId));
    const asked = look === 'all' ? machines : machines.filter(({ machineId }) => announced.has(machineId));
    const found = await findHosts(ports, asked);
    const due = new Map([...announcedEnds(found, events), ...(look === 'all' ? await noticesFor(ports, found) : [])]);
    const { since, ...toNote } = await missingOf(ports, found);
    const judged = found.map((host) => ({
      host,
      ...(host.seen === undefined ? judgeUnseen(ports, host, since) : judgeSeen(host.seen, host.record)),
    }));
    return {
      reclaims: judged
        .filter(({ host, reclaimed }) => reclaimed || due.has(host.machineId))
        .map(({ host, reclaimed }) => ({
          host: host.asked,
          machineId: host.machineId,
          gracePeriod: reclaimed ? 0 : secondsUntil(due.get(host.machineId), ports.clock()),
        })),
      notices: judged.flatMap(({ notice }) => notice ?? []),
      ...toNote,
    };
  };

const secondsUntil = (due: number | undefined, now: number): number =>
  Math.max(0, Math.floor(((due ?? now) - now) / 1000));

const runningOf = (found: readonly FoundHost[]): readonly OwnedObservation[] =>
  found.flatMap(({ seen }) => (seen === undefined || hasEnded(seen.state) ? [] : [seen]));

/** When hosts that still run will be taken away, by events; the earliest of several. */
const announcedEnds = (
  found: readonly FoundHost[],
  events: readonly InstanceEvent[],
): readonly (readonly [string, number])[] => {
  const running = new Set(runningOf(found).map(({ machineId }) => machineId));
  return events
    .filter(({ kind, machineId }) => kind !== 'ended' && running.has(machineId))
    .sort((a, b) => b.due - a.due)
    .map(({ machineId, due }) => [machineId, due] as const);
};

/**
 * Hosts that still run and that AWS has announced to take away; retirement comes to spot hosts too. A fault here hides
 * nothing that is known already, nor what the other question brings.
 */
const noticesFor = async (
  { hosts, log }: GetReturnRequestsPorts,
  found: readonly FoundHost[],
): Promise<ReadonlyMap<string, number>> => {
  const running = runningOf(found);
  const ids = new Set(running.map(({ machineId }) => machineId));
  const announced = async (kind: 'retirements' | 'spotNotices'): Promise<readonly (readonly [string, number])[]> => {
    try {
      return [...(await (await hosts())[kind]())].filter(([machineId]) => ids.has(machineId));
    } catch (error) {
      if (!isPluginError(error)) throw error;
      log.warn('reclaim.notices', messageOf(error), { aws: error.aws });
      return [];
    }
  };
  const [retiring, spot] = await Promise.all([
    running.length > 0 ? announced('retirements') : [],
    running.some(({ priceType }) => priceType === 'spot') ? announced('spotNotices') : [],
  ]);
  return new Map([...retiring, ...spot]);
};

const judgeSeen = ({ state, reason = '' }: OwnedObservation, record: RecalledMachine | undefined): Judgement => {
  if (!hasEnded(state)) return { reclaimed: false };
  if (record === undefined) return { reclaimed: true };
  const { requestId, machine } = record;
  const reclaimed = machine.returnId === undefined;
  if (machine.state === state) return { reclaimed };
  return { reclaimed, notice: { requestId, machineId: machine.machineId, status: state, reason } };
};

const keyOf = ({ machineId, asked }: FoundHost): string => machineId || asked.name || asked.machineId;

interface Missing extends Pick<GetReturnRequestsAnswer, 'unseen' | 'shown'> {
  readonly since: ReadonlyMap<string, number>;
}

/** Since when, ms, EC2 has not shown the hosts that no record knows, by looks before this one; and what this one adds to that. */
const missingOf = async (
  { awsTime, unseen }: GetReturnRequestsPorts,
  found: readonly FoundHost[],
): Promise<Missing> => {
  const now = awsTime();
  if (now === undefined || found.length === 0) return { since: new Map(), unseen: [], shown: [] };
  const isMissing = ({ seen, record, uncertain, namesakes }: FoundHost): boolean =>
    seen === undefined && record === undefined && !uncertain && namesakes.length === 0;
  const since = await unseen.since(now);
  return {
    since,
    unseen: found
      .filter(isMissing)
      .map(keyOf)
      .filter((key) => !since.has(key)),
    shown: found
      .filter((host) => !isMissing(host))
      .map(keyOf)
      .filter((key) => since.has(key)),
  };
};

/**
 * EC2 does not show the host. It is believed gone only when it has been missed for longer than the consistency window by AWS's
 * clock, whether a record of ours knows it or not: these may be a standby's, or damaged.
 */
const judgeUnseen = (
  { awsTime, policy }: GetReturnRequestsPorts,
  host: FoundHost,
  missing: ReadonlyMap<string, number>,
): Judgement => {
  const { record } = host;
  const now = awsTime();
  const hasPassed = (since: number | undefined): boolean =>
    now !== undefined && since !== undefined && now - since >= policy.consistencyWindow;
  if (record === undefined) return { reclaimed: hasPassed(missing.get(keyOf(host))) };
  const { requestId, machine } = record;
  if (machine.returnId !== undefined) return { reclaimed: false };
  if (hasEnded(machine.state)) return { reclaimed: true };
  return {
    reclaimed: hasPassed(machine.missedSince),
    notice: { requestId, machineId: machine.machineId, status: 'missed', reason: '' },
  };
};
