import { PluginError } from '../../domain/errors.ts';
import { outcomeOf } from '../../domain/request/outcome.ts';
import type { KnownRequest, Request } from '../../domain/request/state.ts';
import type { LaunchFailures } from '../ports/memory.ts';
import type { Policy } from '../ports/policy.ts';
import type { Logger } from '../ports/telemetry.ts';

export interface ProtectionPorts {
  readonly failures: LaunchFailures;
  readonly policy: Pick<Policy, 'protectAfter' | 'protectFor'>;
  readonly log: Logger;
}

type Noted = Awaited<ReturnType<LaunchFailures['of']>>;

/** Whether the last machines of a template all failed, and not so long ago that it deserves another try. */
export const isProtected = (
  { protectAfter, protectFor }: ProtectionPorts['policy'],
  { machineIds, age }: Noted,
): boolean => protectAfter > 0 && machineIds.length >= protectAfter && age < protectFor;

/**
 * Throws `template.protected` for a template whose last machines all died or never became usable: launching more of them costs
 * money and brings nothing. It may try again after a while, or when somebody has cleared it.
 */
export const checkProtection = async ({ failures, policy }: ProtectionPorts, templateId: string): Promise<void> => {
  if (policy.protectAfter === 0) return;
  const noted = await failures.of(templateId);
  if (noted.machineIds.length < policy.protectAfter) return;
  if (!isProtected(policy, noted)) return failures.clear(templateId);
  const minutes = Math.ceil((policy.protectFor - noted.age) / 60_000);
  const text = `template ${templateId}: its last ${noted.machineIds.length} machines died or never became usable; it launches nothing for ${minutes} min or until hf-aws offerings clear --template ${templateId}`;
  throw new PluginError('template.protected', text);
};

/** Notes what became of a request's machines, once they are all usable or lost. */
export const noteOutcome = async (
  { failures, policy, log }: ProtectionPorts,
  before: KnownRequest,
  after: Request,
): Promise<void> => {
  const outcome = policy.protectAfter === 0 ? undefined : outcomeOf(before, after);
  if (outcome === undefined) return;
  const { templateId, failed } = outcome;
  if (failed.length === 0) return failures.clear(templateId);
  await failures.note(templateId, failed);
  const { machineIds } = await failures.of(templateId);
  if (machineIds.length < policy.protectAfter) return;
  const text = `the last ${machineIds.length} machines died or never became usable: nothing is launched for a while`;
  log.error('template.protected', text, { templateId });
};
