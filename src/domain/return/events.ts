import type { Observation } from '../machine.ts';

/**
 * What is known of a host that Host Factory gives back:
 * `unseen` - EC2 has not shown it yet, or not with its tags, so nobody can tell whose it is; `terminating` - ours, EC2 was or will be
 * asked again;
 * `gone` - terminated or never there; `foreign` - it lacks our ownership tag and is never touched.
 */
type ReturnVerdict = 'unseen' | 'terminating' | 'gone' | 'foreign';

export interface ReturnItem {
  /** The instance id, or the host name where no id could be found. Unique within the request. */
  readonly key: string;
  readonly machineId: string;
  readonly name: string;
  readonly verdict: ReturnVerdict;
  readonly message: string;
  /** The request that launched it, from its tags. */
  readonly requestId?: string;
  readonly instanceTags: string;
  readonly missedSince?: number;
  /** Whether EC2 showed it without our tag, though a record has it as ours. */
  readonly isUntagged?: true;
  /** Whether it belongs to a fleet or group, which may make up for it. */
  readonly isMember?: true;
  readonly last?: Observation;
}

export type ReturnEvent =
  | { readonly type: 'ReturnRequested'; readonly at: number; readonly items: readonly ReturnItem[] }
  | { readonly type: 'ReturnProgressed'; readonly at: number; readonly items: readonly ReturnItem[] }
  | { readonly type: 'ReturnCompleted'; readonly at: number };
