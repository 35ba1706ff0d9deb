/** EC2's names for the states of an instance; Host Factory uses the same words for `status`. */
export const machineStates = ['pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped'] as const;
export type MachineState = (typeof machineStates)[number];

/** One look at one EC2 instance. Empty strings and undefined are what EC2 did not tell (yet, or any more). */
export interface Observation {
  readonly machineId: string;
  readonly state: MachineState;
  /** Private DNS name: the name by which Host Factory and EGO know the host. */
  readonly name: string;
  readonly privateIpAddress: string;
  readonly publicIpAddress: string;
  /** Seconds since the epoch. */
  readonly launchTime?: number;
  readonly instanceType: string;
  readonly priceType: 'ondemand' | 'spot';
  readonly zone?: string;
  /** EC2's reason for the state, `code: message`. */
  readonly reason?: string;
  /** EC2 has shown it with our ownership tag; noted of members of an administrator's group alone, which are tagged after their launch. */
  readonly tagged?: true;
}

/** One look at an instance together with what its tags say. */
export interface OwnedObservation extends Observation {
  /** Whether it carries this provider's ownership tag. */
  readonly ours: boolean;
  /** Whether its ownership tag names somebody else; where it has none, the tag may just not be visible yet. */
  readonly ofOtherOwner?: true;
  /** The request named in its tags. */
  readonly requestId?: string;
  /** Whether its tags name another work directory than ours. */
  readonly ofOtherStore?: true;
  /** Whether AWS's own tags name a fleet or group it belongs to, which may make up for it. */
  readonly isMember?: true;
  /** The administrator's tags as `k=v;k=v`, without ours and AWS's. */
  readonly instanceTags: string;
}

/** What is known of an instance over time. */
export interface Machine extends Observation {
  /** Milliseconds since the epoch of the first look that did not find it, while it has not been seen again. */
  readonly missedSince?: number;
  /** Why we gave it up and asked EC2 to terminate it. */
  readonly givenUp?: string;
  /** It does not carry our ownership tag (any more): it is not ours to end, and nobody waits for its end. */
  readonly disowned?: true;
  /** It died, and the administrator's group that it was launched into does not count it any more. */
  readonly leftGroup?: true;
  /** The return request by which Host Factory gave it back. */
  readonly returnId?: string;
}

/** What became of a machine for the request that asked for it (Host Factory's `result`). */
export type MachineResult = 'executing' | 'succeed' | 'fail';

const ended: ReadonlySet<MachineState> = new Set(['shutting-down', 'terminated', 'stopping', 'stopped']);

/** Whether the machine is past use: going or gone. A stopped host does no work and Host Factory cannot start it again. */
export const hasEnded = (state: MachineState): boolean => ended.has(state);

/** Whether the machine is going or gone for good: one that stopped is still there to be tagged and terminated. */
export const isGoing = (state: MachineState): boolean => state === 'shutting-down' || state === 'terminated';

/**
 * Joins a new look with what was known. EC2 empties names and addresses at termination while Host Factory goes on knowing the
 * host by them, so a known value is never replaced by an empty one.
 */
export const withObservation = (known: Machine | undefined, seen: Observation): Machine => {
  if (known === undefined) return seen;
  const { missedSince: _found, ...kept } = known;
  return {
    ...kept,
    ...seen,
    name: seen.name || known.name,
    privateIpAddress: seen.privateIpAddress || known.privateIpAddress,
    publicIpAddress: seen.publicIpAddress || known.publicIpAddress,
    instanceType: seen.instanceType || known.instanceType,
  };
};

/** A host counts only when Host Factory can use it: running, with a name and an address. */
export const resultOf = (machine: Machine): MachineResult => {
  if (machine.givenUp !== undefined || hasEnded(machine.state)) return 'fail';
  if (machine.state === 'pending') return 'executing';
  return machine.name !== '' && machine.privateIpAddress !== '' ? 'succeed' : 'executing';
};

/** Whether anything worth recording differs. */
export const differs = (known: Machine, next: Machine): boolean =>
  known.state !== next.state ||
  known.name !== next.name ||
  known.privateIpAddress !== next.privateIpAddress ||
  known.publicIpAddress !== next.publicIpAddress ||
  known.launchTime !== next.launchTime ||
  known.tagged !== next.tagged ||
  known.missedSince !== next.missedSince;
