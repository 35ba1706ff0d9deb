import type { ErrorCode } from '../errors.ts';
import type { Machine, Observation } from '../machine.ts';
import type { ProviderApi, Template } from '../template/template.ts';

/** A launch call as it was prepared: what is stored is what goes out, now and in every retry. */
export interface PreparedLaunch {
  /** Makes the call idempotent at EC2; derived from the request id, never random. */
  readonly clientToken: string;
  readonly count: number;
  /** The API that makes the call, where it is not the request's own: the on-demand rest of a heterogeneous request. */
  readonly api?: ProviderApi;
  /** Whether it makes a fleet or group, whose id only an answer tells: instances alone do not resolve it. */
  readonly makesResource?: boolean;
  /** Where the capacity is sought, for messages: `m5.large in subnet-1`. */
  readonly pool: string;
  /** The provider's own rendering of the call. Only the provider reads it. */
  readonly call: Readonly<Record<string, unknown>>;
}

/**
 * A fleet or group that gives a request its machines over time. `filling`: AWS still looks for capacity; `holding`: a group that
 * has what it will get, or a fleet that AWS would not end; `deleted`: gone, or AWS does nothing for it any more.
 */
export interface Resource {
  readonly kind: Exclude<ProviderApi, 'RunInstances'>;
  readonly id: string;
  /** Whether AWS replaces what is lost while it looks for capacity: maintain fleets, and groups of the administrator's. */
  readonly refills: boolean;
  /** Whether AWS goes on looking for capacity after the launch call. */
  readonly seeks: boolean;
  /** False for a group of the administrator's own, which is never deleted. */
  readonly ours: boolean;
  /** Milliseconds since the epoch; when the search for capacity ends. */
  readonly expiresAt: number;
  /** A launch template made for this request alone. */
  readonly launchTemplateId?: string;
  /** Where the members that answer this request have to be picked out and tagged: a group of the administrator's. */
  readonly adoption?: {
    readonly requestId: string;
    readonly tags: readonly (readonly [key: string, value: string])[];
  };
}

export type ResourceStage = 'filling' | 'holding' | 'deleted';

/** Faults after which nobody need look for what is missing: AWS refused it, or never got the call. */
export type RefusalFault = Extract<
  ErrorCode,
  | 'provider.capacity'
  | 'provider.quota'
  | 'provider.denied'
  | 'provider.misconfigured'
  | 'provider.missing'
  | 'provider.unreachable'
>;

/** Capacity that was asked for and not given. */
export interface Refusal {
  readonly missing: number;
  /** AWS's code, or `PartialGrant` where AWS gives none. */
  readonly code: string;
  /** Our kind of the fault behind it. */
  readonly fault: RefusalFault;
  readonly message: string;
  readonly pool: string;
  readonly awsRequestId?: string;
  /** Another pool may have what this one lacked. */
  readonly tryNextPool?: boolean;
}

/** Why a fleet or group lacks capacity. */
export type Shortage = Pick<Refusal, 'code' | 'fault' | 'message'>;

/**
 * Whether a refusal of a launch that was sent before says that the earlier send brought nothing either: AWS looks at the client
 * token first, but not before it has let the caller in.
 */
export const deniesEarlierSends = ({ fault }: Refusal): boolean =>
  !(fault === 'provider.denied' || fault === 'provider.unreachable');

export type RequestEvent =
  | {
      readonly type: 'RequestCreated';
      readonly at: number;
      readonly template: Template;
      readonly providerApi: ProviderApi;
      readonly wanted: number;
      readonly attributes: Readonly<Record<string, string>>;
    }
  | { readonly type: 'LaunchIntended'; readonly at: number; readonly launch: PreparedLaunch }
  | { readonly type: 'LaunchRepeated'; readonly at: number; readonly clientToken: string }
  /** AWS turned the call away unread, and all before it: they made nothing. */
  | { readonly type: 'LaunchThrottled'; readonly at: number; readonly clientToken: string; readonly times: number }
  | {
      readonly type: 'CapacityGranted';
      readonly at: number;
      readonly clientToken: string;
      readonly machines: readonly Observation[];
    }
  | {
      readonly type: 'ResourceCreated';
      readonly at: number;
      readonly clientToken: string;
      readonly resource: Resource;
    }
  | {
      readonly type: 'ResourceChanged';
      readonly at: number;
      readonly resourceId: string;
      readonly stage: ResourceStage;
    }
  | { readonly type: 'CapacityRefused'; readonly at: number; readonly clientToken: string; readonly refusal: Refusal }
  | {
      /** AWS was asked why a fleet or group finds no more; without `shortage` no reason was to be had. */
      readonly type: 'SearchExplained';
      readonly at: number;
      readonly resourceId: string;
      readonly shortage?: Shortage;
    }
  | { readonly type: 'MachinesObserved'; readonly at: number; readonly machines: readonly Observation[] }
  | { readonly type: 'MachinesMissed'; readonly at: number; readonly machineIds: readonly string[] }
  | {
      readonly type: 'MachinesGivenUp';
      readonly at: number;
      readonly machineIds: readonly string[];
      readonly reason: string;
    }
  | {
      /** They carry no ownership tag of ours and were left alone. */
      readonly type: 'MachinesDisowned';
      readonly at: number;
      readonly machineIds: readonly string[];
      readonly reason: string;
    }
  /** Machines that died and that a group of the administrator's does not count any more. */
  | { readonly type: 'MachinesLeftGroup'; readonly at: number; readonly machineIds: readonly string[] }
  | {
      readonly type: 'MachineStatusReported';
      readonly at: number;
      readonly machineId: string;
      readonly status: Machine['state'];
      readonly metadata: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'MachinesReturned';
      readonly at: number;
      readonly returnId: string;
      readonly machineIds: readonly string[];
    }
  | { readonly type: 'RequestCancelled'; readonly at: number; readonly reason: string }
  | { readonly type: 'RequestCompleted'; readonly at: number }
  /** Somebody asked about the request: its id did reach its caller. */
  | { readonly type: 'RequestClaimed'; readonly at: number };
