import type { CapacityProviders } from '../ports/capacity.ts';
import type { Hosts } from '../ports/instances.ts';
import type { LaunchFailures } from '../ports/memory.ts';
import type { AwsTime, Clock, Policy } from '../ports/policy.ts';
import type { CapacityLedger } from '../ports/streams.ts';
import type { Logger } from '../ports/telemetry.ts';

/** What it takes to bring requests and returns on. */
export interface LifeCyclePorts {
  readonly live: CapacityLedger;
  readonly failures: LaunchFailures;
  readonly hosts: () => Promise<Hosts>;
  readonly providers: CapacityProviders;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly awsTime: AwsTime;
  readonly log: Logger;
}
