import { randomBytes } from 'node:crypto';
import type { Phase } from './ec2/life-cycle.ts';
import { defaultSettings, type ImageSetting, type Settings } from './settings.ts';

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
  readonly lifecycle?: 'spot' | 'capacity-block';
  readonly spotPrice?: string;
  readonly keyName?: string;
  readonly profileArn?: string;
  /** As it came: base64. */
  readonly userData?: string;
  readonly groups: readonly string[];
  readonly volumes: readonly VolumeSpec[];
  readonly interfaces: readonly InterfaceSpec[];
  readonly privateIp?: string;
  readonly placementGroup?: string;
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

export interface Reservation {
  readonly id: string;
  readonly spec: LaunchSpec;
  readonly launchedAt: number;
  readonly clientToken?: string;
  /** Digest of the launch's parameters: tells a repeated call from another one under the same token. */
  readonly fingerprint?: string;
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
}

/** The emulated Region. Records are replaced, never changed in place. */
export interface World {
  readonly now: () => number;
  /** Eight hex digits in every id, so that ids of one world mean nothing in another. */
  readonly seed: string;
  settings: Settings;
  lastNumber: number;
  describeCalls: number;
  readonly instances: Map<string, InstanceRecord>;
  readonly reservations: Map<string, Reservation>;
  readonly reservationOfToken: Map<string, string>;
  /** Tags changed after the launch, by resource id: the whole set, in place of the launch's. */
  readonly changedTags: Map<string, Tags>;
  readonly buckets: Map<string, { readonly tokens: number; readonly at: number }>;
}

/** What of a world outlives its process. */
export interface SavedWorld {
  readonly seed: string;
  readonly settings: Settings;
  readonly lastNumber: number;
  readonly describeCalls: number;
  readonly instances: readonly InstanceRecord[];
  readonly reservations: readonly Reservation[];
  readonly changedTags: readonly (readonly [string, Tags])[];
}

/** A world at its beginning, or as `saved` left it; `settings` go over the saved ones. */
export const createWorld = (now: () => number, settings: Partial<Settings>, saved?: SavedWorld): World => ({
  now,
  seed: saved?.seed ?? randomBytes(4).toString('hex'),
  settings: { ...defaultSettings, ...saved?.settings, ...settings },
  lastNumber: saved?.lastNumber ?? 0,
  describeCalls: saved?.describeCalls ?? 0,
  instances: new Map(saved?.instances.map((instance) => [instance.id, instance])),
  reservations: new Map(saved?.reservations.map((reservation) => [reservation.id, reservation])),
  reservationOfToken: new Map(
    saved?.reservations.flatMap(({ id, clientToken }) => (clientToken === undefined ? [] : [[clientToken, id]])),
  ),
  changedTags: new Map(saved?.changedTags),
  buckets: new Map(),
});

export const savedWorld = (world: World): SavedWorld => ({
  seed: world.seed,
  settings: world.settings,
  lastNumber: world.lastNumber,
  describeCalls: world.describeCalls,
  instances: [...world.instances.values()],
  reservations: [...world.reservations.values()],
  changedTags: [...world.changedTags],
});

/** Back to an empty Region; settings and the numbering of ids stay. */
export const emptyWorld = (world: World): void => {
  world.instances.clear();
  world.reservations.clear();
  world.reservationOfToken.clear();
  world.changedTags.clear();
  world.buckets.clear();
};
