import type { XmlFields } from '../wire/xml.ts';

/** The two ways to pay that a fleet's target is split into. */
export type Market = 'on-demand' | 'spot';

/** Units (instances times weights) by market. */
export type Units = Readonly<Record<Market, number>>;

/** Where a fleet launched or tried to. */
export interface Place {
  readonly market: Market;
  readonly instanceType?: string | undefined;
  readonly zone?: string | undefined;
  readonly subnetId?: string | undefined;
  /** The launch template and overrides, as the fleet's answers repeat them. */
  readonly echo: XmlFields;
}

export interface NewEvent {
  /** `changed`: the fleet itself. `failed`: a pool gave less than it was asked for. */
  readonly kind: 'changed' | 'launched' | 'terminated' | 'failed';
  /** What happened; of a failure the code. */
  readonly text: string;
  readonly instanceIds: readonly string[];
  readonly place?: Place;
  /** EC2's words for a failure. */
  readonly message?: string;
}

export interface FleetEvent extends NewEvent {
  readonly at: number;
}

/** An EC2 Fleet, a Spot Fleet request or an Auto Scaling group: whatever holds instances at a target. */
export interface FleetRecord {
  /** A group's is its name. */
  readonly id: string;
  readonly api: 'ec2-fleet' | 'spot-fleet' | 'group';
  readonly type: 'instant' | 'request' | 'maintain';
  /** The parameters it was made with, changes merged in; pools and strategies are read from them at every attempt. */
  readonly order: readonly (readonly [name: string, value: string])[];
  readonly target: Units;
  /** All it ever launched. */
  readonly obtained: Units;
  readonly createdAt: number;
  /** The last change or attempt. */
  readonly touchedAt: number;
  readonly validUntil?: number | undefined;
  /** Deleted, cancelled or expired; what becomes of the instances. */
  readonly ended?: 'running' | 'terminating';
  readonly tags: Readonly<Record<string, string>>;
  readonly events: readonly FleetEvent[];
  /** Auto Scaling processes. */
  readonly suspended: readonly string[];
  /** A decrement has left a group's zones uneven, and the next attempt is to even them. */
  readonly isUneven?: boolean;
}

/** An instance's place in a fleet. */
export interface Membership {
  readonly fleetId: string;
  readonly market: Market;
  readonly weight: number;
  /** From scale-in. */
  readonly isProtected: boolean;
  /** Launched by somebody else and put into the group. */
  readonly isAttached?: boolean;
  /** Terminated by the fleet itself, so not to be missed. */
  readonly isLeaving?: boolean;
}

export interface TemplateVersion {
  readonly number: number;
  readonly description?: string | undefined;
  readonly createdAt: number;
  /** As RunInstances names it; not validated. */
  readonly data: readonly (readonly [name: string, value: string])[];
}

export interface LaunchTemplate {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly defaultVersion: number;
  readonly versions: readonly TemplateVersion[];
  readonly tags: Readonly<Record<string, string>>;
}
