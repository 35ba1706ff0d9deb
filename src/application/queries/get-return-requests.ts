import { hasCode } from '../../domain/errors.ts';
import { hasEnded, type MachineState } from '../../domain/machine.ts';
import { absentRequest, type Request } from '../../domain/request.ts';
import type { OwnedSighting } from '../../domain/return-request.ts';
import type { Handler, Message, Operation } from '../bus.ts';
import {
  type FoundHost,
  findHosts,
  type HostLookupPorts,
  type HostRef,
  type RecalledMachine,
  recallMachines,
} from '../host-lookup.ts';
import type { Clock, Policy } from '../ports.ts';
import { foldRequest } from '../streams.ts';

export interface GetReturnRequests extends Message {
  readonly type: 'GetReturnRequests';
  /** The hosts Host Factory holds from this provider. */
  readonly machines: readonly HostRef[];
}

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
}

export interface GetReturnRequestsPorts extends HostLookupPorts {
  readonly clock: Clock;
  readonly policy: Pick<Policy, 'consistencyWindow'>;
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
  (ports: GetReturnRequestsPorts): Handler<Operation<GetReturnRequests, GetReturnRequestsAnswer>> =>
  async ({ machines }) => {
    const found = await findHosts(ports, machines);
    const records = await recordsOf(ports, found);
    const reclaims: Reclaim[] = [];
    const notices: Notice[] = [];
    for (const host of found) {
      const record = records.get(host.machineId);
      const { reclaimed, notice } = host.seen === undefined ? judgeUnseen(ports, record) : judgeSeen(host.seen, record);
      if (reclaimed) reclaims.push({ host: host.asked, machineId: host.machineId, gracePeriod: 0 });
      if (notice !== undefined) notices.push(notice);
    }
    return { reclaims, notices };
  };

/** Our records of the hosts that are not plainly well: by owner tag where EC2 shows the host, else by search. */
const recordsOf = async (
  ports: GetReturnRequestsPorts,
  found: readonly FoundHost[],
): Promise<ReadonlyMap<string, RecalledMachine>> => {
  const owners = new Set(
    found.flatMap(({ seen }) => (seen?.owner !== undefined && hasEnded(seen.state) ? [seen.owner] : [])),
  );
  const unseen = new Set(
    found.filter(({ seen, machineId }) => seen === undefined && machineId !== '').map(({ machineId }) => machineId),
  );
  const records = unseen.size === 0 ? [] : [...(await recallMachines(ports, ({ machineId }) => unseen.has(machineId)))];
  for (const requestId of owners) {
    const request = await ports.streams.load(requestId).then(foldRequest, withoutRecord);
    if (request.stage === 'absent') continue;
    for (const machine of request.machines.values()) records.push({ requestId, machine });
  }
  return new Map(records.map((record) => [record.machine.machineId, record]));
};

/** EC2 itself shows these hosts as ended: a record that cannot be read changes nothing about that. */
const withoutRecord = (error: unknown): Request => {
  if (!hasCode(error, 'storage.unreadable')) throw error;
  return absentRequest;
};

const judgeSeen = ({ state, reason = '' }: OwnedSighting, record: RecalledMachine | undefined): Judgement => {
  if (!hasEnded(state)) return { reclaimed: false };
  if (record === undefined) return { reclaimed: true };
  const { requestId, machine } = record;
  const reclaimed = machine.returnId === undefined;
  if (machine.state === state) return { reclaimed };
  return { reclaimed, notice: { requestId, machineId: machine.machineId, status: state, reason } };
};

/**
 * EC2 does not show the host. One of our own is believed gone only when it has been missed for longer than the
 * consistency window; a host that nobody holds on record and EC2 does not know is gone.
 */
const judgeUnseen = ({ clock, policy }: GetReturnRequestsPorts, record: RecalledMachine | undefined): Judgement => {
  if (record === undefined) return { reclaimed: true };
  const { requestId, machine } = record;
  if (machine.returnId !== undefined) return { reclaimed: false };
  if (hasEnded(machine.state)) return { reclaimed: true };
  const { missedSince } = machine;
  const reclaimed = missedSince !== undefined && clock() - missedSince >= policy.consistencyWindow;
  return { reclaimed, notice: { requestId, machineId: machine.machineId, status: 'missed', reason: '' } };
};
