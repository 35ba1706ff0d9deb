import type { AwsExchange } from '../application/ports/recording.ts';

/** A call of Host Factory as a line of a recording. `at` is an ISO time, `ms` from the start of its script to its answer. */
export interface RecordedCall {
  readonly call: string;
  readonly at: string;
  readonly ms: number;
  readonly host: string;
  /** Of this program. */
  readonly version: string;
  readonly way: 'process' | 'server';
  readonly operation: string;
  /** Whose configuration and templates it went by: `settings-<digest>.json` beside the recording. */
  readonly settings: string;
  /** Absent where it could not be read. */
  readonly input?: unknown;
  /** The exit status of the script. */
  readonly status: 0 | 1;
  readonly answer: object;
  readonly aws: readonly AwsExchange[];
}

/** What was done at AWS once the answer of a call was out: a line of its own. */
export interface RecordedRest {
  /** The `call` of that line. */
  readonly after: string;
  readonly aws: readonly AwsExchange[];
}

/** What calls went by: the values that the configuration gives, and the templates file as it is written. */
export interface RecordedSettings {
  readonly provider: string;
  readonly region?: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly templates: unknown;
}

/** An hour of a host's calls: `2026-11-28T13.<host>.jsonl`, in order of time by name. */
export const recordingFile = (at: number, host: string): string =>
  `${new Date(at).toISOString().slice(0, 13)}.${host}.jsonl`;

/** The hour of such a file, ms since the epoch; undefined for another file. */
export const hourOf = (name: string): number | undefined => {
  const [, hour] = /^(\d{4}-\d\d-\d\dT\d\d)\..*\.jsonl$/.exec(name) ?? [];
  return hour === undefined ? undefined : Date.parse(`${hour}:00:00Z`);
};

export const settingsFile = (digest: string): string => `settings-${digest}.json`;

export const isSettingsFile = (name: string): boolean => /^settings-[0-9a-f]{16}\.json$/.test(name);
