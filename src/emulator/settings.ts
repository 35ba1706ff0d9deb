import { InvalidInput, isObject } from './invalid-input.ts';

export interface ImageSetting {
  readonly rootDeviceName: string;
  readonly architecture: string;
  readonly rootDeviceType: string;
}

interface SubnetSetting {
  readonly zone: string;
  readonly vpc: string;
}

/** How the emulated Region behaves. Every setting may change at any time; a change counts from the next call on. */
export interface Settings {
  readonly region: string;
  /** From launch or start to `running`. */
  readonly pendingMs: number;
  readonly shuttingDownMs: number;
  readonly stoppingMs: number;
  /** From launch until describes show private name and address. */
  readonly nameAfterMs: number;
  /** From `terminated` until the instance is unknown. EC2: about an hour. */
  readonly forgetTerminatedAfterMs: number;
  /** So many DescribeInstances calls after its launch do not see an instance. */
  readonly invisibleForCalls: number;
  /** `type:zone` to instances that may run there at once; `*` stands for any type or any zone. Not listed: no limit. */
  readonly capacity: Readonly<Record<string, number>>;
  /** Subnet id to addresses left for instances. Not listed: no limit. */
  readonly freeAddresses: Readonly<Record<string, number>>;
  /** Whether EC2's token buckets apply. */
  readonly throttle: boolean;
  /** No page holds more than this, whatever the call asks for. */
  readonly pageSize: number;
  readonly images: Readonly<Record<string, ImageSetting>>;
  readonly missingImages: readonly string[];
  readonly subnets: Readonly<Record<string, SubnetSetting>>;
  readonly missingSubnets: readonly string[];
  readonly missingKeys: readonly string[];
  /** Ids and names of launch templates that exist; their contents are not modelled. */
  readonly launchTemplates: readonly string[];
  readonly deniedAccessKeys: readonly string[];
  /** Actions that get UnauthorizedOperation, e.g. `RunInstances`. */
  readonly deniedActions: readonly string[];
}

export const defaultSettings: Settings = {
  region: 'us-east-1',
  pendingMs: 1000,
  shuttingDownMs: 1000,
  stoppingMs: 1000,
  nameAfterMs: 0,
  forgetTerminatedAfterMs: 3_600_000,
  invisibleForCalls: 0,
  capacity: {},
  freeAddresses: {},
  throttle: false,
  pageSize: 1000,
  images: {},
  missingImages: [],
  subnets: {},
  missingSubnets: [],
  missingKeys: [],
  launchTemplates: [],
  deniedAccessKeys: [],
  deniedActions: [],
};

type Check = (value: unknown) => boolean;

const isAmount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isCount: Check = (value) => isAmount(value) && Number.isInteger(value);
const isText: Check = (value) => typeof value === 'string' && value !== '';
const isNames: Check = (value) => Array.isArray(value) && value.every(isText);
const isRecordOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
const isTextsAt =
  (...names: readonly string[]): Check =>
  (value) =>
    isObject(value) && names.every((name) => isText(value[name]));

const isPools: Check = (value) => isRecordOf(isCount)(value) && Object.keys(Object(value)).every(isPoolName);
const isPoolName = (name: string): boolean => /^[^:]+:[^:]+$/.test(name);

const checks = {
  region: [isText, 'a Region name'],
  pendingMs: [isAmount, 'milliseconds'],
  shuttingDownMs: [isAmount, 'milliseconds'],
  stoppingMs: [isAmount, 'milliseconds'],
  nameAfterMs: [isAmount, 'milliseconds'],
  forgetTerminatedAfterMs: [isAmount, 'milliseconds'],
  invisibleForCalls: [isCount, 'a number of calls'],
  capacity: [isPools, 'an object of `type:zone` to a number of instances'],
  freeAddresses: [isRecordOf(isCount), 'an object of subnet id to a number of addresses'],
  throttle: [(value) => typeof value === 'boolean', 'true or false'],
  pageSize: [(value) => isCount(value) && value !== 0, 'a number above 0'],
  images: [
    isRecordOf(isTextsAt('rootDeviceName', 'architecture', 'rootDeviceType')),
    'an object of image id to {rootDeviceName, architecture, rootDeviceType}',
  ],
  missingImages: [isNames, 'a list of image ids'],
  subnets: [isRecordOf(isTextsAt('zone', 'vpc')), 'an object of subnet id to {zone, vpc}'],
  missingSubnets: [isNames, 'a list of subnet ids'],
  missingKeys: [isNames, 'a list of key names'],
  launchTemplates: [isNames, 'a list of ids and names'],
  deniedAccessKeys: [isNames, 'a list of access key ids'],
  deniedActions: [isNames, 'a list of actions'],
} satisfies Record<keyof Settings, readonly [Check, string]>;

const isSettingName = (name: string): name is keyof Settings => Object.hasOwn(checks, name);

const problemWith = (value: unknown): string | undefined => {
  if (!isObject(value)) return 'settings must be a JSON object';
  for (const [name, setting] of Object.entries(value)) {
    if (!isSettingName(name)) return `unknown setting '${name}'; known are ${Object.keys(checks).join(', ')}`;
    const [check, expected] = checks[name];
    if (!check(setting)) return `setting '${name}' must be ${expected}`;
  }
  return undefined;
};

const areSettings = (value: unknown): value is Partial<Settings> => problemWith(value) === undefined;

/** Checks settings from outside; fails with `InvalidInput` naming the wrong one. */
export const readSettings = (value: unknown): Partial<Settings> => {
  if (!areSettings(value)) throw new InvalidInput(problemWith(value));
  return value;
};
