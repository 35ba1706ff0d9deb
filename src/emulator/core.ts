import type { ApiCalls, Watcher } from './api-call.ts';
import { createCallLog } from './calls.ts';
import { type Control, createControl } from './control.ts';
import { createFaultBook } from './faults.ts';
import { readSettings, type Settings } from './settings.ts';
import { createWorld, type SavedWorld } from './world.ts';

export interface CoreOptions {
  readonly settings?: Partial<Settings>;
  /** The clock, in milliseconds since 1970; left out: the system's. */
  readonly now?: () => number;
  /** Sees every call as it arrives, acts and answers. */
  readonly watch?: Watcher;
}

/** The emulated Region without a way to it: what `performCall` works on, and the control over it. `changed` hears of every change. */
export const createCore = (
  { settings = {}, now = Date.now, watch = () => undefined }: CoreOptions,
  changed: () => void,
  saved?: SavedWorld,
): { readonly calls: ApiCalls; readonly control: Control } => {
  const world = createWorld(now, readSettings(settings), saved);
  const [log, faults] = [createCallLog(), createFaultBook()];
  return { calls: { world, log, faults, changed, watch }, control: createControl(world, log, faults, changed) };
};
