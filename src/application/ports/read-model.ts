/** A version of a stream that the caller knows of and wants to see. */
export interface Expectation {
  readonly requestId: string;
  readonly version: number;
  /** Milliseconds; 5000 by default. */
  readonly wait?: number;
}

/** How often, and by default for how long, what a caller expects is waited for, ms. */
export const [pollMs, waitMs] = [100, 5000] as const;

/** What an answer carries when what its caller expects has not shown up in time. */
export const staleWarning = 'Data may be stale';

export const projectionNames = ['requests', 'machines', 'counters', 'capacity'] as const;
export type ProjectionName = (typeof projectionNames)[number];

/** An event, or a whole stream, that a projection could not take in. */
export interface ProjectionFailure {
  readonly requestId: string;
  /** The event's place in the stream; absent where the stream cannot be read at all. */
  readonly version?: number;
  readonly type?: string;
  readonly message: string;
  readonly tries: number;
}

export interface ProjectionStatus {
  readonly name: ProjectionName;
  readonly streams: number;
  readonly events: number;
  /** Streams with events that are not applied yet. */
  readonly behind: number;
  readonly failures: readonly ProjectionFailure[];
}

/** What a projection holds, up to date with the streams. */
export interface Projected {
  /** One JSON text per row, newest request first. */
  readonly rows: readonly string[];
  /** Records that could not be read or applied, and why. */
  readonly warnings: readonly string[];
  /** Set when what the caller expected did not show up in time. */
  readonly stale?: string;
}

/** Lists and metrics folded from the streams. Can be thrown away at any time. */
export interface ReadModel {
  read(name: ProjectionName, expected?: Expectation | undefined): Promise<Projected>;
  status(): Promise<readonly ProjectionStatus[]>;
  /** Versions applied, by projection. */
  versionsOf(requestId: string): Promise<Readonly<Record<ProjectionName, number>>>;
  /** Builds it anew beside the old one, then swaps. */
  rebuild(name: ProjectionName): Promise<ProjectionStatus>;
}

/** What a projection has made of one stream. */
export interface ProjectedStream {
  /** The stream's stamp when it was read; 0: to be read again. */
  readonly stamp: number;
  readonly version: number;
  /** Milliseconds since the epoch of its first event. */
  readonly since: number;
  readonly rows: readonly string[];
}

export interface StoredProjection {
  /** Of the store, when nothing was left to apply. */
  readonly position?: string | undefined;
  readonly streams: ReadonlyMap<string, ProjectedStream>;
  /** Of all streams, newest request first. */
  readonly rows: readonly string[];
  readonly failures: readonly ProjectionFailure[];
}

/** Keeps projections between calls. What cannot be read is absent: it is built again. */
export interface ProjectionStore {
  load(name: ProjectionName): Promise<StoredProjection | undefined>;
  save(name: ProjectionName, projection: StoredProjection): Promise<void>;
}
