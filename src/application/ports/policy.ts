/** Milliseconds since the epoch. */
export type Clock = () => number;

/**
 * The time by AWS's clock, ms since the epoch; undefined until AWS has answered. Hosts that share a store have clocks that differ
 * and that may be set: whether a machine is gone or overdue is decided by this one alone.
 */
export type AwsTime = () => number | undefined;

/**
 * Whether a task that is done now and then was not begun within the interval (ms), here or in another process; notes that it begins
 * now. An interval of 0: never.
 */
export type IsDue = (task: string, interval: number) => Promise<boolean>;

/** The parts of the provider configuration the use cases decide by. */
export interface Policy {
  /** Milliseconds for which EC2 may not know an id it gave out itself. */
  readonly consistencyWindow: number;
  /** Milliseconds after which a host that is not usable is given up. */
  readonly pendingTimeout: number;
  /** Milliseconds after which a launch whose outcome is unknown is no longer tried. */
  readonly launchDeadline: number;
  readonly tagInstanceId: boolean;
  /** Milliseconds for which finished requests stay in listings. */
  readonly retention: number;
  /** Milliseconds for which what was set aside is kept; 0 for ever. */
  readonly archived: number;
  /** Machines in a row that never became usable before their template is taken out of use; 0 never. */
  readonly protectAfter: number;
  /** Milliseconds after which such a template may try again. */
  readonly protectFor: number;
  /** Milliseconds after which a request nobody asked about is abandoned; 0 never. */
  readonly unclaimed: number;
  /** Milliseconds between the first sight of what belongs to no request and its release. */
  readonly orphanAge: number;
  /** Milliseconds between two sweeps that follow an answer; 0 never. */
  readonly sweepInterval: number;
}
