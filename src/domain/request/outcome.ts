import { resultOf } from '../machine.ts';
import type { KnownRequest, Request } from './state.ts';

/** What the machines of a request that has just settled say about its template. */
export interface Outcome {
  readonly templateId: string;
  /** Ids of those that died or never became usable; none where one was usable. */
  readonly failed: readonly string[];
}

/** Undefined where it has not just settled, or its machines say nothing: nobody wanted them any more, or there are none. */
export const outcomeOf = (before: KnownRequest, after: Request): Outcome | undefined => {
  if (before.stage !== 'open' || after.stage !== 'settled' || after.cancelled !== undefined) return undefined;
  const { templateId } = after.template;
  const machines = [...after.machines.values()];
  if (machines.some((machine) => resultOf(machine) === 'succeed')) return { templateId, failed: [] };
  // A host that was given back before it was usable says nothing about the template.
  const failed = machines.filter(({ returnId }) => returnId === undefined).map(({ machineId }) => machineId);
  return failed.length === 0 ? undefined : { templateId, failed };
};
