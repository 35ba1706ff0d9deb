import { isInstanceId } from '../domain/ids.ts';
import type { Machine } from '../domain/machine.ts';
import type { OwnedSighting } from '../domain/return-request.ts';
import type { Hosts, LiveRequests, RequestStreams } from './ports.ts';
import { foldRequest } from './streams.ts';

/** A host as Host Factory names it: by name, by instance id, or both (then the id counts). */
export interface HostRef {
  readonly name: string;
  readonly machineId: string;
}

/** A host asked about. `machineId` is empty when neither EC2 nor our own records have an id for the name. */
export interface FoundHost {
  readonly asked: HostRef;
  readonly machineId: string;
  readonly seen?: OwnedSighting;
}

export interface RecalledMachine {
  readonly requestId: string;
  readonly machine: Machine;
}

/**
 * Machines in our own records that match. Reads the streams of all requests that hold machines: for the rare case of a host
 * that EC2 does not show, not for every call.
 */
export const recallMachines = async (
  { streams, live }: { readonly streams: RequestStreams; readonly live: LiveRequests },
  matches: (machine: Machine) => boolean,
): Promise<readonly RecalledMachine[]> => {
  const recalled: RecalledMachine[] = [];
  for (const { requestId } of await live.list()) {
    const request = foldRequest(await streams.load(requestId));
    if (request.stage === 'absent') continue;
    for (const machine of request.machines.values()) if (matches(machine)) recalled.push({ requestId, machine });
  }
  return recalled;
};

/** Hosts without duplicates: one entry per id, or per name where there is no id EC2 could have given out. */
export const uniqueHosts = (refs: readonly HostRef[]): readonly HostRef[] => [
  ...new Map(
    refs.map((ref) => [isInstanceId(ref.machineId) ? ref.machineId : ref.name || ref.machineId, ref]),
  ).values(),
];

export interface HostLookupPorts {
  readonly streams: RequestStreams;
  readonly live: LiveRequests;
  readonly hosts: () => Promise<Hosts>;
}

/** Looks the hosts up at EC2, in the order asked. Throws `provider.*` when EC2 cannot be read. */
export const findHosts = async (ports: HostLookupPorts, refs: readonly HostRef[]): Promise<readonly FoundHost[]> => {
  const ids = refs.map(({ machineId }) => machineId).filter(isInstanceId);
  const names = refs.filter(({ machineId, name }) => !isInstanceId(machineId) && name !== '').map(({ name }) => name);
  if (ids.length + names.length === 0) return refs.map((asked) => ({ asked, machineId: '' }));
  const ec2 = await ports.hosts();
  const [byId, byName] = await Promise.all([ec2.describe(ids), ec2.describeByName(names)]);
  const seenById = new Map(byId.map((sighting) => [sighting.machineId, sighting]));
  const seenByName = new Map(byName.map((sighting) => [sighting.name, sighting]));

  // EC2 empties the name at termination: such hosts are known by name to our own records only.
  const forgotten = new Set(names.filter((name) => !seenByName.has(name)));
  const recalled = forgotten.size === 0 ? [] : await recallMachines(ports, ({ name }) => forgotten.has(name));
  const idByName = new Map(recalled.map(({ machine }) => [machine.name, machine.machineId]));
  for (const sighting of await ec2.describe([...idByName.values()])) seenById.set(sighting.machineId, sighting);

  return refs.map((asked) => {
    const named = seenByName.get(asked.name);
    const machineId = isInstanceId(asked.machineId)
      ? asked.machineId
      : (named?.machineId ?? idByName.get(asked.name) ?? '');
    const seen = seenById.get(machineId) ?? (named?.machineId === machineId ? named : undefined);
    return { asked, machineId, ...(seen === undefined ? {} : { seen }) };
  });
};
