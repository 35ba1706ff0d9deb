import { PluginError } from '../domain/errors.ts';
import { strangerTo } from '../storage/ownership.ts';
import { holdsStore } from '../storage/store-id.ts';

/** What a call may write. An administrator's may turn out only to look: see `mayOnlyLook` of `ComposeOptions`. */
export interface Rights {
  /** Why nothing may be written: the work folder is another user's. */
  readonly stranger: string | undefined;
  /** Whether nothing may be written to the store or be changed at AWS. */
  readonly looksOnly: () => boolean;
  /** Whether log, metrics and projections may be kept. */
  readonly leavesTraces: () => boolean;
  /** A command that changes something begins. */
  readonly begin: () => void;
}

interface Caller {
  readonly allowsStrangers?: boolean;
  readonly mayOnlyLook?: boolean;
  readonly rehearse?: unknown;
}

/** Throws `storage.foreign` for a work folder of another user, unless the call may look at it. */
export const rightsIn = (
  workDir: string,
  { allowsStrangers = false, mayOnlyLook = false, rehearse }: Caller,
): Rights => {
  const stranger = strangerTo(workDir);
  if (stranger !== undefined && !allowsStrangers) throw new PluginError('storage.foreign', stranger);
  const mayWrite = stranger === undefined && rehearse === undefined;
  let changes = !mayOnlyLook;
  return {
    stranger,
    looksOnly: () => !mayWrite || !changes,
    leavesTraces: () => mayWrite && (!mayOnlyLook || holdsStore(workDir)),
    begin: () => {
      changes = true;
    },
  };
};
