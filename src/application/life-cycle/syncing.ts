import type { Sighting } from '../../domain/machine.ts';
import type { KnownRequest, Request } from '../../domain/request/state.ts';
import { liveUnits } from '../../domain/request/units.ts';
import type { OwnedSighting } from '../../domain/return/return-request.ts';
import type { CapacityProviders, ResourceLook } from '../ports/capacity.ts';
import type { Hosts } from '../ports/instances.ts';
import type { LaunchFailures } from '../ports/memory.ts';
import type { AwsTime, Clock, Policy } from '../ports/policy.ts';
import type { LiveRequests } from '../ports/streams.ts';
import type { Logger } from '../ports/telemetry.ts';

export interface SyncPorts {
  readonly live: LiveRequests;
  readonly failures: LaunchFailures;
  readonly hosts: () => Promise<Hosts>;
  readonly providers: CapacityProviders;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly awsTime: AwsTime;
  readonly log: Logger;
}

/** One batched look at EC2. */
export interface Look {
  readonly at: number;
  /** Whether that is AWS's time: else no machine is ended, failed or taken for gone by it. */
  readonly isAwsTime: boolean;
  readonly seen: ReadonlyMap<string, OwnedSighting>;
  readonly resources: ReadonlyMap<string, ResourceLook>;
  /** What EC2 shows as launched by the requests that may still grow, by request. */
  readonly launched: ReadonlyMap<string, readonly OwnedSighting[]>;
}

export interface OpenCreate {
  readonly id: string;
  readonly request: KnownRequest;
  /** The machines looked at. */
  readonly asked: readonly string[];
}

/** The consistency window as far as a look can tell that it has passed. */
export const windowOf = ({ isAwsTime }: Look, { consistencyWindow }: Policy): number | undefined =>
  isAwsTime ? consistencyWindow : undefined;

/** A sighting as it is recorded: without what the tags said. */
export const sightingOf = ({
  ours: _mark,
  ofOtherOwner: _else,
  owner: _owner,
  ofOtherStore: _store,
  instanceTags: _tags,
  ...sighting
}: OwnedSighting): Sighting => sighting;

/** States on the books of the template what the request holds now. */
export const keepBooks = async (live: LiveRequests, requestId: string, request: Request): Promise<void> => {
  if (request.stage === 'absent') return;
  await live.settle({ templateId: request.template.templateId, requestId, units: liveUnits(request) });
};
