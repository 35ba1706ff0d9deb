/** What is to be replayed, and how. */
export interface ReplayOrder {
  /** A folder of recordings, one that holds it, or a bundle. */
  readonly path: string;
  /** Leaves configuration, state and log of the replay to be looked at. */
  readonly keep: boolean;
  readonly progress?: ((what: string, done: number, total: number) => void) | undefined;
}

/** A place where an answer of the replay says something else. */
export interface ReplayDifference {
  /** ISO time of the recorded call. */
  readonly at: string;
  readonly operation: string;
  /** Of the recorded call. */
  readonly call: string;
  /** In the answer: `requests[req-...].status`. The ids are those of the replay. */
  readonly where: string;
  /** Absent where there was none. */
  readonly recorded?: unknown;
  readonly replayed?: unknown;
}

export interface ReplayReport {
  /** Of the program that replays. */
  readonly version: string;
  readonly recorded: {
    readonly from: string;
    readonly to: string;
    readonly calls: number;
    /** Of the program that was recorded. */
    readonly versions: readonly string[];
  };
  readonly operations: readonly {
    readonly operation: string;
    /** Replayed. */
    readonly calls: number;
    readonly different: number;
    /** Not replayed, see `notes`. */
    readonly skipped: number;
  }[];
  readonly differences: readonly ReplayDifference[];
  /** What the emulator cannot do as AWS did, and what was left out. */
  readonly notes: readonly string[];
  /** Of the recordings that could not be read. */
  readonly warnings: readonly string[];
  /** Where the replay was kept. */
  readonly folder?: string;
}
