import { hasCode, messageOf } from '../domain/errors.ts';
import { asInstanceId, isCreateId, looksLikeInstanceId } from '../domain/ids.ts';
import { hasEnded, type Machine } from '../domain/machine.ts';
import { absentRequest, type Request } from '../domain/request.ts';
import type { OwnedSighting } from '../domain/return-request.ts';
import type { Hosts, LiveRequests, Logger, StreamReader } from './ports.ts';
import { foldRequest } from './streams.ts';

/** A host as Host Factory names it: by name, by instance id, or both (then the id counts). */
export interface HostRef {
  readonly name: string;
  readonly machineId: string;
}

export interface RecalledMachine {
  readonly requestId: string;
  readonly machine: Machine;
}

/** A host asked about, what EC2 shows of it and, where that is not plainly well, what our records say. */
export interface FoundHost {
  readonly asked: HostRef;
  /** Empty when neither EC2 nor our own records have an id for the name. */
  readonly machineId: string;
  readonly seen?: OwnedSighting;
  readonly record?: RecalledMachine;
  /** Some record could not be read: that EC2 does not show the host proves nothing. */
  readonly uncertain: boolean;
  /** The ids of the instances that have or had the name, where these are several: none of them is meant for sure. */
  readonly namesakes: readonly string[];
}

export interface HostLookupPorts {
  readonly streams: StreamReader;
  readonly live: LiveRequests;
  readonly hosts: () => Promise<Hosts>;
  readonly log: Logger;
}

/** A request by its record; absent, and said in the log, when the record cannot be read. */
const readRequest = async (
  { streams, log }: Pick<HostLookupPorts, 'streams' | 'log'>,
  requestId: string,
): Promise<{ readonly request: Request; readonly isReadable: boolean }> => {
  try {
    return { request: foldRequest(await streams.load(requestId)), isReadable: true };
  } catch (error) {
    if (!hasCode(error, 'storage.unreadable')) throw error;
    log.error('record.unreadable', messageOf(error), { requestId });
    return { request: absentRequest, isReadable: false };
  }
};

/**
 * Machines in our own records that match. Reads the streams of all requests that hold machines, or of all there are: for the rare
 * case of a host that EC2 does not show or of which only the name is known, not for every call.
 */
export const recallMachines = async (
  ports: Pick<HostLookupPorts, 'streams' | 'live' | 'log'>,
  matches: (machine: Machine) => boolean,
  all = false,
): Promise<{ readonly recalled: readonly RecalledMachine[]; readonly isComplete: boolean }> => {
  const recalled: RecalledMachine[] = [];
  let isComplete = true;
  const live = new Set((await ports.live.list()).map(({ requestId }) => requestId));
  const others = all ? (await ports.streams.ids()).filter(isCreateId) : [];
  for (const requestId of new Set([...live, ...others])) {
    const { request, isReadable } = await readRequest(ports, requestId);
    isComplete &&= isReadable || !live.has(requestId);
    if (request.stage === 'absent') continue;
    for (const machine of request.machines.values()) if (matches(machine)) recalled.push({ requestId, machine });
  }
  return { recalled, isComplete };
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
  readonly byId: ReadonlyMap<string, OwnedSighting>;
  readonly byName: ReadonlyMap<string, readonly OwnedSighting[]>;
}

const lookUp = async ({ hosts }: HostLookupPorts, refs: readonly HostRef[]): Promise<Seen> => {
  const ids = refs.flatMap(({ machineId }) => asInstanceId(machineId) ?? []);
  const names = refs.filter(isByName).map(({ name }) => name);
  if (ids.length + names.length === 0) return { byId: new Map(), byName: new Map() };
  const ec2 = await hosts();
  const [found, named] = await Promise.all([ec2.describe(ids), ec2.describeByName(names)]);
  const byName = new Map<string, OwnedSighting[]>();
  for (const sighting of named) byName.set(sighting.name, [...(byName.get(sighting.name) ?? []), sighting]);
  return { byId: new Map([...found, ...named].map((sighting) => [sighting.machineId, sighting])), byName };
};

/** Private DNS names are unique in a VPC, not in an account: ours come first. */
const candidatesFor = (named: readonly OwnedSighting[]): readonly OwnedSighting[] => {
  const ours = named.filter((sighting) => sighting.ours);
  return ours.length > 0 ? ours : named;
};

/**
 * Which instances a name may mean. A host that is gone may have left its name to a new one: until it has been given back, both
 * are meant.
 */
const meantBy = (named: readonly OwnedSighting[], known: readonly RecalledMachine[]): readonly string[] => {
  const idsOf = (recalled: readonly RecalledMachine[]) => recalled.map(({ machine }) => machine.machineId);
  const held = idsOf(known.filter(({ machine }) => machine.returnId === undefined));
  const ours = named.filter((sighting) => sighting.ours).map(({ machineId }) => machineId);
  const meant = new Set([...ours, ...held]);
  if (meant.size > 0) return [...meant];
  return known.length > 0 ? idsOf(known) : named.map(({ machineId }) => machineId);
};

/** Whether the ownership tag may just not be visible yet: only our records can tell. */
const mayBeUntagged = ({ ours, ofOtherOwner }: OwnedSighting): boolean => !ours && ofOtherOwner === undefined;

/** Our records of the hosts that EC2 does not show as plainly well: by owner tag, else by search. */
const recordsFor = async (ports: HostLookupPorts, seen: Seen, refs: readonly HostRef[], depth: LookupDepth) => {
  const ended = [...seen.byId.values()].filter(({ state }) => hasEnded(state));
  const owners = new Set(ended.flatMap(({ owner }) => (owner === undefined ? [] : [owner])));
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
  const all = depth === 'all' || (depth === 'names' && unclear.size > 0);
  const { recalled, isComplete } =
    unseenIds.size + unclear.size === 0
      ? { recalled: [], isComplete: true }
      : await recallMachines(ports, ({ machineId, name }) => unseenIds.has(machineId) || unclear.has(name), all);
  const records = new Map(recalled.map((record) => [record.machine.machineId, record]));
  for (const requestId of owners) {
    const { request } = await readRequest(ports, requestId);
    if (request.stage === 'absent') continue;
    for (const machine of request.machines.values()) records.set(machine.machineId, { requestId, machine });
  }
  return { records, isComplete };
};

/**
 * Which records are searched for what EC2 does not tell: those of requests that hold machines; for names those of all requests;
 * those of all.
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

  const resolve = (asked: HostRef): Pick<FoundHost, 'machineId' | 'namesakes'> => {
    if (!isByName(asked)) return { machineId: asInstanceId(asked.machineId) ?? '', namesakes: [] };
    const known = recorded.filter(({ machine }) => machine.name === asked.name);
    const meant = meantBy(seen.byName.get(asked.name) ?? [], known);
    const [only = '', ...more] = meant;
    return more.length === 0 ? { machineId: only, namesakes: [] } : { machineId: '', namesakes: meant };
  };

  const resolved = refs.map((asked) => ({ asked, ...resolve(asked) }));
  // EC2 empties the name at termination: such hosts are known by name to our own records only.
  const forgotten = resolved
    .filter(({ asked, machineId }) => isByName(asked) && machineId !== '' && !seen.byId.has(machineId))
    .map(({ machineId }) => machineId);
  const late = forgotten.length === 0 ? [] : await (await ports.hosts()).describe(forgotten);
  const byId = new Map([...seen.byId, ...late.map((sighting) => [sighting.machineId, sighting] as const)]);
  return resolved.map(({ asked, machineId, namesakes }) => {
    const [sighting, record] = [byId.get(machineId), records.get(machineId)];
    return {
      asked,
      machineId,
      namesakes,
      uncertain: !isComplete,
      ...(sighting === undefined ? {} : { seen: sighting }),
      ...(record === undefined ? {} : { record }),
    };
  });
};
