/** Something to be said about a configuration. An error keeps it from working as written; a warning does not. */
export interface Complaint {
  readonly severity: 'error' | 'warning';
  /** The field's path, e.g. `attributes.ncpus`; empty for the whole. */
  readonly field: string;
  readonly rule: string;
  /** What to write instead, or what the field means. */
  readonly hint?: string;
}

/** A complaint with its place in the file, counted from 1. */
export interface Finding extends Complaint {
  readonly templateId: string;
  readonly line: number;
  readonly column: number;
}

/** What doctor can find, what blocks most first. */
export const findingCodes = [
  // No call of Host Factory works.
  'node.unusable',
  'scripts.unusable',
  'configuration.invalid',
  'configuration.missing',
  'storage.foreign',
  'storage.unwritable',
  'storage.unfit',
  'storage.unavailable',
  'templates.none',
  // Host Factory does not call.
  'registration.unreadable',
  'registration.missing',
  'registration.disabled',
  'requestors.none',
  // AWS is out of reach, or refuses.
  'provider.unreachable',
  'clock.off',
  'provider.denied',
  'provider.throttled',
  'provider.transient',
  'provider.misconfigured',
  'provider.missing',
  'provider.quota',
  'provider.capacity',
  // Some machines cannot be launched, or returned.
  'image.missing',
  'subnet.missing',
  'template.protected',
  'templates.rejected',
  'template.invalid',
  'subnet.full',
  'group.unfit',
  'storage.unreadable',
  'storage.conflict',
  'storage.moved',
  // It works, and something may come of it.
  'storage.low',
  'storage.open',
  'credentials.open',
  'table.unprotected',
  'table.shared',
  'configuration.replaced',
  'requestors.policy',
  'events.unsent',
  'events.unreadable',
  'orphans.found',
  'orphans.unseen',
  'launch-templates.unused',
  'log.unwritable',
  'server.stale',
  'quotas.low',
  'prices.old',
  'quotas.unreadable',
  // Nobody knows.
  'check.late',
  'internal',
] as const;

export type FindingCode = (typeof findingCodes)[number];

export const isFindingCode = (code: string): code is FindingCode => findingCodes.some((each) => each === code);

/** What `hf-aws doctor --fix` may do about a finding without harm. */
export interface Fix {
  readonly does: 'chmod' | 'remove-socket';
  readonly paths: readonly string[];
  /** Of chmod: permissions in octal, e.g. `600`. */
  readonly mode?: string;
}

interface Sound {
  readonly subject: string;
  readonly status: 'ok';
  readonly what: string;
}

/** Something is wrong: what was seen, why it matters, and the one command or step to take next. */
export interface Trouble {
  readonly subject: string;
  readonly status: 'warning' | 'error';
  readonly code: FindingCode;
  readonly what: string;
  readonly why: string;
  readonly cure: string;
  readonly fix?: Fix;
}

/** The outcome of one check that an administrator asked for. */
export type Diagnosis = Sound | Trouble;

/** One look of doctor's. It may throw: then that is the finding. */
export interface Check {
  readonly subject: string;
  readonly look: () => Promise<readonly Diagnosis[]>;
}
