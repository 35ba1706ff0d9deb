import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { hourOf, isSettingsFile } from './record-form.ts';

export interface Limits {
  readonly days: number;
  readonly bytes: number;
}

const day = 86_400_000;
const hour = 3_600_000;

const orNothing = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};

/**
 * Removes the recordings of this host that are too old, then the oldest until the others are small enough, and what no recording can
 * name any more. What another process has just removed is no fault.
 */
export const removeOld = (folder: string, host: string, { days, bytes }: Limits, now: number): void => {
  const remove = (name: string): void => orNothing(() => unlinkSync(join(folder, name)));
  const names = readdirSync(folder).sort();
  const hours = names.filter((name) => hourOf(name) !== undefined);
  const isOld = (name: string): boolean => (hourOf(name) ?? now) + hour < now - days * day;
  const own = hours.filter((name) => name.endsWith(`.${host}.jsonl`));
  let kept = 0;
  const dropped = new Set<string>();
  // The youngest first: what is beyond the bound is older than what is within.
  for (const name of own.toReversed()) {
    kept += orNothing(() => statSync(join(folder, name)).size) ?? 0;
    if (kept > bytes || isOld(name)) dropped.add(name);
  }
  for (const name of dropped) remove(name);
  // They are dated anew whenever an hour begins to go by them.
  const oldest = Math.min(now, ...hours.filter((name) => !dropped.has(name)).map((name) => hourOf(name) ?? now));
  for (const name of names.filter(isSettingsFile)) {
    const writtenAt = orNothing(() => statSync(join(folder, name)).mtimeMs) ?? now;
    if (writtenAt < oldest - hour) remove(name);
  }
};
