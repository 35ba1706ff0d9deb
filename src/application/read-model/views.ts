import { isReturnId } from '../../domain/ids.ts';
import {
  type Machine,
  type MachineResult,
  type MachineState,
  type Observation,
  resultOf,
} from '../../domain/machine.ts';
import { requestMessage } from '../../domain/request/message.ts';
import type { KnownRequest, Request } from '../../domain/request/state.ts';
import type { ReturnItem } from '../../domain/return/events.ts';
import { isUnknown, type KnownReturn, type ReturnRequest } from '../../domain/return/state.ts';
import { foldRequest, foldReturn } from '../life-cycle/streams.ts';
import type { Stream } from '../ports/streams.ts';

/** Host Factory's three words for the state of a request, and one of ours that it never sees. */
export const requestStatuses = ['running', 'complete', 'complete_with_error', 'cancelled'] as const;
export type RequestStatus = (typeof requestStatuses)[number];

/** A machine of one request. Unknown values are empty strings. */
export interface MachineView {
  readonly machineId: string;
  readonly requestId: string;
  readonly name: string;
  readonly result: MachineResult;
  readonly status: MachineState;
  readonly privateIpAddress: string;
  readonly publicIpAddress: string;
  /** Seconds since the epoch; 0 where EC2 never showed it. */
  readonly launchTime: number;
  readonly message: string;
  readonly priceType: 'ondemand' | 'spot';
  readonly instanceType: string;
  /** `k=v;k=v` */
  readonly instanceTags: string;
}

export interface RequestView {
  readonly requestId: string;
  readonly kind: 'create' | 'return';
  readonly status: RequestStatus;
  readonly message: string;
  readonly templateId?: string;
  /** Machines asked for, or to be returned. */
  readonly wanted: number;
  readonly counts: Readonly<Record<MachineResult, number>>;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly settledAt?: number;
  readonly version: number;
  /** Who asked, if the caller said so. */
  readonly userId?: string;
  readonly machines: readonly MachineView[];
}

const joinTags = (tags: readonly (readonly [string, string])[]): string =>
  tags.map(([key, value]) => `${key}=${value}`).join(';');

const placeOf = (known: Observation | undefined) => ({
  privateIpAddress: known?.privateIpAddress ?? '',
  publicIpAddress: known?.publicIpAddress ?? '',
  launchTime: known?.launchTime ?? 0,
  priceType: known?.priceType ?? ('ondemand' as const),
  instanceType: known?.instanceType ?? '',
});

const failureText = ({ givenUp, reason, state }: Machine): string => givenUp ?? reason ?? `the instance is ${state}`;

const machineView = (requestId: string, instanceTags: string, machine: Machine): MachineView => {
  const result = resultOf(machine);
  return {
    machineId: machine.machineId,
    requestId,
    name: machine.name,
    result,
    status: machine.state,
    ...placeOf(machine),
    message: result === 'fail' ? failureText(machine) : '',
    instanceTags,
  };
};

const itemResult = ({ verdict }: ReturnItem): MachineResult => {
  if (verdict === 'gone') return 'succeed';
  return verdict === 'foreign' ? 'fail' : 'executing';
};

const itemView = (requestId: string, item: ReturnItem): MachineView => ({
  machineId: item.machineId,
  requestId,
  name: item.name,
  result: itemResult(item),
  status: item.verdict === 'gone' ? 'terminated' : (item.last?.state ?? 'shutting-down'),
  ...placeOf(item.last),
  message: item.message,
  instanceTags: item.instanceTags,
});

const countResults = (machines: readonly MachineView[]): RequestView['counts'] => {
  const counts = { executing: 0, succeed: 0, fail: 0 };
  for (const { result } of machines) counts[result]++;
  return counts;
};

/** The current state of a request. */
export const currentStatus = (request: KnownRequest): RequestStatus =>
  statusOf(request, countResults(currentMachines('', request)));

/** The machines of a create request as last seen, also after it settled. */
export const currentMachines = (requestId: string, { template, machines }: KnownRequest): readonly MachineView[] => {
  const instanceTags = joinTags(template.instanceTags);
  return [...machines.values()].map((machine) => machineView(requestId, instanceTags, machine));
};

/**
 * `complete` as soon as one host can be used, since Host Factory may drop the good hosts of a request that ends in
 * `complete_with_error`; the shortfall is in the message, and the hosts that failed are listed as such.
 */
const statusOf = ({ stage, cancelled }: KnownRequest, counts: RequestView['counts']): RequestStatus => {
  if (cancelled !== undefined) return 'cancelled';
  if (stage === 'open') return 'running';
  return counts.succeed > 0 ? 'complete' : 'complete_with_error';
};

const createView = (requestId: string, request: KnownRequest, version: number): RequestView => {
  const machines = currentMachines(requestId, { ...request, machines: request.settledMachines ?? request.machines });
  const counts = countResults(machines);
  return {
    requestId,
    kind: 'create',
    status: statusOf(request, counts),
    message: requestMessage(request),
    templateId: request.template.templateId,
    wanted: request.wanted,
    counts,
    createdAt: request.createdAt,
    ...(request.settledAt === undefined ? {} : { settledAt: request.settledAt }),
    version,
    machines,
  };
};

const returnView = (requestId: string, request: KnownReturn, version: number): RequestView => {
  const machines = [...request.items.values()].map((item) => itemView(requestId, item));
  const counts = countResults(machines);
  const ended = counts.fail > 0 ? 'complete_with_error' : 'complete';
  const unknown = [...request.items.values()].filter(isUnknown).length;
  const unknownText = unknown === 0 ? '' : ` ${unknown} known neither to EC2 nor to our records.`;
  return {
    requestId,
    kind: 'return',
    status: request.stage === 'open' ? 'running' : ended,
    message: `${counts.succeed - unknown} of ${machines.length} machines are gone.${unknownText}`,
    wanted: machines.length,
    counts,
    createdAt: request.createdAt,
    ...(request.settledAt === undefined ? {} : { settledAt: request.settledAt }),
    version,
    machines,
  };
};

/** A request as its events fold: of either kind. */
export type Folded = { readonly create: Request } | { readonly return: ReturnRequest };

/** A request as people and Host Factory see it; undefined where the stream is empty. */
export const viewOfFolded = (
  requestId: string,
  folded: Folded,
  { version, events }: Stream,
): RequestView | undefined => {
  const [first] = events;
  const user = first?.userId === undefined ? {} : { userId: first.userId };
  if ('return' in folded) {
    return folded.return.stage === 'absent' ? undefined : { ...returnView(requestId, folded.return, version), ...user };
  }
  return folded.create.stage === 'absent' ? undefined : { ...createView(requestId, folded.create, version), ...user };
};

export const viewOf = (requestId: string, stream: Stream): RequestView | undefined => {
  const folded = isReturnId(requestId) ? { return: foldReturn(stream) } : { create: foldRequest(stream) };
  return viewOfFolded(requestId, folded, stream);
};
