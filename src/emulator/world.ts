import { randomBytes } from 'node:crypto';
import type { Item } from './dynamodb/expressions.ts';
import type { Phase } from './ec2/life-cycle.ts';
import type { FleetRecord, LaunchTemplate, Membership } from './fleets/record.ts';
import { completeSettings, type ImageSetting, type Settings } from './settings.ts';

export type Tags = Readonly<Record<string, string>>;

export interface VolumeSpec {
  readonly device: string;
  readonly sizeGiB: number;
  readonly type: string;
  readonly encrypted: boolean;
  readonly deleteOnTermination: boolean;
}

export interface InterfaceSpec {
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
  readonly isPublic: boolean;
  readonly groups: readonly string[];
}

/** Everything the instances of one launch have in common. */
export interface LaunchSpec {
  readonly imageId: string;
  readonly image: ImageSetting;
  readonly instanceType: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly lifecycle?: 'spot' | 'capacity-block' | undefined;
  readonly spotPrice?: string | undefined;
  readonly keyName?: string | undefined;
  readonly profileArn?: string | undefined;
  /** As it came: base64. */
  readonly userData?: string | undefined;
  readonly groups: readonly string[];
  readonly volumes: readonly VolumeSpec[];
  readonly interfaces: readonly InterfaceSpec[];
  readonly privateIp?: string | undefined;
  /** Has an IPv6 address only. */
  readonly isIpv6?: boolean | undefined;
  readonly placementGroup?: string | undefined;
  readonly capacityReservationId?: string | undefined;
  readonly tenancy: string;
  readonly coreCount: number;
  readonly threadsPerCore: number;
  readonly httpTokens: string;
  readonly hopLimit: number;
  readonly ebsOptimized: boolean;
  readonly monitoring: boolean;
  readonly isProtected: boolean;
  /** Tags of the launch by resource type (`instance`, `volume` ...). */
  readonly tags: Readonly<Record<string, Tags>>;
}

/** What an access key of AssumeRole's is good for. */
interface RoleSession {
  readonly arn: string;
  readonly token: string;
  readonly endsAt: number;
}

/** A message that waits in a queue. */
export interface QueuedMessage {
  readonly id: string;
  readonly body: string;
  /** From when on it can be received. */
  readonly visibleFrom: number;
  /** Of its last receipt: only by this one it is deleted. */
  readonly receipt?: string;
}

export interface Reservation {
  readonly id: string;
  readonly spec: LaunchSpec;
  readonly launchedAt: number;
  readonly clientToken?: string | undefined;
  readonly instanceIds: readonly string[];
}

export interface InstanceRecord {
  readonly id: string;
  /** Grows with every launch; ids, addresses and the order of describes derive from it. */
  readonly number: number;
  readonly reservationId: string;
  readonly launchIndex: number;
  readonly launchedAt: number;
  readonly phase: Phase;
  readonly isProtected: boolean;
  /** The first DescribeInstances call, counted from the world's beginning, that sees the instance. */
  readonly visibleFrom: number;
  readonly spotStatus?: { readonly code: string; readonly at: number };
  readonly member?: Membership | undefined;
  readonly scheduledEvent?: { readonly code: string; readonly notBefore: string };
}

/** What a client token was used for. */
interface TokenUse {
  /** Digest of the call's parameters: tells a repeated call from another one under the same token. */
  readonly fingerprint: string;
  /** What the first call made: an id, or a whole answer. */
  readonly made: string;
}

const emptyCollections = () => ({
  instances: new Map<string, InstanceRecord>(),
  reservations: new Map<string, Reservation>(),
  fleets: new Map<string, FleetRecord>(),
  templates: new Map<string, LaunchTemplate>(),
  /** By action and client token. */
  tokens: new Map<string, TokenUse>(),
  /** Tags changed after the launch, by resource id: the whole set, in place of the launch's. */
  changedTags: new Map<string, Tags>(),
  /** Items of DynamoDB tables, by table, partition and sort key. */
  tables: new Map<string, Map<string, Map<string, Item>>>(),
});

/** What of a world outlives its process. */
export interface SavedWorld extends Readonly<ReturnType<typeof emptyCollections>> {
  /** Eight hex digits in every id, so that ids of one world mean nothing in another. */
  readonly seed: string;
  settings: Settings;
  lastNumber: number;
  describeCalls: number;
}

/** The emulated Region. Records are replaced, never changed in place. */
export interface World extends SavedWorld {
  readonly now: () => number;
  /** Does something as if it were an earlier time. */
  readonly backAt: (time: number, act: () => void) => void;
  readonly buckets: Map<string, { readonly tokens: number; readonly at: number }>;
  /** By access key. */
  readonly sessions: Map<string, RoleSession>;
  /** By the queue's name. */
  readonly queues: Map<string, readonly QueuedMessage[]>;
}

/** A world at its beginning, or as `saved` left it; `settings` go over the saved ones. */
export const createWorld = (clock: () => number, settings: Partial<Settings>, saved?: SavedWorld): World => {
  let past: number | undefined;
  return {
    seed: randomBytes(4).toString('hex'),
    lastNumber: 0,
    describeCalls: 0,
    ...emptyCollections(),
    ...saved,
    settings: completeSettings({ ...saved?.settings, ...settings }),
    now: () => past ?? clock(),
    backAt: (time, act) => {
      past = time;
      try {
        act();
      } finally {
        past = undefined;
      }
    },
    buckets: new Map(),
    sessions: new Map(),
    queues: new Map(),
  };
};

export const savedWorld = ({
  now: _now,
  backAt: _backAt,
  buckets: _buckets,
  sessions: _sessions,
  queues: _queues,
  ...saved
}: World): SavedWorld => saved;

/** Whether all that a world keeps in maps is there. */
export const hasCollections = (value: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(emptyCollections()).every((name) => value[name] instanceof Map);

/** Back to an empty Region; settings and the numbering of ids stay. */
export const emptyWorld = (world: World): void => {
  Object.assign(world, emptyCollections());
  world.buckets.clear();
  world.sessions.clear();
  world.queues.clear();
};
