import { isPluginError, messageOf, type PluginError } from '../../domain/errors.ts';
import { asInstanceId, isCreateId, looksLikeInstanceId } from '../../domain/ids.ts';
import { hasEnded, type Machine, type OwnedObservation } from '../../domain/machine.ts';
import type { HostReader } from '../ports/instances.ts';
import type { AwsTime, Clock } from '../ports/policy.ts';
import type { CapacityLedger, Stream, StreamReader } from '../ports/streams.ts';
import type { Logger } from '../ports/telemetry.ts';
import { eachStream, foldRequest, isUnread, listedIds } from './streams.ts';

/** A host as Host Factory names it: by name, by instance id, or both (then the id counts). */
export interface HostRef {
  readonly name: string;
  readonly machineId: string;
}

export interface RecalledMachine {
  readonly requestId: string;
  readonly machine: Machine;
  /** When its end was recorded, ms. */
  readonly endedAt?: number;
}

/** A host asked about, what EC2 shows of it and, where that is not plainly well, what our records say. */
export interface FoundHost {
  readonly asked: HostRef;
  /** Empty when neither EC2 nor our own records have an id for the name. */
  readonly machineId: string;
  readonly seen?: OwnedObservation;
  readonly record?: RecalledMachine;
  /** Some record could not be read: that EC2 does not show the host proves nothing. */
  readonly uncertain: boolean;
  /** The ids of the instances that have or had the name, where there are several: nobody knows which one is meant. */
  readonly namesakes: readonly string[];
}

export interface HostLookupPorts {
  readonly streams: StreamReader;
  readonly live: Pick<CapacityLedger, 'list'>;
  readonly hosts: () => Promise<HostReader>;
  readonly clock: Clock;
  readonly awsTime: AwsTime;
  readonly log: Logger;
}

type Matches = (machine: Pick<Machine, 'machineId' | 'name'>) => boolean;

/** The machines of a request by its record that match; none, and said in the log, when the record cannot be read. */
const machinesIn = (
  log: Logger,
  requestId: string,
  stream: Stream | PluginError,
  matches: Matches = () => true,
): readonly RecalledMachine[] => {
  if (isPluginError(stream)) {
    log.error('record.unreadable', stream.message, { requestId });
    return [];
  }
  // Ids and names come with these: a record of thousands of other machines need not be folded.
  if (!stream.events.some((event) => 'machines' in event && event.machines.some(matches))) return [];
  const request = foldRequest(stream);
  const machines = request.stage === 'absent' ? [] : [...request.machines.values()].filter(matches);
  return machines.map((machine): RecalledMachine => {
    const endedAt = hasEnded(machine.state) ? endRecordedAt(stream, machine) : undefined;
    return { requestId, machine, ...(endedAt === undefined ? {} : { endedAt }) };
  });
};

const endRecordedAt = ({ events }: Stream, { machineId }: Machine): number | undefined =>
  events.findLast(
    (event) =>
      (event.type === 'MachineStatusReported' && event.machineId === machineId) ||
      (event.type === 'MachinesObserved' && event.machines.some((machine) => machine.machineId === machineId)),
  )?.at;

/**
 * For so long, ms, Host Factory may mean by a name a host that has ended. It asks about hosts and requests every few minutes and
 * gives back within minutes what it hears has ended; a name that it gives back later is that of the host that has it now.
 */
const validAfterEnd = 3_600_000;

/**
 * Machines in our own records that match. Reads the streams of the requests that hold machines, and others: for the rare case of
 * a host that EC2 does not show or of which only the name is known, not for every call.
 */
export const recallMachines = async (
  ports: Pick<HostLookupPorts, 'streams' | 'live' | 'log'>,
  matches: Matches,
  others: readonly string[] = [],
): Promise<{ readonly recalled: readonly RecalledMachine[]; readonly isComplete: boolean }> => {
  const recalled: RecalledMachine[] = [];
  const listed = await ports.live.list().catch((error: unknown) => {
    if (!isUnread(error)) throw error;
    ports.log.error('record.unreadable', messageOf(error));
  });
  let isComplete = listed !== undefined;
  const live = new Set((listed ?? []).map(({ requestId }) => requestId));
  for await (const [requestId, stream] of eachStream(ports.streams, [...live, ...others.filter(isCreateId)])) {
    isComplete &&= !isPluginError(stream) || !live.has(requestId);
    recalled.push(...machinesIn(ports.log, requestId, stream, matches));
  }
  return { recalled, isComplete };
};

/** Requests that may hold a host that ended lately; twice as far back, since files are dated by a clock of their own. */
const changedLately = async (ports: HostLookupPorts): Promise<readonly string[]> => {
  const streams = [...(await ports.streams.changes()).changed];
  const newest = streams.reduce((latest, [, changedAt]) => Math.max(latest, changedAt), 0);
  const from = Math.min(newest, ports.clock()) - 2 * validAfterEnd;
  return streams.flatMap(([id, changedAt]) => (changedAt > from ? [id] : []));
};

/** Hosts without duplicates: one entry per id, or per name where there is no id EC2 could have given out. */
export const uniqueHosts = (refs: readonly HostRef[]): readonly HostRef[] => [
  ...new Map(
    refs.map((ref) => [asInstanceId(ref.machineId) ?? (isByName(ref) ? ref.name : ref.machineId), ref]),
  ).values(),
];

/** A name counts only where no id of an instance is given, be it one that EC2 never gave out. */
const isByName = ({ machineId, name }: HostRef): boolean => !looksLikeInstanceId(machineId) && name !== '';

interface Seen {
  readonly byId: ReadonlyMap<string, OwnedObservation>;
  readonly byName: ReadonlyMap<string, readonly OwnedObservation[]>;
}

const lookUp = async ({ hosts }: HostLookupPorts, refs: readonly HostRef[]): Promise<Seen> => {
  const ids = refs.flatMap(({ machineId }) => asInstanceId(machineId) ?? []);
  const names = refs.filter(isByName).map(({ name }) => name);
  if (ids.length + names.length === 0) return { byId: new Map(), byName: new Map() };
  const ec2 = await hosts();
  const [found, named] = await Promise.all([ec2.describe(ids), ec2.describeByName(names)]);
  const byName = new Map<string, OwnedObservation[]>();
  for (const observation of named) byName.set(observation.name, [...(byName.get(observation.name) ?? []), observation]);
  return { byId: new Map([...found, ...named].map((observation) => [observation.machineId, observation])), byName };
};

/** Private DNS names are unique in a VPC, not in an account: ours come first. */
const candidatesFor = (named: readonly OwnedObservation[]): readonly OwnedObservation[] => {
  const ours = named.filter((observation) => observation.ours);
  return ours.length > 0 ? ours : named;
};

/**
 * Which instances a name may mean. A host that is gone may have left its name to a new one: until it has been given back, or
 * Host Factory has had the time to do so, both are meant.
 */
const machinesNamed = (
  named: readonly OwnedObservation[],
  known: readonly RecalledMachine[],
  now: number,
): readonly string[] => {
  const isHeld = ({ machine, endedAt = now }: RecalledMachine): boolean =>
    machine.returnId === undefined && now - endedAt < validAfterEnd;
  const held = known.filter(isHeld).map(({ machine }) => machine.machineId);
  const ours = named.filter((observation) => observation.ours).map(({ machineId }) => machineId);
  const candidates = new Set([...ours, ...held]);
  if (candidates.size > 0) return [...candidates];
  const [last] = known.map(({ machine }) => machine).sort((a, b) => (b.launchTime ?? 0) - (a.launchTime ?? 0));
  return last === undefined ? named.map(({ machineId }) => machineId) : [last.machineId];
};

/** Whether the ownership tag may just not be visible yet: only our records can tell. */
const mayBeUntagged = ({ ours, ofOtherOwner }: OwnedObservation): boolean => !ours && ofOtherOwner === undefined;

/** Our records of the hosts that EC2 does not show as plainly well: by owner tag, else by search. */
const recordsFor = async (ports: HostLookupPorts, seen: Seen, refs: readonly HostRef[], depth: LookupDepth) => {
  const ended = [...seen.byId.values()].filter(({ state }) => hasEnded(state));
  const requestIds = new Set(ended.flatMap(({ requestId }) => (requestId === undefined ? [] : [requestId])));
  const unseenIds = new Set(
    refs
      .flatMap(({ machineId }) => asInstanceId(machineId) ?? [])
      .filter((id) => {
        const shown = seen.byId.get(id);
        return shown === undefined || (depth !== 'live' && mayBeUntagged(shown));
      }),
  );
  const isUnclear = ({ name }: HostRef): boolean =>
    depth !== 'live' || candidatesFor(seen.byName.get(name) ?? []).length !== 1;
  const unclear = new Set(refs.filter((ref) => isByName(ref) && isUnclear(ref)).map(({ name }) => name));
  const { recalled, isComplete } =
    unseenIds.size + unclear.size === 0 ? nothingRecalled : await search(ports, { unseenIds, unclear, seen, depth });
  const records = new Map(recalled.map((record) => [record.machine.machineId, record]));
  for await (const [requestId, stream] of eachStream(ports.streams, requestIds))
    for (const record of machinesIn(ports.log, requestId, stream)) records.set(record.machine.machineId, record);
  return { records, isComplete };
};

const nothingRecalled = { recalled: [], isComplete: true };

/** All requests are read only for a name that no host of ours at EC2 and no request read before has, and where `all` is asked for. */
const search = async (
  ports: HostLookupPorts,
  {
    unseenIds,
    unclear,
    seen,
    depth,
  }: {
    readonly unseenIds: ReadonlySet<string>;
    readonly unclear: ReadonlySet<string>;
    readonly seen: Seen;
    readonly depth: LookupDepth;
  },
) => {
  const matches: Matches = ({ machineId, name }) => unseenIds.has(machineId) || unclear.has(name);
  if (depth === 'all') return recallMachines(ports, matches, await listedIds(ports.streams));
  if (depth === 'live' || unclear.size === 0) return recallMachines(ports, matches);
  const lately = await recallMachines(ports, matches, await changedLately(ports));
  const shown = [...seen.byName.values()].flat().filter(({ ours }) => ours);
  const known = new Set([...shown, ...lately.recalled.map(({ machine }) => machine)].map(({ name }) => name));
  return [...unclear].every((name) => known.has(name))
    ? lately
    : recallMachines(ports, matches, await listedIds(ports.streams));
};

/**
 * Which records are searched for what EC2 does not tell: those of requests that hold machines; for names also those of requests
 * that changed lately, and of all where nobody knows the name; those of all.
 */
export type LookupDepth = 'live' | 'names' | 'all';

/** Looks the hosts up at EC2, in the order asked. Throws `provider.*` when EC2 cannot be read. */
export const findHosts = async (
  ports: HostLookupPorts,
  refs: readonly HostRef[],
  depth: LookupDepth = 'live',
): Promise<readonly FoundHost[]> => {
  const seen = await lookUp(ports, refs);
  const { records, isComplete } = await recordsFor(ports, seen, refs, depth);
  const recorded = [...records.values()];
  const now = ports.awsTime() ?? ports.clock();

  const resolve = (asked: HostRef): Pick<FoundHost, 'machineId' | 'namesakes'> => {
    if (!isByName(asked)) return { machineId: asInstanceId(asked.machineId) ?? '', namesakes: [] };
    const known = recorded.filter(({ machine }) => machine.name === asked.name);
    const candidates = machinesNamed(seen.byName.get(asked.name) ?? [], known, now);
    const [only = '', ...more] = candidates;
    return more.length === 0 ? { machineId: only, namesakes: [] } : { machineId: '', namesakes: candidates };
  };

  const resolved = refs.map((asked) => ({ asked, ...resolve(asked) }));
  // EC2 empties the name at termination: such hosts are known by name to our own records only.
  const forgotten = resolved
    .filter(({ asked, machineId }) => isByName(asked) && machineId !== '' && !seen.byId.has(machineId))
    .map(({ machineId }) => machineId);
  const late = forgotten.length === 0 ? [] : await (await ports.hosts()).describe(forgotten);
  const byId = new Map([...seen.byId, ...late.map((observation) => [observation.machineId, observation] as const)]);
  return resolved.map(({ asked, machineId, namesakes }) => {
    const [observation, record] = [byId.get(machineId), records.get(machineId)];
    return {
      asked,
      machineId,
      namesakes,
      uncertain: !isComplete,
      ...(observation === undefined ? {} : { seen: observation }),
      ...(record === undefined ? {} : { record }),
    };
  });
};
