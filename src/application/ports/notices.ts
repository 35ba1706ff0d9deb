/** A condition, and when each channel was last notified of it, ms since the epoch. */
export interface KnownCondition {
  readonly condition: string;
  /** What it is about; empty where that is the provider as a whole. */
  readonly subject: string;
  readonly summary: string;
  /** ms since the epoch */
  readonly since: number;
  readonly told: Readonly<Record<string, number>>;
}

/** The notices due on one channel. */
export interface Notice extends Omit<KnownCondition, 'told'> {
  readonly status: 'raised' | 'repeated' | 'resolved' | 'test';
  readonly channel: string;
}

/** A notice that was sent. */
export interface SentNotice extends Notice {
  /** Why it did not get through; absent where it did. */
  readonly fault?: string;
}

/** The notices already sent, kept from one look to the next. */
export interface NoticeMemory {
  read(): Promise<readonly KnownCondition[]>;
  write(noted: readonly KnownCondition[]): Promise<void>;
}

export interface Notifier {
  /**
   * Looks, and sends the notices that are due. What does not get through is due again at the next look. Undefined where another process
   * is doing it.
   */
  check(): Promise<readonly SentNotice[] | undefined>;
  /** What a check would tell. */
  preview(): Promise<readonly Notice[]>;
  /** Sends a message that says it is a test through every channel. */
  test(): Promise<readonly SentNotice[]>;
}
