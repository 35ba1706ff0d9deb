import {
  type Check,
  hasShape,
  InvalidInput,
  isAmount,
  isCount,
  isFlag,
  isObject,
  isPositive,
  isRecordOf,
  isText,
  optional,
} from './invalid-input.ts';

export interface ImageSetting {
  readonly rootDeviceName: string;
  readonly architecture: string;
  readonly rootDeviceType: string;
}

/** An On-Demand Capacity Reservation or a Capacity Block. */
export interface ReservationSetting {
  readonly instanceType: string;
  readonly zone: string;
  readonly total: number;
  /** `active` where it is left out. */
  readonly state?: string;
  /** `default` where it is left out. */
  readonly type?: string;
  /** `open` where it is left out: launches that name no reservation use it too. */
  readonly match?: string;
  /** ARN of the resource group it is in. */
  readonly group?: string;
  /** ISO time. */
  readonly endsAt?: string;
}

type OfNames<T> = Readonly<Record<string, T>>;

const isReservation = hasShape({
  instanceType: isText,
  zone: isText,
  total: isCount,
  state: optional(isText),
  type: optional(isText),
  match: optional(isText),
  group: optional(isText),
  endsAt: optional(isText),
});

const isPoolsOf =
  (check: Check): Check =>
  (value) =>
    isRecordOf(check)(value) && Object.keys(Object(value)).every((name) => /^[^:]+:[^:]+$/.test(name));

const setting = <T>(initial: T, check: Check, expected: string) => ({ initial, check, expected });
const milliseconds = (initial: number) => setting(initial, isAmount, 'milliseconds');
const names = (what: string) =>
  setting<readonly string[]>([], (value) => Array.isArray(value) && value.every(isText), `a list of ${what}`);

const table = {
  region: setting('us-east-1', isText, 'a Region name'),
  /** From launch or start to `running`. */
  pendingMs: milliseconds(1000),
  shuttingDownMs: milliseconds(1000),
  stoppingMs: milliseconds(1000),
  /** From launch until describes show private name and address. */
  nameAfterMs: milliseconds(0),
  /** From `terminated` until the instance is unknown. EC2: about an hour. */
  forgetTerminatedAfterMs: milliseconds(3_600_000),
  /** From a fleet's or group's order, change or loss until it acts, and between its attempts. */
  fulfilMs: milliseconds(1000),
  /** So many DescribeInstances calls after its launch do not see an instance. */
  invisibleForCalls: setting(0, isCount, 'a number of calls'),
  /** `type:zone` to instances that may run there at once; `*` stands for any type or any zone. Not listed: no limit. */
  capacity: setting<OfNames<number>>({}, isPoolsOf(isCount), 'an object of `type:zone` to a number of instances'),
  /** Instance type to USD per hour; the Price List has no other. */
  onDemandPrices: setting<OfNames<number>>({}, isRecordOf(isAmount), 'an object of instance type to USD'),
  /** `type:zone` to USD per hour; the spot price history has no other. */
  spotPrices: setting<OfNames<number>>({}, isPoolsOf(isAmount), 'an object of `type:zone` to USD'),
  /** By id. */
  capacityReservations: setting<OfNames<ReservationSetting>>(
    {},
    isRecordOf(isReservation),
    'an object of reservation id to {instanceType, zone, total, state?, type?, match?, group?, endsAt?}',
  ),
  /** `type:zone` to the code that such a pool refuses every launch with, e.g. `VcpuLimitExceeded`. */
  refusals: setting<OfNames<string>>({}, isPoolsOf(isText), 'an object of `type:zone` to an error code'),
  /** Subnet id to addresses left for instances. Not listed: no limit. */
  freeAddresses: setting<OfNames<number>>({}, isRecordOf(isCount), 'an object of subnet id to a number of addresses'),
  /** Whether EC2's token buckets apply. */
  throttle: setting<boolean>(false, isFlag, 'true or false'),
  /** No page holds more than this, whatever the call asks for. */
  pageSize: setting(1000, isPositive, 'a number above 0'),
  images: setting<OfNames<ImageSetting>>(
    {},
    isRecordOf(hasShape({ rootDeviceName: isText, architecture: isText, rootDeviceType: isText })),
    'an object of image id to {rootDeviceName, architecture, rootDeviceType}',
  ),
  missingImages: names('image ids'),
  subnets: setting<OfNames<{ readonly zone: string; readonly vpc: string; readonly ipv6Native?: boolean }>>(
    {},
    isRecordOf(hasShape({ zone: isText, vpc: isText, ipv6Native: optional(isFlag) })),
    'an object of subnet id to {zone, vpc, ipv6Native?}',
  ),
  missingSubnets: names('subnet ids'),
  /** Key pairs that are listed; all others exist by being named. */
  keyPairs: names('key names'),
  missingKeys: names('key names'),
  instanceProfiles: names('names of instance profiles'),
  missingInstanceTypes: names('instance types'),
  /** Security group id to the VPC it is in. Not listed: the VPC of made-up subnets. */
  securityGroups: setting<OfNames<string>>({}, isRecordOf(isText), 'an object of group id to VPC id'),
  missingGroups: names('security group ids'),
  /** Systems Manager parameters, name to value. */
  parameters: setting<OfNames<string>>({}, isRecordOf(isText), 'an object of names to values'),
  /** ARNs of the roles that may be assumed, to the external id each asks for; empty for none. */
  roles: setting<OfNames<string>>(
    {},
    isRecordOf((value) => typeof value === 'string'),
    'an object of role ARN to external id',
  ),
  /** SQS queues, which all events of the Region reach: those about instances, by EventBridge. */
  queues: names('queue names'),
  /** DynamoDB tables, with the keys and the index that the state of this program needs. */
  tables: names('table names'),
  /** Minutes by which the time of a signature may differ from the clock here; 0: by any. EC2: 5. */
  signatureMinutes: setting(0, isAmount, 'minutes'),
  deniedAccessKeys: names('access key ids'),
  /** Actions that get UnauthorizedOperation, e.g. `RunInstances`. */
  deniedActions: names('actions'),
};

/** How the emulated Region behaves. Every setting may change at any time; a change counts from the next call on. */
export type Settings = { readonly [Name in keyof typeof table]: (typeof table)[Name]['initial'] };

const isSettingName = (name: string): name is keyof Settings => Object.hasOwn(table, name);

const problemWith = (value: unknown): string | undefined => {
  if (!isObject(value)) return 'settings must be a JSON object';
  for (const [name, given] of Object.entries(value)) {
    if (!isSettingName(name)) return `unknown setting '${name}'; known are ${Object.keys(table).join(', ')}`;
    if (!table[name].check(given)) return `setting '${name}' must be ${table[name].expected}`;
  }
  return undefined;
};

const areSettings = (value: unknown): value is Partial<Settings> => problemWith(value) === undefined;

/** Checks settings from outside; fails with `InvalidInput` naming the wrong one. */
export const readSettings = (value: unknown): Partial<Settings> => {
  if (!areSettings(value)) throw new InvalidInput(problemWith(value));
  return value;
};

const hasAll = (settings: Partial<Settings>): settings is Settings =>
  Object.keys(table).every((name) => name in settings);

/** All settings: those given over the initial ones. */
export const completeSettings = (given: Partial<Settings>): Settings => {
  const initial = Object.fromEntries(Object.entries(table).map(([name, one]) => [name, one.initial]));
  const settings: Partial<Settings> = { ...initial, ...given };
  if (!hasAll(settings)) throw new Error('emulator: a setting is missing');
  return settings;
};
