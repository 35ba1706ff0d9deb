/**
 * What AWS announces of instances: it will take one away (`interruption`, `retirement`), expects to (`rebalance`), or somebody or
 * something has stopped or terminated one (`ended`).
 */
export const instanceEventKinds = ['interruption', 'rebalance', 'retirement', 'ended'] as const;

export interface InstanceEvent {
  readonly machineId: string;
  readonly kind: (typeof instanceEventKinds)[number];
  /** When AWS will act or has acted, ms since the epoch. */
  readonly due: number;
}

export interface QueuedMessage {
  /** By which it can be removed. */
  readonly receipt: string;
  /** Of what it says; none where it is about something else, or cannot be read. */
  readonly events: readonly InstanceEvent[];
}

/** A queue that AWS puts events into. Messages come at least once, to any of the readers. Throws `provider.*`. */
export interface EventQueue {
  /** A few that wait, at once; empty when none does. Unless removed, each comes again after a minute. */
  receive(): Promise<readonly QueuedMessage[]>;
  remove(messages: readonly QueuedMessage[]): Promise<void>;
}

/** Events on record. The same event noted twice is there once. */
export interface InstanceEvents {
  /** On disk before it resolves. Throws `storage.unwritable`. */
  note(events: readonly InstanceEvent[]): Promise<void>;
  /** Those of these instances that are not over. */
  of(machineIds: readonly string[]): Promise<readonly InstanceEvent[]>;
}

/** When all hosts were last looked at. */
export interface FullLooks {
  isDue(): Promise<boolean>;
  note(): Promise<void>;
}
