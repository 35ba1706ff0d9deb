import { hasCode, messageOf } from '../domain/errors.ts';
import { isInstanceId } from '../domain/ids.ts';
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
  /** Several instances have the name. */
  readonly ambiguous: boolean;
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
 * Machines in our own records that match. Reads the streams of all requests that hold machines: for the rare case of a host
 * that EC2 does not show, not for every call.
 */
export const recallMachines = async (
  ports: Pick<HostLookupPorts, 'streams' | 'live' | 'log'>,
  matches: (machine: Machine) => boolean,
): Promise<{ readonly recalled: readonly RecalledMachine[]; readonly isComplete: boolean }> => {
  const recalled: RecalledMachine[] = [];
  let isComplete = true;
  for (const { requestId } of await ports.live.list()) {
    const { request, isReadable } = await readRequest(ports, requestId);
    isComplete &&= isReadable;
    if (request.stage === 'absent') continue;
    for (const machine of request.machines.values()) if (matches(machine)) recalled.push({ requestId, machine });
  }
  return { recalled, isComplete };
};

/** Hosts without duplicates: one entry per id, or per name where there is no id EC2 could have given out. */
export const uniqueHosts = (refs: readonly HostRef[]): readonly HostRef[] => [
  ...new Map(
    refs.map((ref) => [isInstanceId(ref.machineId) ? ref.machineId : ref.name || ref.machineId, ref]),
  ).values(),
];

const isByName = ({ machineId, name }: HostRef): boolean => !isInstanceId(machineId) && name !== '';

interface Seen {
  readonly byId: ReadonlyMap<string, OwnedSighting>;
  readonly byName: ReadonlyMap<string, readonly OwnedSighting[]>;
}

const lookUp = async ({ hosts }: HostLookupPorts, refs: readonly HostRef[]): Promise<Seen> => {
  const ids = refs.map(({ machineId }) => machineId).filter(isInstanceId);
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

/** Our records of the hosts that EC2 does not show as plainly well: by owner tag, else by search. */
const recordsFor = async (ports: HostLookupPorts, seen: Seen, refs: readonly HostRef[]) => {
  const ended = [...seen.byId.values()].filter(({ state }) => hasEnded(state));
  const owners = new Set(ended.flatMap(({ owner }) => (owner === undefined ? [] : [owner])));
  const unseenIds = new Set(
    refs.map(({ machineId }) => machineId).filter((id) => isInstanceId(id) && !seen.byId.has(id)),
  );
  const unclear = new Set(
    refs
      .filter((ref) => isByName(ref) && candidatesFor(seen.byName.get(ref.name) ?? []).length !== 1)
      .map(({ name }) => name),
  );
  const { recalled, isComplete } =
    unseenIds.size + unclear.size === 0
      ? { recalled: [], isComplete: true }
      : await recallMachines(ports, ({ machineId, name }) => unseenIds.has(machineId) || unclear.has(name));
  const records = new Map(recalled.map((record) => [record.machine.machineId, record]));
  for (const requestId of owners) {
    const { request } = await readRequest(ports, requestId);
    if (request.stage === 'absent') continue;
    for (const machine of request.machines.values()) records.set(machine.machineId, { requestId, machine });
  }
  return { records, isComplete };
};

/** Looks the hosts up at EC2, in the order asked. Throws `provider.*` when EC2 cannot be read. */
export const findHosts = async (ports: HostLookupPorts, refs: readonly HostRef[]): Promise<readonly FoundHost[]> => {
  const seen = await lookUp(ports, refs);
  const { records, isComplete } = await recordsFor(ports, seen, refs);
  const recorded = [...records.values()];

  const resolve = (asked: HostRef): { readonly machineId: string; readonly ambiguous: boolean } => {
    if (!isByName(asked)) return { machineId: isInstanceId(asked.machineId) ? asked.machineId : '', ambiguous: false };
    const candidates = candidatesFor(seen.byName.get(asked.name) ?? []);
    const known = recorded.filter(({ machine }) => machine.name === asked.name).map(({ machine }) => machine.machineId);
    const [only, ...more] = candidates.length === 1 ? candidates.map(({ machineId }) => machineId) : known;
    if (only !== undefined && more.length === 0) return { machineId: only, ambiguous: false };
    return { machineId: '', ambiguous: candidates.length + known.length > 0 };
  };

  const resolved = refs.map((asked) => ({ asked, ...resolve(asked) }));
  // EC2 empties the name at termination: such hosts are known by name to our own records only.
  const forgotten = resolved
    .filter(({ asked, machineId }) => isByName(asked) && machineId !== '' && !seen.byId.has(machineId))
    .map(({ machineId }) => machineId);
  const late = forgotten.length === 0 ? [] : await (await ports.hosts()).describe(forgotten);
  const byId = new Map([...seen.byId, ...late.map((sighting) => [sighting.machineId, sighting] as const)]);
  return resolved.map(({ asked, machineId, ambiguous }) => {
    const [sighting, record] = [byId.get(machineId), records.get(machineId)];
    return {
      asked,
      machineId,
      ambiguous,
      uncertain: !isComplete,
      ...(sighting === undefined ? {} : { seen: sighting }),
      ...(record === undefined ? {} : { record }),
    };
  });
};
