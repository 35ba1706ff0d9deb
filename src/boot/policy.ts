import type { Policy } from '../application/ports/policy.ts';
import type { ProviderConfig } from '../config/provider-config.ts';

const [minute, day] = [60_000, 86_400_000];

/** Longer than any consistency window, shorter than Host Factory's patience. */
const launchDeadline = 15 * minute;

export const policyOf = (config: ProviderConfig): Policy => ({
  consistencyWindow: config.consistencyWindowSeconds * 1000,
  pendingTimeout: config.AWS_INSTANCE_PENDING_TIMEOUT_SEC * 1000,
  launchDeadline,
  tagInstanceId: config.AWS_TAG_InstanceID,
  retention: config.retentionDays * day,
  archived: config.archiveDays * day,
  protectAfter: config.protectAfterFailures,
  protectFor: config.protectMinutes * minute,
  unclaimed: config.unclaimedRequestMinutes * minute,
  orphanAge: config.orphanMinutes * minute,
  sweepInterval: config.sweepIntervalMinutes * minute,
});
