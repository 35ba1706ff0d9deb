import type { Origin } from '../application/bus/origin.ts';
import type { RecordedEvent, StreamEvent } from '../application/ports/streams.ts';
import type { ReturnItem } from '../domain/return/events.ts';

/** Version of the stored form of events. */
const schemaVersion = 3;

/** The events of one append. The file is named after the version it was appended at. */
export interface Batch {
  readonly stream: string;
  readonly events: readonly RecordedEvent[];
}

/** The items of returns called the request that launched a machine `owner`. */
const withRequestId = ({ owner, ...item }: ReturnItem & { readonly owner?: string }): ReturnItem =>
  owner === undefined ? item : { ...item, requestId: owner };

const withRequestIds = (event: RecordedEvent): RecordedEvent =>
  'items' in event ? { ...event, items: event.items.map(withRequestId) } : event;

/** How an event of version 1, 2, ... becomes one of the next. While there was no `role`, all writers were the owner's own processes. */
const lifts: readonly ((event: RecordedEvent) => RecordedEvent)[] = [
  (event) => ({ ...event, role: 'admin', schemaVersion: 2 }),
  (event) => ({ ...withRequestIds(event), schemaVersion: 3 }),
];

type Check = (value: unknown) => boolean;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number';
/** Of the epoch, in these units of milliseconds; beyond it there is no date that could be told. */
const timeIn =
  (unit: number): Check =>
  (value) =>
    typeof value === 'number' && Math.abs(value) * unit <= 8.64e15;
const flag: Check = (value) => typeof value === 'boolean';
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const tableOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const has =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]));

const observation = {
  machineId: text,
  state: text,
  name: text,
  privateIpAddress: text,
  publicIpAddress: text,
  instanceType: text,
  launchTime: optional(timeIn(1000)),
};
const machines = listOf(has(observation));
const ids = listOf(text);
const template = has({
  templateId: text,
  maxNumber: number,
  priceType: text,
  subnetIds: ids,
  instanceTags: listOf(ids),
  vmTypes: optional(tableOf(number)),
  vmTypesOnDemand: optional(tableOf(number)),
});
const launch = has({ clientToken: text, count: number, pool: text, call: isObject });
const resource = has({ kind: text, id: text, refills: flag, ours: flag, expiresAt: timeIn(1) });
const refusal = has({ missing: number, code: text, fault: text, message: text, pool: text });
const items = listOf(
  has({
    key: text,
    machineId: text,
    name: text,
    verdict: text,
    message: text,
    instanceTags: text,
    last: optional(has(observation)),
  }),
);

/** What each kind of event must hold for the requests to be made of it; what is not named here is taken as it comes. */
const fieldsOf: { readonly [T in StreamEvent['type']]: Readonly<Record<string, Check>> } = {
  RequestCreated: { template, providerApi: text, wanted: number, attributes: tableOf(text) },
  LaunchIntended: { launch },
  LaunchRepeated: { clientToken: text },
  LaunchThrottled: { clientToken: text, times: number },
  CapacityGranted: { clientToken: text, machines },
  ResourceCreated: { clientToken: text, resource },
  ResourceChanged: { resourceId: text, stage: text },
  CapacityRefused: { clientToken: text, refusal },
  SearchExplained: { resourceId: text, shortage: optional(has({ code: text, fault: text, message: text })) },
  MachinesObserved: { machines },
  MachinesMissed: { machineIds: ids },
  MachinesGivenUp: { machineIds: ids, reason: text },
  MachinesDisowned: { machineIds: ids, reason: text },
  MachinesLeftGroup: { machineIds: ids },
  MachineStatusReported: { machineId: text, status: text, metadata: tableOf(text) },
  MachinesReturned: { returnId: text, machineIds: ids },
  RequestCancelled: { reason: text },
  RequestCompleted: {},
  RequestClaimed: {},
  ReturnRequested: { items },
  ReturnProgressed: { items },
  ReturnCompleted: {},
};

const isEventType = (name: unknown): name is StreamEvent['type'] =>
  typeof name === 'string' && Object.hasOwn(fieldsOf, name);

/** Whether a stored value is an event that this version of the program or an older one wrote, whole. */
const isStoredEvent: Check = (value) =>
  isObject(value) &&
  timeIn(1)(value['at']) &&
  [1, 2, schemaVersion].includes(Number(value['schemaVersion'])) &&
  isEventType(value['type']) &&
  has(fieldsOf[value['type']])(value);

export const isBatchOf =
  (id: string) =>
  (value: unknown): value is Batch =>
    isObject(value) &&
    value['stream'] === id &&
    Array.isArray(value['events']) &&
    value['events'].length > 0 &&
    value['events'].every(isStoredEvent);

/** Events as they are written. */
export const toStored = (events: readonly StreamEvent[], origin: Origin): readonly RecordedEvent[] =>
  events.map((event) => ({ ...event, schemaVersion, role: 'admin', ...origin }));

/** Events of any stored version in today's form. */
export const lifted = (events: readonly RecordedEvent[]): readonly RecordedEvent[] =>
  events.map((event) => lifts.slice((event.schemaVersion ?? 1) - 1).reduce((older, lift) => lift(older), event));
