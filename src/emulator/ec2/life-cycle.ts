import type { Settings } from '../settings.ts';

// EC2's codes: the low byte of InstanceState.Code.
export const stateCodes = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
} as const;

export type InstanceState = keyof typeof stateCodes;

/** What an instance is on its way to, since when (ms), and why; `isReached`: put there at once, without a way. */
export interface Phase {
  readonly toward: 'running' | 'stopped' | 'terminated';
  readonly since: number;
  readonly isReached?: boolean;
  readonly reason?: StateReason | undefined;
}

export interface StateReason {
  readonly code: string;
  readonly message: string;
}

const ways = {
  running: ['pending', 'pendingMs'],
  stopped: ['stopping', 'stoppingMs'],
  terminated: ['shutting-down', 'shuttingDownMs'],
} as const;

const reachedAt = ({ toward, since, isReached }: Phase, settings: Settings): number =>
  isReached === true ? since : since + settings[ways[toward][1]];

/** State is never stored: it follows from the phase and the clock. */
export const stateAt = (phase: Phase, settings: Settings, now: number): InstanceState =>
  now >= reachedAt(phase, settings) ? phase.toward : ways[phase.toward][0];

export const isForgotten = (phase: Phase, settings: Settings, now: number): boolean =>
  phase.toward === 'terminated' && now >= reachedAt(phase, settings) + settings.forgetTerminatedAfterMs;

/** The phase that an instance shows as `state` from `now` on; the passing states run on to their ends. */
export const phaseInto = (state: InstanceState, now: number, reason?: StateReason): Phase => {
  const toward = { pending: 'running', stopping: 'stopped', 'shutting-down': 'terminated' } as const;
  if (state === 'pending' || state === 'stopping' || state === 'shutting-down')
    return { toward: toward[state], since: now, reason };
  return { toward: state, since: now, isReached: true, reason };
};
