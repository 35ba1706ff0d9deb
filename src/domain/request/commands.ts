import type { Machine, Observation } from '../machine.ts';
import type { ProviderApi, Template } from '../template/template.ts';
import type { PreparedLaunch, Refusal, Resource, ResourceStage, Shortage } from './events.ts';

export type RequestCommand =
  | {
      readonly type: 'Create';
      readonly now: number;
      readonly template: Template;
      readonly providerApi: ProviderApi;
      readonly wanted: number;
      readonly attributes: Readonly<Record<string, string>>;
    }
  | { readonly type: 'IntendLaunch'; readonly now: number; readonly launch: PreparedLaunch }
  | { readonly type: 'RepeatLaunch'; readonly now: number; readonly clientToken: string }
  | { readonly type: 'ThrottleLaunch'; readonly now: number; readonly clientToken: string; readonly times: number }
  | {
      readonly type: 'RecordLaunch';
      readonly now: number;
      readonly clientToken: string;
      readonly granted: readonly Observation[];
      readonly resource?: Resource;
      readonly refusal?: Refusal;
    }
  | {
      readonly type: 'ChangeResource';
      readonly now: number;
      readonly resourceId: string;
      readonly stage: ResourceStage;
      /** Why the search for capacity ended; recorded where it ended short. */
      readonly refusal?: Omit<Refusal, 'missing'>;
      /** What asks for the rest elsewhere. Nothing is changed where the rest is not that much any more. */
      readonly rest?: PreparedLaunch;
    }
  | {
      readonly type: 'ExplainSearch';
      readonly now: number;
      readonly resourceId: string;
      /** Undefined where no reason was to be had. */
      readonly shortage: Shortage | undefined;
    }
  | {
      /** What one batched look at EC2 showed of the machines `asked` for. */
      readonly type: 'Observe';
      readonly now: number;
      readonly asked: readonly string[];
      readonly seen: readonly Observation[];
      /** Milliseconds for which EC2 may not know an id it gave out itself; undefined where `now` is not AWS's time: then no miss counts. */
      readonly consistencyWindow: number | undefined;
    }
  | {
      readonly type: 'GiveUp';
      readonly now: number;
      readonly machineIds: readonly string[];
      readonly reason: string;
    }
  | {
      readonly type: 'Disown';
      readonly now: number;
      readonly machineIds: readonly string[];
      readonly reason: string;
    }
  /** Dead machines are no longer among those that a group of the administrator's counts. */
  | { readonly type: 'LeaveGroup'; readonly now: number; readonly machineIds: readonly string[] }
  | {
      readonly type: 'ReportStatus';
      readonly now: number;
      readonly machineId: string;
      readonly status: Machine['state'];
      readonly metadata: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'MarkReturned';
      readonly now: number;
      readonly returnId: string;
      readonly machineIds: readonly string[];
    }
  | {
      readonly type: 'Settle';
      readonly now: number;
      /** Nobody goes on to a next pool: none is left, or it is too late. */
      readonly noPoolLeft?: boolean;
    }
  /**
   * Ends a request: nothing more is launched for it, and what it got goes back. Only while it is open, or, `ifUnclaimed`, at any
   * time unless somebody has asked about it.
   */
  | { readonly type: 'Cancel'; readonly now: number; readonly reason: string; readonly ifUnclaimed?: true }
  | { readonly type: 'Claim'; readonly now: number };
