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

/** What may be done about a finding without harm, by whoever the file or folder belongs to. */
export interface Cure {
  readonly does: 'chmod' | 'remove-socket';
  readonly path: string;
  /** Of chmod: permissions in octal, e.g. `600`. */
  readonly mode?: string;
}

/** What was looked at on behalf of an administrator, and how it stands. */
export interface Diagnosis {
  readonly subject: string;
  readonly status: 'ok' | 'warning' | 'error';
  readonly what: string;
  /** Why it matters, and how to mend it, where something is wrong. */
  readonly why?: string;
  readonly mend?: string;
  readonly cure?: Cure;
}
